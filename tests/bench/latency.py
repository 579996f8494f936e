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

ALERTS, WARM_UP = 200, 10
APART_S = 0.2
USD = 1_000_000


def measure() -> tuple[list[float], list[float], dict[str, float]]:
    """Milliseconds of each alert, and of each pair of hops, both in turn, one at a time; and the median until each stage."""
    assets = [f"AS{number}" for number in range(ALERTS + WARM_UP)]
    with roads.road(assets, latency_s=0.0) as road:
        road_of = {roads.FIRST_CHAT + number: asset for number, asset in enumerate(assets)}
        roads.subscribe(road_of)
        _start_hops(road)
        sent: dict[int, float] = {}
        hopped: dict[int, float] = {}
        for number, (chat, asset) in enumerate(road_of.items()):
            sent[chat] = time.time()
            road.venues.send(BINANCE, roads.liquidation_of(asset, USD, int(time.time() * 1000)))
            time.sleep(APART_S / 2)
            hopped[number] = time.time()
            hops.app.send_task("hops.first", args=[number], queue="hop1", priority=0)
            time.sleep(APART_S / 2)
        harness.wait_until(lambda: len(road.telegram.requests("sendMessage")) >= len(sent), 60, "every message")
        arrived = {int(request.chat_id or 0): request.at_epoch for request in reversed(road.telegram.requests("sendMessage"))}
        harness.wait_until(lambda: redis_client().hlen(hops.ARRIVED) >= len(hopped), 60, "every hop")
        ended = {int(number): float(at) for number, at in redis_client().hgetall(hops.ARRIVED).items()}
    alerts = [(arrived[chat] - at) * 1000 for chat, at in sent.items()]
    bare = [(ended[number] - at) * 1000 for number, at in hopped.items()]
    return alerts[WARM_UP:], bare[WARM_UP:], _stages(sent, arrived)


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
    numbers: dict[str, Any] = {
        "database": connection.vendor, "alerts": len(alerts), "stages": stages,
        "p50": quantile(alerts, 50), "p99": quantile(alerts, 99), "bare_p50": quantile(bare, 50), "bare_p99": quantile(bare, 99),
    }  # fmt: skip
    print(json.dumps(numbers | {"ratio_p50": numbers["p50"] / numbers["bare_p50"], "ratio_p99": numbers["p99"] / numbers["bare_p99"]}))


if __name__ == "__main__":
    main()
