"""How is a delivery written for each of many subscribers? In the database alone, held where a mute, quiet hours or the cap say so."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from alerts.holding import CAP_WINDOW, REASONS, About, Moment, holds
from alerts.models import Delivery
from alertsystem.prepared import Sql
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
    """Write a market-wide row for each of at most AT_MOST subscribers; return how many. See `chosen` and `insert_chosen`."""
    return insert_chosen(chosen(subscribers, severity, None, now, now - CAP_WINDOW).query.sql_with_params(), severity, same, now)


def chosen(
    subscribers: QuerySet[Subscriber], severity: Severity, about: About | None, now: Moment, cap_since: Moment
) -> "QuerySet[Subscriber, tuple[int, datetime | None, datetime | None, datetime | None]]":
    """Of each subscriber the id, and until when each of the holds keeps the message back (see `holds`)."""
    # The slice cuts nothing off: it keeps PostgreSQL from working out a hold once for each time it is named below
    return subscribers.annotate(**holds(severity, about, now, cap_since)).values_list("pk", *REASONS).order_by("pk")[:AT_MOST]


def insert_chosen(statement: Sql, severity: Severity, same: Mapping[str, object], now: datetime) -> int:
    """INSERT ... SELECT of a row for each that `statement`, a compiled `chosen`, finds, without one passing through Python; return how many.

    `same` is what else all of them say, by field.
    """
    select, params = statement
    values = {
        "purpose": Delivery.Purpose.ALERT.value,
        "number": 0,
        "severity": severity,
        "text": "",
        "attempts": 0,
        "unknown_outcomes": 0,
        "revision": 0,
        "live": True,
        "queued_at": now,
        **same,
    }
    fields = [field for field in Delivery._meta.concrete_fields if field.name in values]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    until = f"COALESCE({', '.join(f'chosen.{hold}' for hold in REASONS)})"
    sql = f"""
        INSERT INTO {Delivery._meta.db_table} ({columns}, subscriber_id, state, reason, held_until)
        SELECT {", ".join("%s" for _ in fields)}, chosen.pk, CASE WHEN {until} IS NULL THEN %s ELSE %s END,
        CASE {" ".join(f"WHEN chosen.{hold} IS NOT NULL THEN %s" for hold in REASONS)} ELSE '' END, {until}
        FROM ({select}) AS chosen WHERE true ON CONFLICT DO NOTHING
    """
    stored = [field.get_db_prep_save(values[field.name], connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*stored, State.PENDING.value, State.HELD.value, *REASONS.values(), *params])
        return int(cursor.rowcount)
