"""What was this alert, and why did it come? /alert and /why, also as links in lists and as a button under an alert."""

from alerts import told
from alerts.effectiveness import outcomes_of
from alerts.history import turning_points
from alerts.models import Alert
from alerts.rules.buttons import WHY, under_alert
from alerts.votes import votes_of
from alerts.why import why
from monitors.market import Kind
from monitors.thresholds import Severity
from subscribers.bot import texts_alert, texts_why
from subscribers.bot.chats import subscriber_of
from subscribers.bot.clock import Clock
from subscribers.bot.screen import Asked, Button, Command, Reply
from subscribers.models import Subscriber


def alert_(asked: Asked) -> Reply:
    """What happened, what the price did, and what this chat heard of it."""
    subscriber = subscriber_of(asked.chat)
    alert = find(asked.args, subscriber)
    if alert is None:
        return Reply(texts_alert.not_found(asked.args, "alert"))
    steps = told.steps(alert, subscriber) if subscriber is not None else None
    points, others = turning_points(alert)
    text = texts_alert.alert(alert, points, others, outcomes_of(alert), steps, votes_of(alert), Clock.of(subscriber, asked.now))
    return Reply(text, under_alert(alert.pk, alert.asset, Kind(alert.kind), asked.chat.type))


def why_(asked: Asked) -> Reply:
    """The exact numbers, the rule that decided, and the way of this chat's message."""
    subscriber = subscriber_of(asked.chat)
    alert = find(asked.args, subscriber)
    if alert is None:
        return Reply(texts_alert.not_found(asked.args, "why"))
    answer = why(alert, subscriber)
    if answer is None:
        return Reply(texts_why.FORGOTTEN)
    return Reply(texts_why.why(answer, Clock.of(subscriber, asked.now)))


def find(text: str, subscriber: Subscriber | None) -> Alert | None:
    """The alert of a number such as 17 or #17, without one the newest that the subscriber has heard of; None when there is none for this chat.

    One below LOW is for those whose own threshold was passed.
    """
    if not text:
        return told.newest(subscriber) if subscriber is not None else None
    number = text.removeprefix("#")
    if not number.isdecimal() or len(number) > 18:
        return None
    alert = Alert.objects.select_related("peak").filter(pk=number).first()
    if alert is None or alert.severity > Severity.BELOW_LOW:
        return alert
    return alert if subscriber is not None and alert.deliveries.filter(subscriber=subscriber).exists() else None


COMMANDS = (
    Command("alert", alert_, "all about an alert: /alert 17, without a number the newest that this chat got"),
    Command("why", why_, "why an alert came, in exact numbers: /why 17, without a number the newest that this chat got"),
)
BUTTONS = (Button(WHY, why_, changes=False, anyone=True),)
