"""What is stored with a signal?"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from monitors import recorder
from monitors.models import Market, OpenInterestSample, Signal
from tests.builders import make_signal

NOW = datetime(2026, 7, 11, 12, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def scanned(price: str, age: timedelta, venue: str = "bybit") -> None:
    market, _ = Market.objects.get_or_create(venue=venue, venue_symbol="BTCUSDT", symbol="BTC/USDT:USDT", asset="BTC", refreshed_at=NOW)
    OpenInterestSample.objects.create(market=market, oi_base=Decimal(1), mark_price=Decimal(price), occurred_at=NOW - age, received_at=NOW - age)


def stored_details() -> dict[str, str]:
    details: dict[str, str] = Signal.objects.get().details
    return details


def test_without_binances_mark_the_last_one_that_a_scan_brought_is_kept() -> None:
    scanned("62000", timedelta(minutes=2))
    scanned("62310.5", timedelta(minutes=1), venue="okx")
    recorder.write([(make_signal(), NOW)])
    assert stored_details()["mark_price"] == "62310.5"


def test_binances_mark_comes_first() -> None:
    scanned("62000", timedelta(minutes=1))
    recorder.write([(make_signal(details={"mark_price": "62400"}), NOW)])
    assert stored_details()["mark_price"] == "62400"


def test_an_old_mark_is_no_price() -> None:
    scanned("62000", timedelta(minutes=4))
    recorder.write([(make_signal(), NOW)])
    assert "mark_price" not in stored_details()
