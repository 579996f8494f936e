"""Rows that are written without model instances are those that Django would have written."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DataError, connection, transaction
from django.utils import timezone

from alertsystem.bulk import BulkInsert
from monitors.market import Direction, Kind
from monitors.models import Signal

pytestmark = pytest.mark.django_db

NOW = timezone.now()
VALUES: dict[str, Any] = {
    "kind": Kind.CASCADE, "asset": "BTC", "direction": Direction.LONG, "fingerprint": "liquidations:BTC:LONG", "value": Decimal("1234567.123456789012345"),
    "count": 7, "venues": {"okx": "12.5", "über": "'; --"}, "window_s": 30, "episode": 1, "number": 2, "listed_on": 3, "price": None,
    "details": {"chart": "OKX:BTCUSDT.P", "more": None}, "occurred_at": NOW - timedelta(microseconds=1), "received_at": NOW, "detected_at": NOW,
}  # fmt: skip
SIGNALS = BulkInsert(Signal, *VALUES)


def row(**fields: Any) -> list[Any]:
    return list({**VALUES, **fields}.values())


def stored() -> list[dict[str, Any]]:
    return [{**found, "id": None} for found in Signal.objects.order_by("received_at").values()]


def test_each_kind_of_value_is_stored_as_django_stores_it() -> None:
    Signal.objects.create(**VALUES)
    ours, later = {"price": Decimal("0.000000123456")}, NOW + timedelta(seconds=1)
    Signal.objects.create(**{**VALUES, **ours, "received_at": later})
    expected = stored()
    Signal.objects.all().delete()
    SIGNALS.write([row(), row(**ours, received_at=later)])
    assert stored() == expected


def test_a_row_that_is_there_already_stays_as_it_is() -> None:
    SIGNALS.write([row()])
    SIGNALS.write([row(count=8), row(count=9, asset="ETH", fingerprint="other")])
    assert sorted(Signal.objects.values_list("asset", "count")) == [("BTC", 7), ("ETH", 9)]


def test_no_rows_are_no_trouble_and_many_are_no_more() -> None:
    SIGNALS.write([])
    SIGNALS.write([row(received_at=NOW + timedelta(milliseconds=number)) for number in range(3_000)])
    assert Signal.objects.count() == 3_000


def test_one_that_does_not_fit_keeps_all_of_them_out() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite looks at no length")
    with pytest.raises(DataError), transaction.atomic():
        SIGNALS.write([row(), row(asset="A" * 33, fingerprint="other")])
    assert not Signal.objects.exists()
