"""What does a digest say at the moment of sending? One line for each incident that it still has to tell of, as the incident stands."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from django.db.models import QuerySet

from alerts import companions, market_moves
from alerts.digests import told_louder
from alerts.incidents import incident_of
from alerts.models import Alert, Delivery, Outcome
from alerts.rules.digest import MOST_LINES, NOT_IN_TIME, Held, digest_text, in_digest
from alerts.rules.outcome import in_words
from alerts.rules.text import Text
from alerts.rules.wide_text import loudest, wide_story
from monitors.thresholds import Severity
from subscribers.zones import local

State = Delivery.State
HORIZON_MIN = 15  # after which what came of an incident is told


def is_empty(digest: Delivery) -> bool:
    """Whether nothing is left to tell: what was held has been told louder meanwhile."""
    return not _left(digest).exists()


def digest_message(digest: Delivery, now: datetime) -> Text:
    """The text, with times on the subscriber's clock; of too many incidents the most severe, in the order of time."""
    highest: dict[tuple[int | None, int | None], Delivery] = {}
    for row in (*_left(digest).select_related("alert", "move").order_by("step", "pk"), *_lost_companions(digest)):
        highest[row.alert_id, row.move_id if row.alert_id is None else None] = row
    rows = sorted(highest.values(), key=lambda row: (-row.severity, _opened_at(row), row.pk))
    shown = sorted(rows[:MOST_LINES], key=lambda row: (_opened_at(row), row.pk))
    reasons = Counter(row.reason if row.state == State.HELD else NOT_IN_TIME for row in rows)
    zone = digest.subscriber.time_zone
    return digest_text(_lines(shown, zone), len(rows) - len(shown), dict(reasons.most_common()), zone, local(now, zone))


def _left(digest: Delivery) -> "QuerySet[Delivery]":
    return digest.told.filter(~told_louder(), state__in=(State.HELD, State.EXPIRED))


def _lost_companions(digest: Delivery) -> "QuerySet[Delivery]":
    """What would have been lines of the messages that were not sent in time."""
    hosts = _left(digest).filter(state=State.EXPIRED, alert__isnull=False).values("alert")
    return companions.unshown(hosts).filter(subscriber=digest.subscriber_id).select_related("alert", "move").order_by("step", "pk")


def _opened_at(row: Delivery) -> datetime:
    story = row.alert or row.move
    return row.queued_at if story is None else story.opened_at


def _lines(rows: list[Delivery], zone: str) -> list[Held]:
    alerts = Alert.objects.select_related("peak").in_bulk([row.alert_id for row in rows if row.alert_id])
    outcomes = Outcome.objects.filter(alert__in=alerts, horizon_min=HORIZON_MIN)
    came_of = {outcome.alert_id: in_words(outcome) for outcome in outcomes}
    return [_line(row, alerts, came_of.get(row.alert_id or 0, ""), zone) for row in rows]


def _line(row: Delivery, alerts: Mapping[int, Alert], came_of: str, zone: str) -> Held:
    """A market-wide move as its message has it, which may be due to what was told before."""
    if row.alert_id:
        what, severity = in_digest(incident_of(alerts[row.alert_id])), Severity(row.severity)
    else:
        found = list(map(incident_of, market_moves.listed(row)))
        what, severity = wide_story(found), loudest(found)
    return Held(local(_opened_at(row), zone), what, severity, in_time=row.state == State.HELD, came_of=came_of)
