"""Which market move does an incident belong to, and what does a market-wide message show of it?"""

from django.db.models import Max, Min, Sum

from alerts.models import Alert, Delivery, FanOut, MarketMove
from alerts.rules.market_move import are_together, continues, family_of, stands_alone
from monitors.market import Kind
from monitors.models import Signal
from monitors.thresholds import Severity


def join(alert: Alert, signal: Signal) -> None:
    """Let an incident that has just opened join the running move of its family and direction, or begin one.

    Raises IntegrityError when another worker began one meanwhile: look again. One that opened below LOW joins when it reaches LOW in time.
    """
    if alert.move_id is not None or stands_alone(alert.asset, Severity(alert.severity)) or not are_together(alert.opened_at, signal.received_at):
        return
    move = MarketMove.objects.filter(family=family_of(Kind(alert.kind)), direction=alert.direction, over=False).first()
    if move is not None and not _continues(move, alert):
        MarketMove.objects.filter(pk=move.pk).update(over=True)
        move = None
    alert.move = move or MarketMove.objects.create(family=family_of(Kind(alert.kind)), direction=alert.direction, opened_at=alert.opened_at)
    alert.save(update_fields=["move"])


def revision(move: int) -> int:
    """Rises with each change of what the move's messages may say: an incident changed, or more people are told of one."""
    changes = Alert.objects.filter(move=move).aggregate(revisions=Sum("revision", default=0))
    return int(changes["revisions"]) + FanOut.objects.filter(alert__move=move, done_at__isnull=False).count()


def listed(message: Delivery) -> list[Alert]:
    """The incidents that a subscriber's market-wide message tells, with their peaks."""
    told = Delivery.objects.filter(move=message.move_id, subscriber=message.subscriber_id, alert__isnull=False)
    return list(Alert.objects.select_related("peak").filter(pk__in=told.order_by().values("alert")).order_by("pk"))


def _continues(move: MarketMove, alert: Alert) -> bool:
    times = Alert.objects.filter(move=move).aggregate(first=Min("opened_at"), newest=Max("opened_at"))
    return times["first"] is None or continues(times["first"], times["newest"], alert.opened_at)
