"""Does what is too old go, in chunks, and does the rest stay?"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from alertsystem import pruning
from monitors.market import epoch_ms
from monitors.models import CandleRow, Liquidation, Market, OpenInterestSample, PriceCandle, Signal
from monitors.retention import prune, surplus

NOW = datetime(2026, 7, 1, 12, 3, 20, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def market(symbol: str = "BTCUSDT") -> Market:
    return Market.objects.create(venue="binance", venue_symbol=symbol, symbol="BTC/USDT:USDT", asset="BTC", refreshed_at=NOW)


def sample(of: Market, at: datetime) -> None:
    OpenInterestSample.objects.create(market=of, oi_base=Decimal(1), occurred_at=at, received_at=at)


def times(of: Market) -> list[datetime]:
    return list(OpenInterestSample.objects.filter(market=of).order_by("occurred_at").values_list("occurred_at", flat=True))


def test_the_first_sample_of_each_five_minutes_stays() -> None:
    start = epoch_ms(datetime(2026, 7, 1, 12, tzinfo=UTC))
    samples = [(minute, start + minute * 60_000 + 3_000) for minute in range(-2, 11)]
    assert surplus(samples) == [-1, 1, 2, 3, 4, 6, 7, 8, 9]


@pytest.mark.django_db
def test_samples_are_whole_for_8_days_and_5_minute_points_for_90() -> None:
    of = market()
    recent = [NOW - MINUTE * minute for minute in range(12)]
    older = [NOW - 9 * DAY - MINUTE * minute for minute in range(12)]
    ancient = [NOW - 91 * DAY - MINUTE * minute for minute in range(12)]
    for at in recent + older + ancient:
        sample(of, at)
    assert prune(NOW) == (12 + 9, True)
    kept = times(of)
    assert set(recent) <= set(kept)
    assert [at for at in kept if at < NOW - 8 * DAY] == [NOW - 9 * DAY - MINUTE * minute for minute in (11, 8, 3)]


@pytest.mark.django_db
def test_a_day_later_only_the_new_part_is_thinned() -> None:
    of = market()
    sample(of, NOW - 9 * DAY)
    prune(NOW)
    of.refresh_from_db()
    assert of.thinned_until == datetime(2026, 6, 23, 12, tzinfo=UTC)
    for minute in range(4):
        sample(of, of.thinned_until + MINUTE * minute)
    assert prune(NOW + DAY) == (3, True)
    assert len(times(of)) == 2


@pytest.mark.django_db
def test_candles_go_after_90_days() -> None:
    of = market()
    for days in (1, 89, 91):
        CandleRow.objects.create(market=of, opened_at=NOW - days * DAY, open=1, close=1, volume_usd=1, closed=True, received_at=NOW)
    assert prune(NOW) == (1, True)
    assert CandleRow.objects.count() == 2


@pytest.mark.django_db
def test_price_candles_go_with_the_liquidations() -> None:
    for days in (1, 29, 31):
        PriceCandle.objects.create(venue="okx", asset="BTC", opened_at=NOW - days * DAY, open=1, high=1, low=1, close=1)
    assert prune(NOW) == (1, True)
    assert PriceCandle.objects.count() == 2


@pytest.mark.django_db
def test_the_retention_is_a_setting(settings: Any) -> None:
    settings.OI_FULL_DAYS, settings.OI_POINTS_DAYS = 1, 2
    of = market()
    for minute in range(3):
        sample(of, NOW - MINUTE * minute)
        sample(of, NOW - 1.5 * DAY - MINUTE * minute)
        sample(of, NOW - 3 * DAY - MINUTE * minute)
    prune(NOW)
    assert len(times(of)) == 3 + 1


@pytest.mark.django_db
def test_a_slice_that_ends_early_says_so_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "CHUNK", 2)
    of = market()
    for minute in range(5):
        sample(of, NOW - 100 * DAY - MINUTE * minute)
    assert prune(NOW, slice_s=0) == (0, False)
    assert prune(NOW) == (5, True)


@pytest.mark.django_db
def test_pruning_takes_liquidations_and_signals_that_are_older_than_the_retention_and_belong_to_no_alert(settings: Any) -> None:
    settings.LIQUIDATION_RETENTION_DAYS = 7
    now, one = timezone.now(), Decimal(1)
    for days in (1, 6, 8, 30):
        at = now - timedelta(days=days)
        Liquidation.objects.create(
            venue="okx",
            symbol="BTC/USDT:USDT",
            asset="BTC",
            position_side="LONG",
            price=one,
            quantity_base=one,
            notional_usd=one,
            occurred_at=at,
            received_at=at,
        )
        for decided in (at, None):
            Signal.objects.create(
                kind="cascade", asset=f"A{days}", direction="LONG", fingerprint=f"{days} {decided}", value=one, count=1, venues={}, window_s=30, episode=1,
                number=1, listed_on=1, occurred_at=at, received_at=at, detected_at=at, decided_at=decided,
            )  # fmt: skip
    assert prune(now) == (4, True)
    assert Liquidation.objects.count() == 2
    assert Signal.objects.filter(decided_at=None).count() == 4
