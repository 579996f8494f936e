"""What does /why say?"""

from collections.abc import Iterator
from datetime import datetime
from html import escape

from alerts.history import latency, line_of
from alerts.models import Delivery
from alerts.rules import why_text
from alerts.why import Why
from monitors.market import epoch_ms
from monitors.models import Signal
from subscribers.bot.clock import Clock
from subscribers.bot.texts_told import step_in_words

FORGOTTEN = "The measurement behind this alert is not kept any more."
NOT_FOR_THIS_CHAT = "Nothing was sent to this chat; /whynot says why"
State = Delivery.State


def why(answer: Why, clock: Clock) -> str:
    """The numbers, who decided, who confirms, and the way of the message."""
    signal = answer.signal
    parts = [
        f"<b>#{answer.alert.pk} {escape(line_of(answer.alert))}</b>",
        _section("Measured", why_text.measured(signal)),
        _section("Decided by", _decided(answer)),
        _section("Venues", why_text.venues(signal)),
        _section("Confirmed", [why_text.confirmation(signal, answer.rule, unconfirmed=answer.decision.unconfirmed)]),
        _section("The way of the message", _way(answer, clock)),
        clock.note,
    ]
    return "\n\n".join(parts)


def _section(title: str, lines: list[str]) -> str:
    return f"<b>{title}</b>\n" + "\n".join(escape(line, quote=False) for line in lines)


def _decided(answer: Why) -> list[str]:
    lines = why_text.judged(answer.signal, answer.rule, answer.decision.step)
    if answer.own_threshold is None:
        return lines
    own = why_text.threshold(answer.own_threshold, answer.signal.unit)
    return [f"Your own threshold: {own} is reached; for you it takes the place of the system's", *lines]


def _way(answer: Why, clock: Clock) -> list[str]:
    """The stamps, each with the milliseconds since the one before it."""
    lines = [f"{name} {clock.milliseconds(at)}{_since(before, at)}" for name, at, before in _stages(answer)]
    step = answer.step
    if step is None:
        return [*lines, NOT_FOR_THIS_CHAT]
    if step.delivery.state != State.SENT:
        return [*lines, step_in_words(step, clock)]
    way = latency(step.delivery)
    return [*lines, f"{way.received_to_sent:,} ms from received to sent"] if way.received_to_sent is not None else lines


def _stages(answer: Why) -> Iterator[tuple[str, datetime, datetime | None]]:
    """Each stamp with its name and the stamp before it."""
    before = None
    for name, at in _stamps(answer):
        if at is not None:
            yield name, at, before
            before = at


def _stamps(answer: Why) -> list[tuple[str, datetime | None]]:
    """Of this chat's delivery; without one those of the signal."""
    of = answer.decision.signal if answer.step is None else answer.step.delivery
    stamps = [("Venue's stamp", of.occurred_at if isinstance(of, Signal) else of.event_at), ("Received", of.received_at), ("Detected", of.detected_at)]
    if isinstance(of, Signal):
        return [*stamps, ("Decided", answer.decision.decided_at)]
    return [*stamps, ("Queued", of.queued_at), ("Sent", of.sent_at)]


def _since(before: datetime | None, at: datetime) -> str:
    if before is None:
        return ""
    ms = epoch_ms(at) - epoch_ms(before)
    return f" (+{ms:,} ms)" if ms >= 0 else f" (−{-ms:,} ms: clocks differ)"  # a venue's may be ahead of ours
