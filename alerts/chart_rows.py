"""Which rows are charts to send, and what does the dispatcher need of them? A chart's row waits until its picture is there."""

from django.db.models import Q, QuerySet

from alerts.channels.base import Photo
from alerts.models import Chart, Delivery

State = Delivery.State
OTHERS = ~Q(purpose=Delivery.Purpose.CHART)  # of deliveries: what goes before charts
THERE = Q(about__chart__drawn_at__isnull=False) & (Q(about__chart__png__isnull=False) | Q(about__chart__file_id__gt=""))  # the picture: here, or with Telegram


def charts() -> QuerySet[Delivery]:
    """Every chart that was sent to somebody, or shall be."""
    return Delivery.objects.filter(purpose=Delivery.Purpose.CHART)


def is_photo(delivery: Delivery) -> bool:
    """Whether it is a picture; a chart that could not be drawn is told in words."""
    return delivery.purpose == Delivery.Purpose.CHART and not delivery.text


def photo_of(delivery: Delivery) -> Photo:
    """The picture for one chat, as an answer to the message that brought the alert."""
    assert delivery.about is not None
    chart = delivery.about.chart
    png = b"" if chart.file_id else bytes(chart.png or b"")
    return Photo(chart.caption, chart.file_id, png, _message_of(delivery))


def remember(delivery: Delivery, file_id: str) -> None:
    """What Telegram calls the picture from now on: no other chat needs it uploaded."""
    if file_id:
        Chart.objects.filter(alert=delivery.about_id).exclude(file_id=file_id).update(file_id=file_id)


def forget(delivery: Delivery) -> None:
    """Telegram does not know the picture (another token?): it is uploaded anew, and drawn anew when it is not here any more."""
    assert delivery.about is not None
    Chart.objects.filter(alert=delivery.about_id, file_id=delivery.about.chart.file_id).update(file_id="")


def _message_of(delivery: Delivery) -> int | None:
    """The newest message of the alert in this chat: its own, the market-wide one, or that of the alert whose companion it is."""
    about = delivery.about
    assert about is not None
    told = Q(alert=about) | Q(alert=about.companion_of_id, alert__isnull=False) | Q(alert=None, move=about.move_id, move__isnull=False)
    sent = Delivery.objects.filter(told, subscriber=delivery.subscriber_id, state=State.SENT, message_id__isnull=False)
    return sent.order_by("-sent_at").values_list("message_id", flat=True).first()
