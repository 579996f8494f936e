"""What became of a message to this chat, in words?"""

from alerts.models import Delivery
from alerts.outbox import TOO_LATE
from alerts.told import Step
from subscribers.bot.clock import Clock

State = Delivery.State
ON_ITS_WAY = "on its way"


def step_in_words(step: Step, clock: Clock) -> str:
    """ "sent at 14:05:12", "held back (muted), told in the digest of 16:00:00": plain text."""
    delivery, told_at = step.delivery, step.told_at
    match delivery.state:
        case State.SENT:
            return f"sent at {clock.seconds(delivery.sent_at)}" if delivery.sent_at else "sent"
        case State.FOLDED if step.host is not None:
            at = f", {clock.seconds(told_at)}" if told_at else ""
            return f"told in the message of alert {step.host}{at}"
        case State.FOLDED:
            return f"told in the market-wide message of {clock.seconds(told_at)}" if told_at else "part of a market-wide message"
        case State.HELD:
            return f"held back ({delivery.reason}){_digest(step, clock)}"
        case State.PENDING | State.SENDING:
            return ON_ITS_WAY
        case State.UNKNOWN:
            return "Telegram gave no clear answer: it may have arrived, or not"
        case State.EXPIRED:
            why = f" ({delivery.reason})" if delivery.reason not in ("", TOO_LATE) else ""
            return f"{TOO_LATE}{why}{_digest(step, clock)}"
    return f"not sent: {delivery.reason or delivery.state}{_digest(step, clock)}"


def _digest(step: Step, clock: Clock) -> str:
    if step.told_at is not None:
        return f", told in the digest of {clock.seconds(step.told_at)}"
    due = step.delivery.held_until
    return f", the digest comes at {clock.minutes(due)}" if due is not None else ""
