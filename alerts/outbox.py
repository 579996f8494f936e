"""Who gets a message about this? A fan-out becomes delivery rows, chunk by chunk, in the database alone."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.utils import timezone
from kombu.exceptions import OperationalError

from alerts.models import Delivery, FanOut
from alertsystem.celery import DISPATCH_PRIORITY, enqueue
from monitors.market import Kind
from monitors.thresholds import Severity
from subscribers.models import Subscriber
from subscribers.selectors import wanting

log = logging.getLogger(__name__)
State = Delivery.State
CHUNK = 5_000  # subscribers a transaction: a fifth of a second on PostgreSQL, so that others are not kept waiting
CAP_WINDOW = timedelta(minutes=60)
HOURLY_CAP = {Severity.BELOW_LOW: 10, Severity.LOW: 10, Severity.MODERATE: 10, Severity.HIGH: 30}  # EXTREME is never held
OVER_THE_CAP = "over the hourly cap"
TOO_LATE = "not sent in time"


def fan_out(fan_out: FanOut) -> int:
    """Write the deliveries this fan-out still owes and wake the dispatcher; return how many rows were written.

    May run twice, also at the same time: each chunk and the cursor behind it are one transaction.
    """
    written, done = 0, False
    while not done:
        rows, done = _write_chunk(fan_out.pk)
        if rows:  # the first messages leave while later chunks are written
            wake_dispatcher(Severity(fan_out.severity))
        written += rows
    return written


def resume() -> int:
    """Finish the fan-outs that a dead worker left open; return how many rows were written."""
    return sum(fan_out(left) for left in FanOut.objects.filter(done_at=None).order_by("id"))


def wake_dispatcher(severity: Severity) -> None:
    """Ask for a dispatch, as urgent as the message that waits; without a broker the sweep will."""
    try:
        enqueue("alerts.dispatch", priority=DISPATCH_PRIORITY[severity])
    except OperationalError as error:
        log.warning("The broker cannot be reached, the dispatcher is woken later: %s", error)


def expire_due(now: datetime) -> int:
    """Give up the deliveries that are too old to be useful; return how many."""
    reason = Case(When(reason="", then=Value(TOO_LATE)), default=F("reason"), output_field=CharField())
    return Delivery.objects.filter(state=State.PENDING, expires_at__lte=now).update(state=State.EXPIRED, reason=reason)


def expiry_of(severity: Severity, detected_at: datetime) -> datetime:
    """Until when a message of this severity is worth sending."""
    waits: Mapping[str, timedelta] = settings.DELIVERY_EXPIRY
    return detected_at + waits[max(severity, Severity.LOW).name]


def overtaken() -> Exists:
    """Whether the subscriber has a message of a higher step of the same incident; one that was held back overtakes nothing."""
    same = Delivery.objects.filter(alert=OuterRef("alert"), subscriber=OuterRef("subscriber"), step__gt=OuterRef("step"))
    return Exists(same.exclude(state=State.HELD))


@transaction.atomic
def _write_chunk(fan_out_id: int) -> tuple[int, bool]:
    """Write the deliveries of the next chunk of subscribers; return how many, and whether it was the last."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL jit = off")  # compiling a chunk's statement takes half a second, running it a tenth
    alert = FanOut.objects.filter(pk=fan_out_id).values("alert")
    # Fan-outs of one alert take turns, so that a lower step never misses the higher one written beside it.
    all_of_it = list(FanOut.objects.select_for_update(of=("self",)).select_related("signal").filter(alert__in=alert).order_by("id"))
    fan_out = next((found for found in all_of_it if found.pk == fan_out_id and found.done_at is None), None)
    if fan_out is None:
        return 0, True
    upper = Subscriber.objects.filter(pk__gt=fan_out.cursor).order_by("pk").values_list("pk", flat=True)[CHUNK - 1 : CHUNK].first()
    now = timezone.now()
    written = _insert(fan_out, upper, now)
    if written and len(all_of_it) > 1:
        _supersede(fan_out, upper)
    if upper is None:
        FanOut.objects.filter(pk=fan_out_id).update(done_at=now)
    else:
        FanOut.objects.filter(pk=fan_out_id).update(cursor=upper)
    return written, upper is None


