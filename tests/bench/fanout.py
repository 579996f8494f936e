"""How long does it take to write the messages of one alert to 100,000 subscribers? Beside a bare INSERT ... SELECT of as many rows.

`python -m tests.bench.fanout` with the settings of a scratch installation in the environment; prints JSON.
"""

import json
import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from tests.bench import road as roads

from django.core.management import call_command  # isort: skip
from django.db import connection  # isort: skip
from django.utils import timezone  # isort: skip
from alerts import trigger  # isort: skip
from alerts.models import Alert, Delivery  # isort: skip
from monitors import market, recorder  # isort: skip
from monitors.market import Direction, Kind, Venue  # isort: skip
from monitors.thresholds import Severity  # isort: skip
from subscribers.models import Subscriber, Subscription  # isort: skip
from tests import harness  # isort: skip

SUBSCRIBERS = 100_000
SINGLY, FOLDING, LISTED = ("A1", "A2", "A3"), ("A4",), ("A5", "A6", "A7")  # of one market-wide move, in their order
ROWS_EACH = {"singly": 1, "folding": 2 + len(SINGLY), "listed": 1}  # its own, the message, and those of the alerts before
LOW_USD = 100_000


def measure() -> dict[str, Any]:
    """Seconds and rows of an alert that is told singly, of the one that folds three of them, and of one that is listed with them."""
    call_command("migrate", verbosity=0)
    _subscribe()
    with harness.valkey():
        took = {name: [_seconds(partial(_alert, asset)) for asset in assets] for name, assets in (("singly", SINGLY), ("folding", FOLDING), ("listed", LISTED))}
    _check()
    bare = SUBSCRIBERS / statistics.median(_bare(asset) for asset in SINGLY)
    seconds = {name: statistics.median(times) for name, times in took.items()}
    rows_a_second = {name: SUBSCRIBERS * each / seconds[name] for name, each in ROWS_EACH.items()}
    found = {
        name: {"rows": SUBSCRIBERS * ROWS_EACH[name], "s": seconds[name], "rows_a_second": rate, "ratio": rate / bare} for name, rate in rows_a_second.items()
    }
    return {"database": connection.vendor, "subscribers": SUBSCRIBERS, "bare_rows_a_second": bare, "kinds": found}


def _subscribe() -> None:
    """Chats that want every liquidation."""
    chats = [Subscriber(chat_id=roads.FIRST_CHAT + number, title="chat") for number in range(SUBSCRIBERS)]
    Subscriber.objects.bulk_create(chats, batch_size=roads.BATCH)
    wanted = [Subscription(subscriber=chat, kind=kind, asset="", lowest_severity=Severity.LOW) for chat in chats for kind in (Kind.LIQUIDATION, Kind.CASCADE)]
    Subscription.objects.bulk_create(wanted, batch_size=roads.BATCH)
    _analyze()


def _alert(asset: str) -> None:
    """A liquidation, from its signal to the last delivery."""
    now_ms, usd = int(time.time() * 1000), Decimal(LOW_USD)
    signal = market.Signal(Kind.LIQUIDATION, asset, Direction.LONG, usd, 1, {Venue.BINANCE: usd}, 30, now_ms, now_ms, price=Decimal(10))
    recorder.write([(signal, timezone.now())])
    trigger.evaluate(signal.fingerprint)


def _check() -> None:
    """Whether everybody has one message, and it tells of all."""
    folded = Delivery.objects.filter(alert__isnull=False, state=Delivery.State.FOLDED).count()
    wide = Delivery.objects.filter(alert=None, state=Delivery.State.PENDING).count()
    assert (folded, wide) == (SUBSCRIBERS * len((*SINGLY, *FOLDING, *LISTED)), SUBSCRIBERS), (folded, wide)


def _bare(asset: str) -> float:
    """Seconds of one INSERT ... SELECT of an alert's rows, into the table that they were taken from."""
    table, alert = Delivery._meta.db_table, Alert.objects.get(asset=asset).pk
    columns = ", ".join(str(field.column) for field in Delivery._meta.concrete_fields if not field.primary_key)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE kept_{alert} AS SELECT * FROM {table} WHERE alert_id = %s", [alert])
        cursor.execute(f"UPDATE kept_{alert} SET state = %s, move_id = NULL", [Delivery.State.PENDING])
        cursor.execute(f"DELETE FROM {table} WHERE alert_id = %s", [alert])
        _analyze()
        return _seconds(partial(cursor.execute, f"INSERT INTO {table} ({columns}) SELECT {columns} FROM kept_{alert}"))


def _analyze() -> None:
    """What PostgreSQL does by itself within a minute."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    print(json.dumps(measure()))
