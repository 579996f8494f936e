"""How long does an EXTREME alert wait behind 10,000 LOW messages? How many of those were sent between its commit and its first message.

`python -m tests.bench.priority` with the settings of a scratch installation in the environment; prints JSON.
"""

import json
import statistics
import time

from tests.bench import road as roads

from django.db import connection  # isort: skip
from alerts.dispatcher import IN_FLIGHT  # isort: skip
from alerts.models import Delivery  # isort: skip
from monitors.thresholds import Severity  # isort: skip
from tests import harness  # isort: skip
from tests.fakes.venue_markets import BINANCE  # isort: skip

LOW_CHATS, TIMES, CHATS_EACH = 10_000, 15, 20
LATENCY_S = 0.06  # of each answer of the fake, as measured of the real one
LOW_USD, EXTREME_USD = 80_000, 3_000_000
LOW_ASSET = "LOWS"
WARM_S = 2.0  # of steady LOW traffic before the first EXTREME
APART_S = 2.5


def measure() -> list[dict[str, float]]:
    """For each EXTREME: LOW requests between its commit and its first request, and the delay of that one in ms."""
    extremes = [f"EX{number}" for number in range(TIMES)]
    low = {roads.FIRST_CHAT + number: LOW_ASSET for number in range(LOW_CHATS)}
    extreme = {roads.FIRST_CHAT * 10 + index * CHATS_EACH + number: asset for index, asset in enumerate(extremes) for number in range(CHATS_EACH)}
    with roads.road([LOW_ASSET, *extremes], latency_s=LATENCY_S) as road:
        roads.subscribe(low)
        roads.subscribe(extreme)
        road.venues.send(BINANCE, roads.liquidation_of(LOW_ASSET, LOW_USD, int(time.time() * 1000)))
        harness.wait_until(lambda: Delivery.objects.count() == LOW_CHATS, 60, "10,000 pending deliveries")
        time.sleep(WARM_S)
        for asset in extremes:
            road.venues.send(BINANCE, roads.liquidation_of(asset, EXTREME_USD, int(time.time() * 1000)))
            time.sleep(APART_S)
        assert Delivery.objects.filter(severity=Severity.LOW, state=Delivery.State.PENDING).count() > LOW_CHATS / 2, "there have to be LOW ones left"
        requests = [(request.at_epoch, int(request.chat_id or 0)) for request in road.telegram.requests("sendMessage")]
        refused = sum(not request.accepted for request in road.telegram.requests("sendMessage"))
    assert not refused, f"{refused} messages were refused"
    return [_judge(asset, requests, {chat for chat, of in extreme.items() if of == asset}) for asset in extremes]


def _judge(asset: str, requests: list[tuple[float, int]], chats: set[int]) -> dict[str, float]:
    committed = Delivery.objects.filter(alert__asset=asset).order_by("queued_at").values_list("queued_at", flat=True)[0].timestamp()
    of_asset = [at for at, chat in requests if chat in chats]
    assert len(of_asset) == len(chats), f"{asset}: {len(of_asset)} of {len(chats)} arrived"
    low_between = sum(1 for at, chat in requests if committed < at < min(of_asset) and chat < roads.FIRST_CHAT * 10)
    return {"low_between": low_between, "first_ms": (min(of_asset) - committed) * 1000, "last_ms": (max(of_asset) - committed) * 1000}


def main() -> None:
    """Measure and print."""
    found = measure()
    numbers = {
        "database": connection.vendor, "pending": LOW_CHATS, "times": len(found), "in_flight": IN_FLIGHT, "chats_each": CHATS_EACH,
        "low_between_most": max(one["low_between"] for one in found), "low_between_median": statistics.median(one["low_between"] for one in found),
        "first_ms": statistics.median(one["first_ms"] for one in found), "first_ms_most": max(one["first_ms"] for one in found),
        "last_ms": statistics.median(one["last_ms"] for one in found),
    }  # fmt: skip
    print(json.dumps(numbers))


if __name__ == "__main__":
    main()
