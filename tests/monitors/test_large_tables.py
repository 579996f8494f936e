"""What is asked every minute or second: does it look through a table of millions of rows?"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from monitors import backfill_store, record_rows
from monitors.models import BackfillCursor, Market

LARGE = ("monitors_openinterestsample", "monitors_candlerow")
NOW = timezone.now()


@pytest.fixture
def contract() -> Market:
    return Market.objects.create(venue="okx", venue_symbol="BTC-USDT-SWAP", symbol="BTC/USDT:USDT", asset="BTC", refreshed_at=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize("ask", [lambda: backfill_store.waiting(NOW), lambda: list(record_rows.arrived_since(NOW - timedelta(seconds=30)))])
def test_samples_and_candles_are_found_by_their_contract_and_time(contract: Market, ask: Callable[[], object]) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL reads a small table whole whatever its indexes")
    BackfillCursor.objects.create(market=contract, feed="open_interest", from_at=NOW, began_at=NOW, reached_at=NOW, updated_at=NOW)
    with CaptureQueriesContext(connection) as asked:
        ask()
    questions = [query["sql"] for query in asked.captured_queries if any(table in query["sql"] for table in LARGE)]
    assert questions
    with connection.cursor() as cursor:
        for question in questions:
            cursor.execute(f"EXPLAIN QUERY PLAN {question}")
            assert not [step for *_, step in cursor.fetchall() if step.startswith("SCAN")], question
