"""Who gets a message about this? A fan-out becomes delivery rows, chunk by chunk, in the database alone."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from django.db import transaction
from django.db.models import Case, CharField, DateTimeField, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from alerts import companions, delivery_rows, folding
from alerts.chart_rows import OTHERS, charts
from alerts.delivery_rows import Chunk, in_chunk
from alerts.models import Delivery, FanOut
from alertsystem.celery import DISPATCH_PRIORITY, enqueue_if_possible
from alertsystem.prepared import Call, Given, Prepared, PreparedUpdate, insert
from alertsystem.statements import Statement
from monitors.market import Direction, Kind
from monitors.thresholds import Severity
from subscribers.models import Subscriber
from subscribers.selectors import wanting

State, Purpose = Delivery.State, Delivery.Purpose
CHUNK = delivery_rows.AT_MOST  # subscribers a transaction
TOO_LATE = "not sent in time"
UNTOLD = Q(digest=None) | Exists(Delivery.objects.filter(pk=OuterRef("digest"), state=State.PENDING))  # what a digest has told it has told

ALL_OF_ITS_ALERT = Prepared(
    lambda: (
        FanOut.objects.select_for_update(of=("self",))
        .select_related("signal", "alert")
        .filter(alert__in=FanOut.objects.filter(pk=Given("pk")).values("alert"))
        .order_by("id")
    )
)
SUPERSEDE = PreparedUpdate(
    lambda: Delivery.objects.filter(
        in_chunk("subscriber"), overtaken(), UNTOLD, alert=Given("alert"), step__lt=Given("step"), state__in=(State.PENDING, State.HELD)
    ),
    state=State.SUPERSEDED, reason="a higher step followed", held_until=None,
)  # fmt: skip
DONE = PreparedUpdate(lambda: FanOut.objects.filter(pk=Given("pk")), done_at=Given("now"))


def begin(fan_out: FanOut, *before: Call) -> int:
    """Store a fan-out with the first chunk of its deliveries, in the transaction in which its incident opens; return how many rows were written.

    Nobody else knows of the incident yet, so nobody else writes for it. `before` are executed just before, in the same message.
    """
    now = timezone.now()
    chunk = Chunk(0, folding.take_turn(fan_out.alert, _last_of_chunk(CHUNK), cursor=0))
    fan_out.cursor, fan_out.done_at = chunk.upper or 0, now if chunk.upper is None else None
    insert(fan_out, *before)
    return _tell(fan_out, chunk, now, alone=True)


def fan_out(fan_out: FanOut, written: int = 0) -> int:
    """Write the deliveries this fan-out still owes and wake the dispatcher, for the rows `written` before as well; return how many there are now.

    May run twice, also at the same time: each chunk and the cursor behind it are one transaction.
    """
    if written:
        wake_dispatcher(Severity(fan_out.severity))
    if fan_out.done_at is not None:
        return written
    for first in companions.unfinished(fan_out):
        _write_all(first)
    return written + _write_all(fan_out)


def _write_all(fan_out: FanOut) -> int:
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
    enqueue_if_possible("alerts.dispatch", priority=DISPATCH_PRIORITY[severity])


def expire_due(now: datetime) -> int:
    """Give up the deliveries that are too old to be useful; return how many. The next digest tells of them; if they are digests, of the same as they."""
    # Charts and all others have each an index of what waits; nobody waits for a writer with nothing to write
    both = (kind.filter(state=State.PENDING, expires_at__lte=now) for kind in (Delivery.objects.filter(OTHERS), charts()))
    return sum(_expire(due, now) for due in both if due.exists())


@transaction.atomic
def _expire(due: "QuerySet[Delivery]", now: datetime) -> int:
    Delivery.objects.filter(digest__in=due.filter(purpose=Purpose.DIGEST)).update(digest=None)
    reason = Case(When(reason="", then=Value(TOO_LATE)), default=F("reason"), output_field=CharField())
    told_by_the_next = Case(When(purpose=Purpose.ALERT, then=Value(now)), default=F("held_until"), output_field=DateTimeField())
    return due.update(state=State.EXPIRED, reason=reason, held_until=told_by_the_next)


def overtaken() -> Exists:
    """Whether the subscriber has a message of a higher step of the same incident; one that was held back overtakes nothing."""
    same = Delivery.objects.filter(alert=OuterRef("alert"), subscriber=OuterRef("subscriber"), step__gt=OuterRef("step"))
    return Exists(same.exclude(state=State.HELD))


@transaction.atomic
def _write_chunk(fan_out_id: int) -> tuple[int, bool]:
    """Write the deliveries of the next chunk of subscribers; return how many, and whether it was the last."""
    # Fan-outs of one alert take turns, so that a lower step never misses the higher one written beside it.
    all_of_it = ALL_OF_ITS_ALERT.rows(pk=fan_out_id)
    fan_out = next((found for found in all_of_it if found.pk == fan_out_id and found.done_at is None), None)
    if fan_out is None:
        return 0, True
    chunk = Chunk(fan_out.cursor, folding.take_turn(fan_out.alert, _last_of_chunk(CHUNK), cursor=fan_out.cursor))
    now = timezone.now()
    written = _tell(fan_out, chunk, now, alone=len(all_of_it) == 1)
    if chunk.upper is None:
        DONE.run(pk=fan_out_id, now=now)
    else:
        FanOut.objects.filter(pk=fan_out_id).update(cursor=chunk.upper)
    return written, chunk.upper is None


def _tell(fan_out: FanOut, chunk: Chunk, now: datetime, *, alone: bool) -> int:
    """Write the deliveries to the subscribers of the chunk who have to be told; return how many. `alone`: the alert has no other fan-out."""
    signal, severity, found = fan_out.signal, Severity(fan_out.severity), folding.folding_of(fan_out, chunk)
    same = {"alert": fan_out.alert_id, "step": fan_out.step, **delivery_rows.times_of(signal, severity)}
    statement = _telling(
        Kind(signal.kind), severity, Direction(signal.direction), fan_out.unconfirmed, tuple(same), folding=found is not None, bounded=chunk.upper is not None
    )
    values = {**same, **chunk.values(), "asset": signal.asset, "value": signal.value}
    if found is None:
        written, folded = delivery_rows.insert(statement, values, now), set[int]()
    else:
        written, folded = delivery_rows.insert_folding(statement, {**values, **found.for_insertion()}, now)
    if written and not alone:
        SUPERSEDE.run(**chunk.values(), alert=fan_out.alert_id, step=fan_out.step)
    if found is not None and folded:
        folding.fold(fan_out, found, folded, now)
    if written:
        companions.fold(fan_out, chunk.of("subscriber"), now)
    return written


@cache
def _telling(kind: Kind, severity: Severity, direction: Direction, unconfirmed: bool, given: Sequence[str], *, folding: bool, bounded: bool) -> Statement:
    """What writes a row for who of the chunk wants the signal and was not told in this incident at this step or a higher one."""

    def in_chunk(field: str) -> Q:
        """Its subscribers. Half of the bounds PostgreSQL guesses well without their values, both not at all."""
        after = Q(**{f"{field}__gt": Given("after")})
        return after & Q(**{f"{field}__lte": Given("upper", decides_plan=True)}) if bounded else after

    # The chunk's bounds again, so that no database looks through all that were told
    told = Delivery.objects.filter(in_chunk("subscriber"), alert=Given("alert"), subscriber=OuterRef("pk"), step__gte=Given("step"))
    wanted = wanting(kind, Given("asset"), Given("value"), severity, direction, unconfirmed=unconfirmed)
    return delivery_rows.insertion(wanted.filter(~Exists(told), in_chunk("pk")), severity, (kind.value, Given("asset")), given, folding=folding)


@cache
def _last_of_chunk(size: int) -> Prepared[int]:
    """The last subscriber of a whole chunk after the cursor; none when less are left."""
    return Prepared(lambda: Subscriber.objects.filter(pk__gt=Given("cursor")).order_by("pk").values_list("pk", flat=True)[size - 1 : size])
