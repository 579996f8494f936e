"""Conversations as a subscriber sees them: the scripts in conversations/*.txt, played against the real bot."""

from datetime import timedelta

from monitors.market import Kind
from monitors.models import Market
from monitors.thresholds import Severity
from subscribers import services
from subscribers.models import Subscriber
from tests.alerts.builders import make_alert, make_signal
from tests.subscribers import stories
from tests.subscribers.conversation import PEOPLE, Conversation


def test_first_steps(conversation: Conversation) -> None:
    def a_cascade() -> None:
        make_alert(make_signal(5_230_000, at=conversation.now - timedelta(minutes=3)), Severity.HIGH, pk=17)  # not the next: a stored text names it

    conversation.play("first_steps", {"a cascade of BTC was seen three minutes ago": a_cascade})


def test_looking_back(conversation: Conversation) -> None:
    def a_cascade_that_was_told() -> None:
        Market.objects.create(venue="bybit", venue_symbol="BTCUSDT", symbol="BTC/USDT:USDT", asset="BTC", refreshed_at=conversation.now)
        told = stories.cascade_of_longs(conversation.now)
        stories.sent(Subscriber.objects.get(), told, told.peak, Severity.HIGH)

    def a_muted_cascade() -> None:
        muted = stories.cascade_of_longs(conversation.now, "ETH")
        hold = {"state": "held", "reason": "muted", "held_until": conversation.now + timedelta(minutes=20), "sent_at": None}
        stories.sent(Subscriber.objects.get(), muted, muted.peak, Severity.HIGH, **hold)

    def many_others() -> None:
        for minutes in range(9, 0, -1):
            kind = Kind.CASCADE if minutes % 2 else Kind.LIQUIDATION
            made = stories.signal(conversation.now, minutes, 1_800_000, f"COIN{minutes}", kind)
            stories.decided(make_alert(made, Severity.MODERATE, opened_at=made.received_at), made, "opened", Severity.MODERATE)

    def ann_has_subscribed() -> None:
        services.subscribe_chat(PEOPLE["Ann"], "private", "Ann Example")
        conversation.pass_time(hours=1)

    stage = {
        "Ann subscribed an hour ago": ann_has_subscribed,
        "a cascade of BTC is told to Ann": a_cascade_that_was_told,
        "one of ETH is held back": a_muted_cascade,
        "nine others are not for her": many_others,
    }
    conversation.play("looking_back", stage)
