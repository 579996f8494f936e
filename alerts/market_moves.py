"""Which market move does an incident belong to, and what does a market-wide message show of it?"""

from datetime import datetime, timedelta

from django.db.models import Max, Min, Sum

from alerts.models import Alert, Delivery, FanOut, MarketMove
from alerts.rules.market_move import are_together, continues, stands_alone
from alerts.rules.text import SCANNED
from alertsystem.prepared import Given, Prepared
from monitors.market import Kind, family_of
from monitors.models import Signal
from monitors.thresholds import Severity

GROWS_FOR = timedelta(seconds=3)  # that a message waits for more of its move at most
RUNNING = Prepared(
    lambda: MarketMove.objects.filter(family=Given("family"), direction=Given("direction"), over=False).annotate(
        first=Min("alerts__opened_at"), newest=Max("alerts__opened_at")
    )
)


def join(alert: Alert, signal: Signal) -> None:
    """Let an incident that has just opened join the running move of its family and direction, or begin one; it is not saved yet.

    Raises IntegrityError when another worker began one meanwhile: look again. One that opened below LOW joins when it reaches LOW in time.
    """
    if alert.move_id is not None or stands_alone(alert.asset, Severity(alert.severity)) or not are_together(alert.opened_at, signal.received_at):
        return
    family = family_of(Kind(alert.kind))
    move = RUNNING.first(family=family, direction=alert.direction)
    if move is not None and move.first is not None and not continues(move.first, move.newest, alert.opened_at):
        MarketMove.objects.filter(pk=move.pk).update(over=True)
        move = None
    alert.move = move or MarketMove.objects.create(family=family, direction=alert.direction, opened_at=alert.opened_at)


def revision(move: int) -> int:
    """Rises with each change of what the move's messages may say: an incident changed, or more people are told of one."""
    changes = Alert.objects.filter(move=move).aggregate(revisions=Sum("revision", default=0))
    return int(changes["revisions"]) + FanOut.objects.filter(alert__move=move, done_at__isnull=False).count()


def growing(message: Delivery, now: datetime) -> MarketMove | None:
    """The move of a fresh message of which more is about to be told: one scan raises many assets at once, and they are decided one after the other.

    None when it may be sent: nothing is left to decide, it stands alone, or it has waited long enough.
    """
    move = message.move or (message.alert.move if message.alert else None)
    if move is None or move.family not in SCANNED or message.severity >= Severity.EXTREME or message.queued_at <= now - GROWS_FOR:
        return None
    undecided = Signal.objects.filter(decided_at=None, kind=move.family, direction=move.direction)
    untold = FanOut.objects.filter(done_at=None, alert__move=move)
    return move if undecided.exists() or untold.exists() else None


def listed(message: Delivery) -> list[Alert]:
    """The incidents that a subscriber's market-wide message tells, with their peaks."""
    told = Delivery.objects.filter(move=message.move_id, subscriber=message.subscriber_id, alert__isnull=False)
    return list(Alert.objects.select_related("peak").filter(pk__in=told.order_by().values("alert")).order_by("pk"))
