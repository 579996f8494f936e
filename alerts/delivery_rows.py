"""How is a delivery written for each of many subscribers? In the database alone, held where a mute, quiet hours or the cap say so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Case, Q, QuerySet, When

from alerts.holding import CAP_WINDOW, REASONS, About, holds
from alerts.models import Delivery
from alertsystem.statements import Among, Given, Statement
from monitors.models import Signal
from monitors.thresholds import Severity
from subscribers.models import Subscriber

State = Delivery.State
AT_MOST = 5_000  # rows at once: a fifth of a second on PostgreSQL, so that others are not kept waiting
ENDLESS = 2**63 - 1  # no subscriber's number is larger
FOLDED = "told in the market-wide message"
NEW = {"purpose": Delivery.Purpose.ALERT.value, "number": 0, "text": "", "attempts": 0, "unknown_outcomes": 0, "revision": 0, "live": True}  # by field


@dataclass(frozen=True, slots=True)
class Chunk:
    """The subscribers of one transaction: those after `after`, up to `upper` (None: to the end)."""

    after: int
    upper: int | None

    def of(self, field: str) -> Q:
        """Whether the subscriber that `field` names is one of them."""
        after = Q(**{f"{field}__gt": self.after})
        return after if self.upper is None else after & Q(**{f"{field}__lte": self.upper})

    def values(self) -> dict[str, int]:
        """For queries that are `in_chunk`."""
        return {"after": self.after, "upper": ENDLESS if self.upper is None else self.upper}


def in_chunk(field: str) -> Q:
    """Whether the subscriber that `field` names is one of the chunk whose `values` a run gives."""
    return Q(**{f"{field}__gt": Given("after"), f"{field}__lte": Given("upper")})


def expiry_of(severity: Severity, detected_at: datetime) -> datetime:
    """Until when a message of this severity is worth sending."""
    waits: Mapping[str, timedelta] = settings.DELIVERY_EXPIRY
    return detected_at + waits[max(severity, Severity.LOW).name]


def times_of(signal: Signal, severity: Severity) -> dict[str, object]:
    """The stamps of a delivery that a signal gives rise to."""
    expires_at = expiry_of(severity, signal.detected_at)
    return {"event_at": signal.occurred_at, "received_at": signal.received_at, "detected_at": signal.detected_at, "expires_at": expires_at}


def insertion(subscribers: QuerySet[Subscriber], severity: Severity, about: About | None, given: Sequence[str], *, folding: bool = False) -> Statement:
    """INSERT ... SELECT of a row for each of at most AT_MOST subscribers, without one passing through Python; held where one of the `holds` says so.

    `given` are the fields whose values each run gives, the same for all rows. With `folding` a run also gives the numbers of those
    who are told in the market-wide message of `move`: their rows are folded, unless they are muted. Answers with subscribers and states.
    """
    annotations = dict(holds(severity, about, Given("now"), Given("cap_since")))
    if folding:  # what is folded does not count for the cap, and finding out takes most of the time
        annotations |= {"listed": Among("pk", "listed"), "cap_ends": Case(When(Among("pk", "listed"), then=None), default=annotations["cap_ends"])}
    # The slice cuts nothing off: it keeps PostgreSQL from working out a hold once for each time it is named below
    select, params = subscribers.annotate(**annotations).values_list("pk", *annotations).order_by("pk")[:AT_MOST].query.sql_with_params()
    values = {**NEW, "severity": severity, **{name: Given(name) for name in ("queued_at", *given)}}
    fields = [field for field in Delivery._meta.concrete_fields if field.name in values]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    until, folded = f"COALESCE({', '.join(f'chosen.{hold}' for hold in REASONS)})", "chosen.listed AND chosen.mute_ends IS NULL" if folding else "false"
    sql = f"""
        INSERT INTO {Delivery._meta.db_table} ({columns}, subscriber_id, state, reason, held_until{", move_id" if folding else ""})
        SELECT {", ".join("%s" for _ in fields)}, chosen.pk, CASE WHEN {folded} THEN %s WHEN {until} IS NULL THEN %s ELSE %s END,
        CASE WHEN {folded} THEN %s {" ".join(f"WHEN chosen.{hold} IS NOT NULL THEN %s" for hold in REASONS)} ELSE '' END,
        CASE WHEN {folded} THEN NULL ELSE {until} END{f", CASE WHEN {folded} THEN %s END" if folding else ""}
        FROM ({select}) AS chosen WHERE true ON CONFLICT DO NOTHING {"RETURNING subscriber_id, state" if folding else ""}
    """
    states, move = (State.FOLDED.value, State.PENDING.value, State.HELD.value), [Given("move")] if folding else []
    return Statement(sql, [*(values[field.name] for field in fields), *states, FOLDED, *REASONS.values(), *move, *params])


def insert(statement: Statement, values: Mapping[str, object], now: datetime) -> int:
    """Carry out an `insertion`; return how many rows were written."""
    with connection.cursor() as cursor:
        statement.run(cursor, _with_times(values, now))
        return int(cursor.rowcount)


def insert_folding(statement: Statement, values: Mapping[str, object], now: datetime) -> tuple[int, set[int]]:
    """Carry out an `insertion` with `folding`; return how many rows were written, and to whom the folded ones are."""
    with connection.cursor() as cursor:
        statement.run(cursor, _with_times(values, now))
        written = cursor.fetchall()
    return len(written), {subscriber for subscriber, state in written if state == State.FOLDED}


def _with_times(values: Mapping[str, object], now: datetime) -> Mapping[str, object]:
    return {"queued_at": now, "now": now, "cap_since": now - CAP_WINDOW, **values}
