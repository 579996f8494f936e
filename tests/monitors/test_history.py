"""Is what is usual for an asset worked out from its own past?"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from monitors.detectors.own_changes import Reading, own_ladder
from monitors.detectors.own_history import History
from monitors.history import update_own_histories
from monitors.models import BackfillCursor, Market, OpenInterestSample, OwnHistory

STEP_MS, T0 = 300_000, 1_780_000_200_000 // 300_000 * 300_000
NOW = timezone.now()
MINUTE = timedelta(minutes=1)


def readings(coins: Sequence[float], price: float | None = 100.0, first: int = 0, step_ms: int = STEP_MS) -> list[Reading]:
    return [Reading(T0 + (first + index) * step_ms, amount, price) for index, amount in enumerate(coins)]


def wave(length: int) -> list[float]:
    return [1_000 + index * 7919 % 13 for index in range(length)]


def test_the_ladder_is_that_of_the_replay_on_the_same_points() -> None:
    coins, history = wave(3_000), History()
    for before, after in zip(coins, coins[3:], strict=False):
        history.add((after / before - 1) * 100, 0.0)
    ladder = own_ladder([readings(coins)])
    assert ladder == history.ladder()


def test_only_contracts_at_both_ends_are_summed() -> None:
    whole, late = readings([1_000.0] * 10), readings([500.0] * 5, first=5)
    assert own_ladder([whole, late]).high == 0, "a contract that appears is no change"
    assert own_ladder([whole]).days == pytest.approx(7 / 288)


def test_minute_samples_count_as_5_minute_points() -> None:
    minutes = readings([1_000.0 + index for index in range(60)], step_ms=60_000)
    assert own_ladder([minutes]).days == pytest.approx(9 / 288)


def test_one_halved_answer_is_no_history() -> None:
    coins = [1_000.0] * 40
    coins[20] = 500.0
    assert own_ladder([readings(coins)]).high == 0


def test_a_jump_that_the_next_reading_confirms_is_history() -> None:
    assert own_ladder([readings([1_000.0] * 20 + [2_000.0] * 20)]).high == pytest.approx(100)


def test_the_usual_price_move_is_that_of_the_largest_contract_with_prices() -> None:
    still = readings([10.0] * 8)
    moving = [Reading(reading.at_ms, 1_000.0, 100.0 * 1.01**index) for index, reading in enumerate(still)]
    unpriced = readings([9_000.0] * 8, price=None)
    assert own_ladder([still, moving, unpriced]).usual_price_move == pytest.approx((1.01**3 - 1) * 100)


def test_nothing_gives_an_empty_ladder() -> None:
    assert own_ladder([]).days == 0


def market(asset: str, venue: str = "okx") -> Market:
    return Market.objects.create(
        venue=venue, venue_symbol=f"{asset}-{venue}", symbol=f"{asset}/USDT:USDT", asset=asset, turnover_usd=1, refreshed_at=NOW
    )  # fmt: skip


def samples(of: Market, count: int, until: Any = NOW) -> None:
    OpenInterestSample.objects.bulk_create([
        OpenInterestSample(market=of, oi_base=Decimal(str(coins)), mark_price=Decimal(5), occurred_at=until - 5 * MINUTE * back, received_at=until)
        for back, coins in enumerate(wave(count))
    ])  # fmt: skip


@pytest.mark.django_db
def test_ladders_are_stored_for_the_scanned_assets_and_worked_out_again_after_an_hour(settings: Any) -> None:
    settings.ASSETS = []
    for asset in ("BTC", "ETH"):
        samples(market(asset), 300)
    assert update_own_histories(NOW) == (2, True)
    row = OwnHistory.objects.get(asset="BTC")
    assert row.days == pytest.approx(297 / 288) and row.updated_at == NOW
    assert 0 < row.low <= row.moderate <= row.high
    assert update_own_histories(NOW + 40 * MINUTE) == (0, True)
    assert update_own_histories(NOW + 60 * MINUTE) == (2, True)


@pytest.mark.django_db
def test_a_past_that_has_just_been_filled_in_counts_at_the_next_look() -> None:
    of = market("BTC")
    samples(of, 10)
    update_own_histories(NOW)
    samples(of, 600, until=NOW - 60 * MINUTE)
    BackfillCursor.objects.create(market=of, feed="open_interest", from_at=NOW, began_at=NOW, reached_at=NOW, done=True, updated_at=NOW + MINUTE)
    assert update_own_histories(NOW + 10 * MINUTE) == (1, True)
    assert OwnHistory.objects.get().days > 2


@pytest.mark.django_db
def test_a_slice_that_ends_early_says_so_and_the_oldest_comes_first() -> None:
    for asset in ("BTC", "ETH"):
        samples(market(asset), 10)
    assert update_own_histories(NOW, slice_s=0) == (0, False)
    update_own_histories(NOW)
    OwnHistory.objects.filter(asset="ETH").delete()
    assert update_own_histories(NOW + MINUTE) == (1, True)
