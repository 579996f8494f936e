"""Conversations as a subscriber sees them: the scripts in conversations/*.txt, played against the real bot."""

from datetime import timedelta

from monitors.thresholds import Severity
from tests.alerts.builders import make_alert, make_signal
from tests.subscribers.conversation import Conversation


def test_first_steps(conversation: Conversation) -> None:
    def a_cascade() -> None:
        make_alert(make_signal(5_230_000, at=conversation.now - timedelta(minutes=3)), Severity.HIGH, pk=17)  # not the next: a stored text names it

    conversation.play("first_steps", {"a cascade of BTC was seen three minutes ago": a_cascade})
