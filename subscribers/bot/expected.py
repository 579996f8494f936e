"""What would somebody have got with these choices? The last alerts with what the price did, and how many in 7 days."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerts.models import Alert, Outcome
from alerts.previews import PERIOD, alerts_for
from subscribers.preferences import Preferences

SHOWN = 3  # alerts
LOOKED_THROUGH = timedelta(days=30)
HORIZONS_MIN = (15, 240)


@dataclass(frozen=True, slots=True)
class Seen:
    """An alert, and what the price did after it over some horizons; a horizon that is not measured yet is there as well."""

    alert: Alert
    outcomes: Sequence[Outcome]


@dataclass(frozen=True, slots=True)
class Expected:
    """The last alerts that would have come, the newest first, and how many there were in the last 7 days."""

    last: Sequence[Seen]
    in_period: int


def expected(preferences: Preferences, now: datetime) -> Expected:
    """Of everybody's alerts those that somebody with these preferences would have got."""
    found = alerts_for(replace(preferences, active=True)).filter(opened_at__lte=now)
    last = found.filter(opened_at__gt=now - LOOKED_THROUGH).select_related("peak").order_by("-opened_at", "-id")[:SHOWN]
    return Expected([Seen(alert, _outcomes(alert)) for alert in last], count(preferences, now))


def count(preferences: Preferences, now: datetime) -> int:
    """How many such alerts there were in the last 7 days."""
    return alerts_for(replace(preferences, active=True)).filter(opened_at__gt=now - PERIOD, opened_at__lte=now).count()


def _outcomes(alert: Alert) -> list[Outcome]:
    measured = {outcome.horizon_min: outcome for outcome in alert.outcomes.all()}
    return [measured.get(horizon) or Outcome(alert=alert, horizon_min=horizon) for horizon in HORIZONS_MIN]
