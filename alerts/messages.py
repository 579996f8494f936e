"""What does this delivery say now? The incident as it stands at the moment of sending."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts import companions, market_moves, records
from alerts.digest_message import digest_message
from alerts.incidents import incident_of
from alerts.models import Alert, Delivery
from alerts.rules.buttons import Row, under_alert
from alerts.rules.companion import companion_line
from alerts.rules.lasting import summary_text
from alerts.rules.text import Text, alert_text
from alerts.rules.wide_text import wide_text
from monitors.market import Kind

LATE = timedelta(seconds=30)  # later than this after the detection, the text states its age


@dataclass(frozen=True, slots=True)
class Message:
    """The text, the revision of the alert or market move that it shows (0: of neither), and the buttons under it."""

    text: Text
    revision: int
    keyboard: Sequence[Row] = ()

    @property
    def html(self) -> str:
        """For Telegram."""
        return self.text.html

    @property
    def plain(self) -> str:
        """For the terminal."""
        return self.text.plain


def message_for(delivery: Delivery, now: datetime) -> Message:
    """Render a delivery; its alert and the alert's peak are best selected with it.

    An edit of a sent message keeps the age that the message had when it was sent.
    """
    if delivery.purpose == Delivery.Purpose.DIGEST:
        return Message(digest_message(delivery, now), 0)
    if delivery.purpose == Delivery.Purpose.SUMMARY and delivery.about is not None:
        return Message(summary_text(incident_of(delivery.about)), 0, _buttons(delivery.about, delivery))
    alert = delivery.alert
    age = (delivery.sent_at or now) - (delivery.detected_at or delivery.queued_at)
    late_s = int(age.total_seconds()) if age > LATE else None
    if alert is None and delivery.move_id is not None:
        revision = market_moves.revision(delivery.move_id)  # before we look: what changes meanwhile makes an edit due
        return Message(wide_text(map(incident_of, market_moves.listed(delivery)), late_s=late_s), revision)
    if alert is None:
        headline, *lines = delivery.text.splitlines() or [""]
        return Message(Text(headline, tuple(lines)), 0)
    also = [companion_line(companion) for companion in companions.of(delivery, alert)]
    return Message(text_of(alert, late_s, also), alert.revision, _buttons(alert, delivery))


def text_of(alert: Alert, late_s: int | None = None, also: Sequence[str] = ()) -> Text:
    """The message of an alert as it stands; `late_s` states the age of one that comes late, `also` are the lines of its companions."""
    return alert_text(incident_of(alert), late_s=late_s, record=records.line_of(alert), also=also)


def _buttons(alert: Alert, delivery: Delivery) -> Sequence[Row]:
    return under_alert(alert.pk, alert.asset, Kind(alert.kind), delivery.subscriber.chat_type)
