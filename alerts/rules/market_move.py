"""Does the whole market move? Which incidents belong together, and from how many on they are told in one message."""

from datetime import datetime, timedelta

from monitors.thresholds import Severity

LEAST_ASSETS = 4  # so many that somebody wants, opened within the time below: told in one message
WITHIN = timedelta(minutes=2)
LASTS = timedelta(minutes=10)  # then a message of its own begins: what joins an old one is only an edit, and edits make no sound
ALONE = frozenset({"BTC", "ETH"})


def stands_alone(asset: str, severity: Severity) -> bool:
    """Whether an incident is told by itself, whatever the market does; one below LOW is of interest to few."""
    return asset in ALONE or not Severity.LOW <= severity < Severity.EXTREME


def are_together(one: datetime, other: datetime) -> bool:
    """Whether two incidents that opened then count for the same message. Workers may decide them in either order."""
    return abs(one - other) <= WITHIN


def continues(first: datetime, newest: datetime, opened_at: datetime) -> bool:
    """Whether an incident opened at `opened_at` belongs to the move whose first and newest incidents opened at these times."""
    return are_together(newest, opened_at) and opened_at - first < LASTS
