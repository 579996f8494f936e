"""How is a delivery written for each of many subscribers? In the database alone, held where the hourly cap is reached."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Case, Exists, Expression, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable

from alerts.models import Delivery
from alertsystem.prepared import Sql
from monitors.models import Signal
from monitors.thresholds import Severity
from subscribers.models import Subscriber
from subscribers.preferences import HOURLY_CAP, Verdict

State = Delivery.State
AT_MOST = 5_000  # rows at once: a fifth of a second on PostgreSQL, so that others are not kept waiting
CAP_WINDOW = timedelta(minutes=60)


def expiry_of(severity: Severity, detected_at: datetime) -> datetime:
    """Until when a message of this severity is worth sending."""
    waits: Mapping[str, timedelta] = settings.DELIVERY_EXPIRY
    return detected_at + waits[max(severity, Severity.LOW).name]


def times_of(signal: Signal, severity: Severity) -> dict[str, object]:
    """The stamps of a delivery that a signal gives rise to."""
    expires_at = expiry_of(severity, signal.detected_at)
    return {"event_at": signal.occurred_at, "received_at": signal.received_at, "detected_at": signal.detected_at, "expires_at": expires_at}


def insert(subscribers: QuerySet[Subscriber], severity: Severity, same: Mapping[str, object], now: datetime) -> int:
    """Write a row for each of at most AT_MOST subscribers; return how many. See `chosen` and `insert_chosen`."""
    return insert_chosen(chosen(subscribers, severity, now - CAP_WINDOW).query.sql_with_params(), severity, same, now)


def chosen(subscribers: QuerySet[Subscriber], severity: Severity, cap_since: datetime | Expression) -> "QuerySet[Subscriber, tuple[int, bool]]":
    """Of each subscriber the id, and whether the cap of this severity holds the message back."""
    held = over_the_cap(OuterRef("pk"), severity, cap_since)
    # The slice cuts nothing off: it keeps PostgreSQL from working out `held` once for each time it is named below
    return subscribers.annotate(held=held).values_list("pk", "held").order_by("pk")[:AT_MOST]


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
    sql = f"""
        INSERT INTO {Delivery._meta.db_table} ({columns}, subscriber_id, state, reason)
        SELECT {", ".join("%s" for _ in fields)}, chosen.pk, CASE WHEN chosen.held THEN %s ELSE %s END, CASE WHEN chosen.held THEN %s ELSE '' END
        FROM ({select}) AS chosen WHERE true ON CONFLICT DO NOTHING
    """
    stored = [field.get_db_prep_save(values[field.name], connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*stored, State.HELD.value, State.PENDING.value, Verdict.OVER_THE_CAP.value, *params])
        return int(cursor.rowcount)


def over_the_cap(subscriber: OuterRef, severity: Severity, since: datetime | Expression) -> Combinable:
    """Whether `subscriber` has as many messages from `since` on as the hourly cap of this severity allows; tests do not count."""
    if severity not in HOURLY_CAP:
        return Value(False)
    of_the_market = Q(alert__isnull=False) | Q(move__isnull=False)
    recent = Delivery.objects.filter(of_the_market, subscriber=subscriber, queued_at__gt=since).exclude(state__in=(State.HELD, State.FOLDED))
    last_allowed = HOURLY_CAP[severity] - 1
    return Case(When(capped=True, then=Exists(recent[last_allowed : last_allowed + 1])), default=Value(False))
