"""Whom does a signal concern, and what does somebody want? One set-based query over all subscribers; the preferences of one, now and as of then."""

from datetime import datetime
from decimal import Decimal

from django.db.models import Expression, FilteredRelation, Q, QuerySet

from monitors.market import Direction, Kind
from monitors.thresholds import Severity
from subscribers import snapshots
from subscribers.models import OFF, Preset, Subscriber
from subscribers.preferences import Choice, Preferences, QuietHours


def wanting(
    kind: Kind, asset: str | Expression, value: Decimal | Expression, severity: Severity, direction: Direction = Direction.NONE, *, unconfirmed: bool = False
) -> QuerySet[Subscriber]:
    """Active subscribers who want a signal of this kind and asset, with `value` in the kind's unit and judged `severity`; `preferences.wish_for` of all.

    A custom threshold (the asset's own, else the any-asset one unless the asset is switched off) has been reached; without one
    the severity has reached the lowest severity (of the asset's own row, else of the any-asset row). BELOW_LOW is for custom
    thresholds only. The same row decides on the direction, where the signal has one.
    """
    usual_counts = Q(own__id=None) | Q(own__custom_threshold=None, own__lowest_severity__lt=OFF)
    reached = Q(own__custom_threshold__lte=value) | usual_counts & Q(usual__custom_threshold__lte=value)
    if severity > Severity.BELOW_LOW:
        loud_enough = Q(own__lowest_severity__lte=severity) | Q(own__id=None, usual__lowest_severity__lte=severity)
        reached |= Q(own__custom_threshold=None, usual__custom_threshold=None) & loud_enough
    if direction:
        either = ["", direction.value]
        reached &= Q(own__direction__in=either) | Q(own__id=None, usual__direction__in=either)
    if unconfirmed:
        reached &= Q(confirmed_only=False)
    return Subscriber.objects.alias(own=_row(kind, asset), usual=_row(kind, "")).filter(reached, active=True)


def preferences_of(subscriber: Subscriber) -> Preferences:
    """What the subscriber wants now; mutes that are over may be among it."""
    begin, end = subscriber.quiet_from, subscriber.quiet_until
    return Preferences(
        choices=choices_of(subscriber),
        active=subscriber.active,
        confirmed_only=subscriber.confirmed_only,
        capped=subscriber.capped,
        time_zone=subscriber.time_zone,
        quiet=QuietHours(begin, end, subscriber.quiet_lets_through) if begin is not None and end is not None else None,
        mutes={(mute.kind, mute.asset): mute.until for mute in subscriber.mutes.all()},
    )


def choices_of(owner: Subscriber | Preset) -> dict[tuple[Kind, str], Choice]:
    """What a subscriber or a preset wants of each kind and asset."""
    rows = owner.subscriptions.all() if isinstance(owner, Subscriber) else owner.choices.all()
    return {(Kind(row.kind), row.asset): Choice(row.lowest_severity, row.custom_threshold, row.direction) for row in rows}


def preferences_as_of(subscriber: Subscriber, at: datetime) -> Preferences | None:
    """What the subscriber wanted then; None when that is not known: it was not subscribed yet."""
    change = subscriber.changes.filter(at__lte=at).order_by("-at", "-pk").first()
    return None if change is None else snapshots.of_json(change.wanted)


def _row(kind: Kind, asset: str | Expression) -> FilteredRelation:
    """The subscriber's one row for exactly this asset ("" = any), joined from the left."""
    return FilteredRelation("subscriptions", condition=Q(subscriptions__kind=kind.value, subscriptions__asset=asset))
