"""How is a delivery written for each of many subscribers? In the database alone, held where a mute, quiet hours or the cap say so."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from alerts.holding import CAP_WINDOW, REASONS, About, holds
from alerts.models import Delivery
from alertsystem.statements import Given, Statement
from monitors.models import Signal
from monitors.thresholds import Severity
from subscribers.models import Subscriber

State = Delivery.State
AT_MOST = 5_000  # rows at once: a fifth of a second on PostgreSQL, so that others are not kept waiting


def expiry_of(severity: Severity, detected_at: datetime) -> datetime:
    """Until when a message of this severity is worth sending."""
    waits: Mapping[str, timedelta] = settings.DELIVERY_EXPIRY
    return detected_at + waits[max(severity, Severity.LOW).name]


def times_of(signal: Signal, severity: Severity) -> dict[str, object]:
    """The stamps of a delivery that a signal gives rise to."""
    expires_at = expiry_of(severity, signal.detected_at)
    return {"event_at": signal.occurred_at, "received_at": signal.received_at, "detected_at": signal.detected_at, "expires_at": expires_at}


def insert(subscribers: QuerySet[Subscriber], severity: Severity, same: Mapping[str, object], now: datetime) -> int:
    """Write a market-wide row for each of at most AT_MOST subscribers; return how many. `same` is what all of them say, by field."""
    return run(insertion(subscribers, severity, None, tuple(same)), same, now)


def run(statement: Statement, values: Mapping[str, object], now: datetime) -> int:
    """Carry out an `insertion`; return how many rows were written."""
    with connection.cursor() as cursor:
        statement.run(cursor, {"queued_at": now, "now": now, "cap_since": now - CAP_WINDOW, **values})
        return int(cursor.rowcount)


def insertion(subscribers: QuerySet[Subscriber], severity: Severity, about: About | None, given: Sequence[str]) -> Statement:
    """INSERT ... SELECT of a row for each of at most AT_MOST subscribers, without one passing through Python; held where one of the `holds` says so.

    `given` are the fields whose values each run gives, the same for all rows.
    """
    # The slice cuts nothing off: it keeps PostgreSQL from working out a hold once for each time it is named below
    chosen = subscribers.annotate(**holds(severity, about, Given("now"), Given("cap_since"))).values_list("pk", *REASONS).order_by("pk")[:AT_MOST]
    select, params = chosen.query.sql_with_params()
    constant = {
        "purpose": Delivery.Purpose.ALERT.value,
        "number": 0,
        "severity": severity,
        "text": "",
        "attempts": 0,
        "unknown_outcomes": 0,
        "revision": 0,
        "live": True,
    }
    values = constant | {name: Given(name) for name in ("queued_at", *given)}
    fields = [field for field in Delivery._meta.concrete_fields if field.name in values]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    until = f"COALESCE({', '.join(f'chosen.{hold}' for hold in REASONS)})"
    sql = f"""
        INSERT INTO {Delivery._meta.db_table} ({columns}, subscriber_id, state, reason, held_until)
        SELECT {", ".join("%s" for _ in fields)}, chosen.pk, CASE WHEN {until} IS NULL THEN %s ELSE %s END,
        CASE {" ".join(f"WHEN chosen.{hold} IS NOT NULL THEN %s" for hold in REASONS)} ELSE '' END, {until}
        FROM ({select}) AS chosen WHERE true ON CONFLICT DO NOTHING
    """
    return Statement(sql, [*(values[field.name] for field in fields), State.PENDING.value, State.HELD.value, *REASONS.values(), *params])
