"""What quiet hours hold back and let through, and what comes when they are over: a conversation with the real bot."""

from datetime import datetime, timedelta
from decimal import Decimal

from alerts import trigger
from alerts.models import Alert, Outcome
from alerts.tasks import tell_held
from monitors.market import Direction, Kind, Venue, fingerprint_of
from monitors.models import Signal
from tests.alerts.builders import make_signal
from tests.alerts.test_companions import OI_DETAILS
from tests.subscribers.conversation import Conversation

QUIET_HOURS_END = timedelta(minutes=55, seconds=5)  # after the beginning


def test_a_quiet_hour(conversation: Conversation) -> None:
    began = conversation.now

    def measured(dollars: int, asset: str, number: int = 1) -> None:
        conversation.pass_time(seconds=10)
        signal = make_signal(dollars, asset, at=conversation.now - timedelta(milliseconds=40))
        Signal.objects.filter(pk=signal.pk).update(decided_at=None, number=number)
        trigger.evaluate(signal.fingerprint)
        conversation.send_alerts()

    def btc_grows() -> None:
        measured(1_800_000, "BTC")
        measured(13_100_000, "BTC", 2)

    def open_interest_falls() -> None:
        conversation.pass_time(minutes=1)
        trigger.evaluate(_drop(conversation.now).fingerprint)
        conversation.send_alerts()

    def btc_lasts() -> None:
        conversation.pass_time(minutes=30)
        Alert.objects.filter(asset="BTC").update(last_seen_at=conversation.now)
        tell_held()
        conversation.send_alerts()

    def the_hour_is_over() -> None:
        conversation.set_clock(began + QUIET_HOURS_END)
        Outcome.objects.create(alert=Alert.objects.get(asset="ETH"), horizon_min=15, due_at=conversation.now, state="known", change_pct=-2.1)
        tell_held()
        conversation.send_alerts()

    stage = {
        "a cascade of ETH reaches HIGH": lambda: measured(5_230_000, "ETH"),
        "one of BTC reaches MODERATE, and ten seconds later EXTREME": btc_grows,
        "a minute later open interest of BTC falls": open_interest_falls,
        "the cascade of BTC goes on for half an hour": btc_lasts,
        "at 16:00 in Zurich the quiet hours are over": the_hour_is_over,
    }
    conversation.play("quiet_hours", stage)


def _drop(now: datetime) -> Signal:
    """A change of open interest that two venues show."""
    return Signal.objects.create(
        kind=Kind.OPEN_INTEREST.value, asset="BTC", direction=Direction.DOWN.value, fingerprint=fingerprint_of(Kind.OPEN_INTEREST, "BTC", Direction.DOWN),
        value=Decimal("1.2"), count=2, venues={Venue.BINANCE.value: "1.3", Venue.BYBIT.value: "1.1"}, window_s=900, episode=1, number=1, listed_on=3,
        price=Decimal("62310"), details=OI_DETAILS, occurred_at=now, received_at=now, detected_at=now,
    )  # fmt: skip
