"""Whom does a signal concern? One set-based query over what every subscriber wants; `preferences.py` says the same of one."""

from decimal import Decimal

from django.db.models import Expression, FilteredRelation, Q, QuerySet

from monitors.market import Kind
from monitors.thresholds import Severity
from subscribers.models import Subscriber


def wanting(kind: Kind, asset: str | Expression, value: Decimal | Expression, severity: Severity) -> QuerySet[Subscriber]:
    """Active subscribers who want a signal of this kind and asset, with `value` in the kind's unit and judged `severity`.

    A custom threshold (the asset's own, else the any-asset one) has been reached; without one the severity has reached
    the lowest severity (of the asset's own row, else of the any-asset row). BELOW_LOW is for custom thresholds only.
    """
    reached = Q(own__custom_threshold__lte=value) | Q(own__custom_threshold=None, usual__custom_threshold__lte=value)
    if severity > Severity.BELOW_LOW:
        loud_enough = Q(own__lowest_severity__lte=severity) | Q(own__id=None, usual__lowest_severity__lte=severity)
        reached |= Q(own__custom_threshold=None, usual__custom_threshold=None) & loud_enough
    return Subscriber.objects.alias(own=_row(kind, asset), usual=_row(kind, "")).filter(reached, active=True)


def _row(kind: Kind, asset: str | Expression) -> FilteredRelation:
    """The subscriber's one row for exactly this asset ("" = any), joined from the left."""
    return FilteredRelation("subscriptions", condition=Q(subscriptions__kind=kind.value, subscriptions__asset=asset))
