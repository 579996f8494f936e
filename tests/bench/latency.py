"""How long is the road from a socket frame to the request at Telegram? Beside two bare Celery hops on the same broker.

`python -m tests.bench.latency` with the settings of a scratch installation in the environment; prints JSON.
"""

import json
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from tests.bench import road as roads

from django.db import connection  # isort: skip
from alerts.models import Delivery  # isort: skip
from alertsystem.broker import redis_client  # isort: skip
from tests import harness  # isort: skip
from tests.bench import hops  # isort: skip
from tests.fakes.venue_markets import BINANCE  # isort: skip

ALERTS, WARM_UP = 200, 20  # of each kind; together
APART_S = 0.2
USD = {"alone": 3_000_000, "in a move": 1_000_000}  # EXTREME stands alone; HIGH in more than three assets is a market-wide move
Times = dict[str, list[float]]


def measure() -> tuple[Times, list[float], dict[str, dict[str, float]]]:
    """Milliseconds of each alert by kind and of each pair of hops, all in turn, one at a time; and of each kind the median until each stage."""
    assets = [f"AS{number}" for number in range(ALERTS * len(USD) + WARM_UP)]
    with roads.road(assets, latency_s=0.0) as road:
        road_of = {roads.FIRST_CHAT + number: asset for number, asset in enumerate(assets)}
        roads.subscribe(road_of)
        _start_hops(road)
        sent: dict[str, dict[int, float]] = {kind: {} for kind in USD}
        hopped: dict[int, float] = {}
        for number, (chat, asset) in enumerate(road_of.items()):
            kind = list(USD)[number % len(USD)]
            started = time.time()
            road.venues.send(BINANCE, roads.liquidation_of(asset, USD[kind], int(started * 1000)))
            time.sleep(APART_S / 2)
            hop_started = time.time()
            hops.app.send_task("hops.first", args=[number], queue="hop1", priority=0)
            time.sleep(APART_S / 2)
            if number >= WARM_UP:
                sent[kind][chat], hopped[number] = started, hop_started
        harness.wait_until(lambda: len(road.telegram.requests("sendMessage")) >= len(assets), 60, "every message")
        arrived = {int(request.chat_id or 0): request.at_epoch for request in reversed(road.telegram.requests("sendMessage"))}
        harness.wait_until(lambda: redis_client().hlen(hops.ARRIVED) >= len(assets), 60, "every hop")
        ended = {int(number): float(at) for number, at in redis_client().hgetall(hops.ARRIVED).items()}
    alerts = {kind: [(arrived[chat] - at) * 1000 for chat, at in of_kind.items()] for kind, of_kind in sent.items()}
    bare = [(ended[number] - at) * 1000 for number, at in hopped.items()]
    return alerts, bare, {kind: _stages(of_kind, arrived) for kind, of_kind in sent.items()}


def _stages(sent: Mapping[int, float], arrived: Mapping[int, float]) -> dict[str, float]:
    """Milliseconds from the frame to each stamp of the deliveries, medians."""
    stages: dict[str, list[float]] = defaultdict(list)
    for delivery in Delivery.objects.filter(subscriber__chat_id__in=sent).select_related("subscriber"):
        start = sent[delivery.subscriber.chat_id]
        for stage in ("received", "detected", "queued", "claimed"):
            at = getattr(delivery, f"{stage}_at")
            if at is not None:
                stages[stage].append((at.timestamp() - start) * 1000)
        stages["request"].append((arrived[delivery.subscriber.chat_id] - start) * 1000)
    return {stage: statistics.median(values) for stage, values in stages.items()}


def _start_hops(road: roads.Road) -> None:
    """One worker for each hop; ready when both have passed one on."""
    for queue in ("hop1", "hop2"):
        road.processes.start(
            *roads.CELERY, "tests.bench.hops", "worker", "-Q", queue, "-n", f"{queue}@bench", "-c", "1", "--without-gossip", "--without-mingle", log=road.log
        )
    hops.app.send_task("hops.first", args=[-1], queue="hop1", priority=0)
    harness.wait_until(lambda: redis_client().hlen(hops.ARRIVED), 60, "the first hop")
    redis_client().delete(hops.ARRIVED)


def quantile(values: Sequence[float], part: int) -> float:
    """The `part` per cent quantile."""
    return statistics.quantiles(values, n=100, method="inclusive")[part - 1]


def main() -> None:
    """Measure and print."""
    alerts, bare, stages = measure()
    two_hops = {"p50": quantile(bare, 50), "p99": quantile(bare, 99)}
    kinds: dict[str, Any] = {
        kind: {
            "p50": quantile(times, 50), "p99": quantile(times, 99), "stages": stages[kind],
            "ratio_p50": quantile(times, 50) / two_hops["p50"], "ratio_p99": quantile(times, 99) / two_hops["p99"],
        }
        for kind, times in alerts.items()
    }  # fmt: skip
    print(json.dumps({"database": connection.vendor, "alerts": ALERTS, "hops": two_hops, "kinds": kinds}))


if __name__ == "__main__":
    main()
