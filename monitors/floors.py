"""From which value on were signals kept, and since when? Remembered at each change of rules and custom thresholds."""

from datetime import datetime
from decimal import Decimal

from django.db.models import Q

from monitors.market import Kind, from_epoch_ms
from monitors.models import FloorPeriod
from monitors.selectors import rulebook, rulebook_of
from monitors.thresholds import Rulebook

ALWAYS = from_epoch_ms(0)  # since before anything was remembered
Floors = dict[tuple[Kind, str], Decimal | None]


def remember(now: datetime) -> None:
    """Write down the floors in force now, where they are others than before. Called before and after a change, so that what was in force is known."""
    book, running = rulebook(), {(Kind(row.kind), row.asset): row for row in FloorPeriod.objects.filter(until=None)}
    floors, since = _in_force(book, set(running)), now if running else ALWAYS
    changed = [key for key, value in floors.items() if key not in running or running[key].value != value]
    ended = [running[key].pk for key in changed if key in running]
    FloorPeriod.objects.filter(pk__in=ended, until=None).update(until=now)
    begun = [FloorPeriod(kind=kind.value, asset=asset, value=floors[kind, asset], since=since) for kind, asset in changed]  # type: ignore[misc]  # may be null
    FloorPeriod.objects.bulk_create(begun, ignore_conflicts=True)  # another process may have written them meanwhile


def kept_since(kind: Kind, asset: str, value: Decimal, now: datetime) -> datetime | None:
    """Since when, without a gap, signals of this value and more are kept; `ALWAYS` as far as is known, None when they are not.

    `asset` "" asks of those that have neither a rule nor a custom threshold of their own.
    """
    remember(now)
    periods = FloorPeriod.objects.filter(kind=kind.value).order_by("-since")
    own = list(periods.filter(asset=asset)) if asset else []
    before = periods.filter(asset="")
    since: datetime | None = None
    for period in [*own, *(before.filter(since__lt=own[-1].since) if own else before)]:
        if period.value is None or period.value > value:
            break
        since = period.since
    return since


def in_force_at(asset: str, moment: datetime) -> dict[Kind, Decimal | None]:
    """From which value on signals of an asset were kept then, by kind; None where its rule was off.

    What was not remembered yet counts as it is now.
    """
    periods = FloorPeriod.objects.filter(Q(until=None) | Q(until__gt=moment), asset__in=["", asset], since__lte=moment)
    remembered, now = {(Kind(row.kind), row.asset): row.value for row in periods}, _in_force(rulebook_of(asset), set())
    then = {kind: remembered if any(kind is of for of, _ in remembered) else now for kind in Kind}
    return {kind: floors.get((kind, asset), floors.get((kind, ""))) for kind, floors in then.items()}


def _in_force(book: Rulebook, remembered: set[tuple[Kind, str]]) -> Floors:
    """The floor of each kind and asset that has a rule or a custom threshold of its own, or had one; None where the rule is off."""
    keys = {*book.rules, *book.custom_floors, *remembered}
    rules = {(kind, asset): book.rule(kind, asset) for kind, asset in keys}
    return {(kind, asset): None if (rule := rules[kind, asset]) is None else book.floor(rule, asset) for kind, asset in keys}