def _insert(fan_out: FanOut, upper: int | None, now: datetime) -> int:
    """INSERT ... SELECT of the chunk's deliveries, without one row passing through Python; return how many."""
    held = _over_the_cap(Severity(fan_out.severity), now)
    # The slice cuts nothing off: it keeps PostgreSQL from working out `held` once for each time it is named below
    chosen = _untold(fan_out, upper).annotate(held=held).values_list("pk", "held").order_by("pk")[:CHUNK]
    select, params = chosen.query.sql_with_params()
    same = _same_for_all(fan_out, now)
    fields = [field for field in Delivery._meta.concrete_fields if field.name in same]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    sql = f"""
        INSERT INTO {Delivery._meta.db_table} ({columns}, subscriber_id, state, reason)
        SELECT {", ".join("%s" for _ in fields)}, chosen.pk, CASE WHEN chosen.held THEN %s ELSE %s END, CASE WHEN chosen.held THEN %s ELSE '' END
        FROM ({select}) AS chosen WHERE true ON CONFLICT DO NOTHING
    """
    stored = [field.get_db_prep_save(same[field.name], connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*stored, State.HELD.value, State.PENDING.value, OVER_THE_CAP, *params])
        return int(cursor.rowcount)


def _untold(fan_out: FanOut, upper: int | None) -> QuerySet[Subscriber]:
    """Who of the chunk wants the signal and was not told in this incident at this step or a higher one."""
    signal = fan_out.signal
    # The chunk's bounds again, so that no database looks through all that were told
    told = Delivery.objects.filter(_chunk("subscriber", fan_out, upper), alert=fan_out.alert_id, subscriber=OuterRef("pk"), step__gte=fan_out.step)
    wanted = wanting(Kind(signal.kind), signal.asset, signal.value, Severity(fan_out.severity))
    return wanted.filter(~Exists(told), _chunk("pk", fan_out, upper))


def _chunk(field: str, fan_out: FanOut, upper: int | None) -> Q:
    """The chunk's subscribers: after the cursor, up to `upper` (None: to the end)."""
    after = Q(**{f"{field}__gt": fan_out.cursor})
    return after if upper is None else after & Q(**{f"{field}__lte": upper})


def _same_for_all(fan_out: FanOut, now: datetime) -> dict[str, object]:
    """What every new row of this fan-out says, by field."""
    signal = fan_out.signal
    return {
        "alert": fan_out.alert_id, "severity": fan_out.severity, "step": fan_out.step, "event_at": signal.occurred_at, "received_at": signal.received_at,
        "detected_at": signal.detected_at, "queued_at": now, "expires_at": expiry_of(Severity(fan_out.severity), signal.detected_at),
        "text": "", "attempts": 0, "unknown_outcomes": 0, "revision": 0, "live": True,
    }  # fmt: skip


def _over_the_cap(severity: Severity, now: datetime) -> Combinable:
    """Whether the subscriber has as many messages of the last hour as the cap of this severity allows; tests do not count."""
    if severity not in HOURLY_CAP:
        return Value(False)
    recent = Delivery.objects.filter(subscriber=OuterRef("pk"), alert__isnull=False, queued_at__gt=now - CAP_WINDOW).exclude(state=State.HELD)
    last_allowed = HOURLY_CAP[severity] - 1
    return Case(When(capped=True, then=Exists(recent[last_allowed : last_allowed + 1])), default=Value(False))


def _supersede(fan_out: FanOut, upper: int | None) -> None:
    """The unsent lower steps of the chunk's subscribers are not worth sending any more."""
    lower = Delivery.objects.filter(_chunk("subscriber", fan_out, upper), alert=fan_out.alert_id, step__lt=fan_out.step)
    lower.filter(overtaken(), state__in=(State.PENDING, State.HELD)).update(state=State.SUPERSEDED, reason="a higher step followed")
