"""What is asked every minute or second: does it look through a table of millions of rows?"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from monitors import backfill_store, record_rows
from monitors.models import BackfillCursor, Market
from tests.plans import read_whole

LARGE = {"monitors_openinterestsample", "monitors_candlerow"}
NOW = timezone.now()


@pytest.mark.django_db
@pytest.mark.parametrize("ask", [lambda: backfill_store.waiting(NOW), lambda: list(record_rows.arrived_since(NOW - timedelta(seconds=30)))])
def test_samples_and_candles_are_found_by_their_contract_and_time(ask: Callable[[], object]) -> None:
    contract = Market.objects.create(venue="okx", venue_symbol="BTC-USDT-SWAP", symbol="BTC/USDT:USDT", asset="BTC", refreshed_at=NOW)
    BackfillCursor.objects.create(market=contract, feed="open_interest", from_at=NOW, began_at=NOW, reached_at=NOW, updated_at=NOW)
    assert not LARGE.intersection(read_whole(ask))
