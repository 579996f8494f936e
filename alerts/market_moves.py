"""Which market move does an incident belong to, and what does a market-wide message show of it?"""

from django.db.models import Max, Min, Sum

from alerts.models import Alert, Delivery, FanOut, MarketMove
from alerts.rules.market_move import are_together, continues, family_of, stands_alone
from alertsystem.prepared import Given, Prepared
from monitors.market import Kind
from monitors.models import Signal
from monitors.thresholds import Severity

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


def listed(message: Delivery) -> list[Alert]:
    """The incidents that a subscriber's market-wide message tells, with their peaks."""
    told = Delivery.objects.filter(move=message.move_id, subscriber=message.subscriber_id, alert__isnull=False)
    return list(Alert.objects.select_related("peak").filter(pk__in=told.order_by().values("alert")).order_by("pk"))
