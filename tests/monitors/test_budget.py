"""Does the budget hold over all processes, and does a pause keep everybody away?"""

import sys
from typing import Any

import pytest
from redis import Redis

from alertsystem.broker import redis_client
from monitors.budget import BURST_SHARE, FOR_SINGLE_ONES, LIMITS, Budget, BudgetAway, budget
from monitors.market import Venue
from monitors.venues.open_interest import MARKS_COST
from tests import harness

ASK = """
import sys, time
import django; django.setup()
from monitors.budget import budget
from monitors.market import Venue
from monitors.venues.open_interest import MARKS_COST
until, taken = time.time() + float(sys.argv[1]), 0
while time.time() < until:
    turn = budget().take(Venue.OKX, bucket="candles")
    if turn.wait_s: time.sleep(min(turn.wait_s, 0.05))
    else: taken += 1
open(sys.argv[2], "w").write(str(taken))
"""


@pytest.fixture
def half(valkey: "Redis") -> Budget:
    return budget()


def take_all(budget: Budget, venue: Venue, **more: Any) -> int:
    """How many units can be taken at once."""
    taken = 0
    while budget.take(venue, **more).wait_s == 0:
        taken += 1
    return taken


def test_a_tenth_of_the_budget_may_go_at_once(half: Budget) -> None:
    assert take_all(half, Venue.BINANCE) in range(120, 126)  # some flow back meanwhile
    assert take_all(half, Venue.BYBIT) in range(30, 40)


@pytest.mark.parametrize("venue", list(Venue))
@pytest.mark.parametrize("share", [0.05, 0.5, 1.0])
def test_no_window_of_the_venue_ever_holds_more_than_the_share(valkey: "Redis", venue: Venue, share: float) -> None:
    """Burst and what flows back within one window, together."""
    for bucket, limit in LIMITS[venue].items():
        units = limit.units * share
        burst = max(1, int(units * BURST_SHARE))
        flow = Budget(valkey, share).per_second(venue, bucket) * limit.window_s
        assert burst + flow <= max(units, 1.5) + 1e-6


def test_weights_count(half: Budget) -> None:
    assert half.take(Venue.BINANCE, 40).wait_s == 0
    assert take_all(half, Venue.BINANCE) in range(80, 86)
    wait_s = half.take(Venue.BINANCE, 40).wait_s
    assert wait_s == pytest.approx(40 / half.per_second(Venue.BINANCE), rel=0.1)


def test_more_than_the_burst_is_possible_once_the_budget_is_whole(half: Budget) -> None:
    assert half.take(Venue.OKX, 5).wait_s == 0
    assert half.take(Venue.OKX).wait_s > 0


def test_whoever_may_wait_leaves_a_part_to_others(half: Budget) -> None:
    assert take_all(half, Venue.BINANCE, spare=100) in range(20, 24)
    assert take_all(half, Venue.BINANCE) > 90


def test_a_long_row_of_requests_leaves_room_for_a_single_one_that_costs_much(half: Budget) -> None:
    spare = FOR_SINGLE_ONES[Venue.BINANCE]
    while half.take(Venue.BINANCE, spare=spare).wait_s == 0:
        pass
    assert half.take(Venue.BINANCE, cost=MARKS_COST).wait_s == 0
    assert half.take(Venue.BINANCE, spare=spare).wait_s > 0


def test_buckets_are_counted_apart_and_an_unknown_one_is_the_usual(half: Budget) -> None:
    assert take_all(half, Venue.OKX, bucket="candles") >= 2
    assert half.take(Venue.OKX).wait_s == 0
    assert half.take(Venue.BYBIT, 30).wait_s == 0
    assert half.take(Venue.BYBIT, bucket="candles", cost=5).wait_s > 0


def test_a_pause_keeps_everybody_away_from_that_venue_and_the_longer_one_stays(half: Budget) -> None:
    half.pause(Venue.BINANCE, 30, "status 418")
    half.pause(Venue.BINANCE, 1, "status 429")
    turn = half.take(Venue.BINANCE)
    assert turn.paused and turn.wait_s == pytest.approx(30, abs=1)
    assert (half.pause_reason(Venue.BINANCE), half.pause_reason(Venue.OKX)) == ("status 418", "")
    assert half.take(Venue.OKX).wait_s == 0
    half.pause(Venue.OKX, 0.05, "status 429")
    assert half.take(Venue.OKX).paused
    harness.wait_until(lambda: not half.take(Venue.OKX).paused)


def test_without_redis_nobody_asks(settings: Any) -> None:
    redis_client.cache_clear()
    settings.BROKER_URL = "redis+socket:///nowhere/at/all?virtual_host=0"
    try:
        with pytest.raises(BudgetAway):
            Budget(redis_client(), 0.5).take(Venue.OKX)
        with pytest.raises(BudgetAway):
            Budget(redis_client(), 0.5).pause(Venue.OKX, 1, "")
    finally:
        redis_client.cache_clear()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_processes_share_one_budget(processes: harness.Processes, tmp_path: Any) -> None:
    results = [tmp_path / "one", tmp_path / "two"]
    started = [processes.start(sys.executable, "-c", ASK, "2", str(result)) for result in results]
    for process in started:
        assert process.wait(30) == 0
    first, second = (int(result.read_text()) for result in results)
    allowed = LIMITS[Venue.OKX]["candles"]
    assert first > 0 and second > 0
    assert first + second <= allowed.units * 0.5 * 1.5  # 2 s each, but not the same two: at most half a window more
