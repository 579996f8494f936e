"""Who gets the chart of an alert? Everybody who got it at HIGH or EXTREME and wants charts, and whoever asks; it is drawn once."""

import importlib
import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from alerts import outbox
from alerts.chart_data import NoPicture, picture_of
from alerts.chart_rows import THERE, charts
from alerts.models import Alert, Chart, Delivery
from alerts.rules.chart import Picture, caption
from alertsystem import ending
from alertsystem.celery import USUAL, enqueue_if_possible
from monitors.lease import Held
from monitors.thresholds import Severity
from subscribers.models import Subscriber

State = Delivery.State
LOUD = Severity.HIGH  # from here on the chart comes by itself
RECENT = timedelta(minutes=20)  # texts are sent for 15 minutes at most
EXPIRY = timedelta(minutes=15)  # after it was asked for, or is there to be sent
GIVE_UP_AFTER = timedelta(minutes=3)  # of trying to draw it while venues do not answer
TRY_AGAIN_AFTER = timedelta(minutes=5)  # when it is asked for once more after it could not be drawn
PATIENCE_S = 5.0
SLICE_S = 15.0
LEASE_S = 15.0  # renewed from alert to alert; when venues hang for longer, another worker draws once more
AT_MOST = 1_000  # rows at a time
PICTURES_KEPT = timedelta(days=30)


class Wish(StrEnum):
    """What becomes of a wish for a chart."""

    COMING = "coming"  # it is drawn, or on its way already
    THERE = "there"  # this chat has it
    NO_DATA = "no data"
    NOT_HERE = "not here"  # not a chat that can show pictures


def ask(alert: Alert, subscriber: Subscriber) -> Wish:
    """Let a chat have the chart of an alert, once; it is drawn by housekeeping and sent by the dispatcher, after all that is more urgent."""
    if subscriber.channel != Subscriber.Channel.TELEGRAM:
        return Wish.NOT_HERE
    now = timezone.now()
    with transaction.atomic():
        chart, _ = Chart.objects.get_or_create(alert=alert)
        if chart.failed and chart.asked_at > now - TRY_AGAIN_AFTER:
            return Wish.NO_DATA
        earlier = charts().filter(about=alert, subscriber=subscriber).first()
        if earlier is not None and earlier.state == State.SENT:
            return Wish.THERE
        if earlier is not None and earlier.state in (State.PENDING, State.SENDING):
            return Wish.COMING
        if not _is_there(chart):
            Chart.objects.filter(pk=chart.pk).update(failed="", drawn_at=None, asked_at=now)
        if earlier is None:
            Delivery.objects.bulk_create([_row(alert, subscriber.pk, now)], ignore_conflicts=True)
        else:
            again = {"state": State.PENDING, "reason": "", "text": "", "attempts": 0, "unknown_outcomes": 0, "claimed_at": None}
            charts().filter(pk=earlier.pk, state=earlier.state).update(**again, queued_at=now, expires_at=now + EXPIRY)
        transaction.on_commit(_hint)
    return Wish.COMING


def follow_up(now: datetime, slice_s: float = SLICE_S) -> int:
    """Draw what is wanted and not drawn yet, and write the rows of those who got the text by now; returns how many rows. One worker at a time."""
    lease, until = Held("charts", LEASE_S), time.monotonic() + slice_s
    if not lease.acquire():
        return 0
    written = 0
    try:
        for alert in _wanted(now):
            if time.monotonic() >= until or ending.is_ending() or not lease.renew():
                break
            chart = _drawn(alert, now)
            if chart.failed:
                _say_that_there_is_none(chart)
            elif _is_there(chart):
                written += _write(alert, now)
                outbox.wake_dispatcher(Severity.LOW)
    finally:
        lease.release()
    return written


def prune(now: datetime) -> int:
    """Forget old pictures; Telegram keeps those that were sent, and any can be drawn again while its data is there."""
    return Chart.objects.filter(drawn_at__lt=now - PICTURES_KEPT, png__isnull=False).update(png=None)


def _wanted(now: datetime) -> Iterator[Alert]:
    """The alerts of which somebody waits for a chart, the most severe first: those that were asked for, and the loud ones of the last minutes."""
    asked = charts().filter(~THERE, state=State.PENDING, text="")
    yield from Alert.objects.filter(pk__in=asked.values("about")).select_related("peak").order_by("-severity", "pk")
    for alert in Alert.objects.filter(severity__gte=LOUD, changed_at__gt=now - RECENT).select_related("peak").order_by("-severity", "pk"):
        if not Chart.objects.filter(alert=alert).exclude(failed="").exists() and _without(alert, now):
            yield alert


def _without(alert: Alert, now: datetime) -> list[int]:
    """The chats that were told of the alert, want a chart, and have no row for one.

    Two sets in place of one query: planners make a bad guess at it in a burst. Telegram's limits keep them to some thousands.
    """
    told = Delivery.objects.filter(alert=alert, step__gte=LOUD, state=State.SENT, sent_at__gt=now - RECENT)
    wanting = told.filter(subscriber__charts=True, subscriber__active=True, subscriber__channel=Subscriber.Channel.TELEGRAM)
    chats = set(wanting.order_by().values_list("subscriber", flat=True))
    return sorted(chats - set(charts().filter(about=alert).order_by().values_list("subscriber", flat=True))) if chats else []


def _write(alert: Alert, now: datetime) -> int:
    """The rows of all who were told by now and have none."""
    chats = _without(alert, now)
    Delivery.objects.bulk_create([_row(alert, chat, now) for chat in chats], ignore_conflicts=True, batch_size=AT_MOST)
    return len(chats)


def _row(alert: Alert, subscriber_id: int, now: datetime) -> Delivery:
    return Delivery(
        purpose=Delivery.Purpose.CHART, about=alert, subscriber_id=subscriber_id, severity=Severity.BELOW_LOW, queued_at=now, expires_at=now + EXPIRY
    )  # fmt: skip


def _drawn(alert: Alert, now: datetime) -> Chart:
    """The alert's chart, drawn if that was not done yet; neither drawn nor failed while venues do not answer."""
    chart, _ = Chart.objects.get_or_create(alert=alert)
    if chart.failed or _is_there(chart):
        return chart
    try:
        picture = picture_of(alert, now, PATIENCE_S)
    except NoPicture as none:
        chart.failed = "" if none.later and chart.asked_at > now - GIVE_UP_AFTER else none.reason
        chart.save(update_fields=["failed"])
        return chart
    chart.png, chart.caption, chart.file_id, chart.drawn_at = _draw(picture), caption(picture, alert.asset), "", timezone.now()
    chart.save(update_fields=["png", "caption", "file_id", "drawn_at"])
    return chart


def _is_there(chart: Chart) -> bool:
    return chart.drawn_at is not None and (chart.png is not None or bool(chart.file_id))


def _draw(picture: Picture) -> bytes:
    """As PNG. Only here the library is loaded: half a second, and 60 MB that no other process shall have."""
    os.environ.setdefault("MPLCONFIGDIR", str(settings.DATA_DIR / "matplotlib"))  # where it keeps its list of fonts; else it looks for a home
    png: bytes = importlib.import_module("alerts.drawing").draw(picture)
    return png


def _say_that_there_is_none(chart: Chart) -> None:
    """Whoever asked gets an answer in words."""
    asked = charts().filter(about=chart.alert_id, state=State.PENDING, text="")
    if asked.update(text=f"No chart of alert {chart.alert_id}: {chart.failed}."):
        outbox.wake_dispatcher(Severity.LOW)


def _hint() -> None:
    enqueue_if_possible("alerts.follow_up_charts", priority=USUAL)
