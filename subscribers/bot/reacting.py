"""What do the buttons under an alert do? Mute its asset or its kind for hours, vote, ask for its chart; a second tap changes nothing."""

from datetime import timedelta

from alerts.charts import ask
from alerts.models import Alert
from alerts.rules.buttons import CHART, MUTE_ASSET, MUTE_H, MUTE_KIND, NOISE, USEFUL, VOTE
from alerts.votes import vote
from monitors.market import Kind
from subscribers import services
from subscribers.bot import texts, texts_reacting
from subscribers.bot.chats import subscriber_of
from subscribers.bot.clock import Clock
from subscribers.bot.screen import Asked, Button, Reply
from subscribers.models import Subscriber
from subscribers.wording import PLURALS


def mute_asset(asked: Asked) -> Reply:
    """Hold back what comes of the alert's asset, for the hours on the button."""
    hours = asked.number(1)
    return _muted(asked, hours, of_kind=False) if hours in MUTE_H else Reply(toast=texts.OLD_BUTTON)


def mute_kind(asked: Asked) -> Reply:
    """Hold back what comes of the alert's kind, of every asset."""
    return _muted(asked, MUTE_H[-1], of_kind=True)


def vote_(asked: Asked) -> Reply:
    """Useful or noise; in a group everybody has a vote."""
    alert_id, opinion = asked.number(0), asked.parts[-1]
    if alert_id is None or opinion not in (USEFUL, NOISE):
        return Reply(toast=texts.OLD_BUTTON)
    subscriber = subscriber_of(asked.chat)
    if subscriber is None:
        return Reply(toast=texts.NOT_SUBSCRIBED)
    useful = opinion == USEFUL
    return Reply(toast=texts_reacting.voted(vote(alert_id, subscriber, asked.person, useful), useful=useful))


def chart(asked: Asked) -> Reply:
    """The chart of the alert, once for this chat."""
    alert, subscriber = _alert(asked), _active(asked)
    if subscriber is None:
        return Reply(toast=texts.NOT_SUBSCRIBED)
    if alert is None:
        return Reply(toast=texts_reacting.NOT_KEPT)
    return Reply(toast=texts_reacting.CHART[ask(alert, subscriber)])


def _muted(asked: Asked, hours: int | None, of_kind: bool) -> Reply:
    alert, subscriber = _alert(asked), _active(asked)
    if subscriber is None:
        return Reply(toast=texts.NOT_SUBSCRIBED)
    if alert is None or hours is None:
        return Reply(toast=texts_reacting.NOT_KEPT)
    until = asked.now + timedelta(hours=hours)
    kind = Kind(alert.kind) if of_kind else None
    try:
        services.mute(subscriber, kind, "" if of_kind else alert.asset, until, asked.now)
    except services.TooMany:
        return Reply(toast=texts_reacting.TOO_MANY)
    return Reply(toast=texts_reacting.muted(PLURALS[kind] if kind else alert.asset, Clock.of(subscriber, asked.now), until))


def _alert(asked: Asked) -> Alert | None:
    return Alert.objects.filter(pk=asked.number(0) or 0).first()


def _active(asked: Asked) -> Subscriber | None:
    found = subscriber_of(asked.chat)
    return found if found is not None and found.active else None


BUTTONS = (
    Button(MUTE_ASSET, mute_asset),
    Button(MUTE_KIND, mute_kind),
    Button(VOTE, vote_, anyone=True),
    Button(CHART, chart, anyone=True),
)
