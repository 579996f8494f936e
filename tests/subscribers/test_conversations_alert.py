"""What the buttons under an alert do: conversations with the real bot, in a private chat, a group and a channel."""

from datetime import timedelta

from alerts import charts, trigger
from alerts.models import Alert
from monitors.market import epoch_ms, from_epoch_ms
from monitors.models import Market, PriceCandle, Signal
from tests.alerts.builders import make_signal
from tests.subscribers.conversation import CHATS, Conversation, Stage


def test_under_an_alert(conversation: Conversation) -> None:
    conversation.play("under_an_alert", _story(conversation))


def test_under_an_alert_in_a_group_and_a_channel(conversation: Conversation) -> None:
    def joins() -> None:
        conversation.telegram.my_chat_member(CHATS["News"][0], "administrator", chat_type="channel", title="News")

    conversation.play("under_an_alert_in_a_group", {**_story(conversation), "the channel News makes the bot an admin": joins})


def _draw(conversation: Conversation) -> None:
    """As housekeeping does, with the mark prices of the hour before at hand."""
    minute_ms = epoch_ms(conversation.now) // 60_000 * 60_000
    Market.objects.create(venue="binance", venue_symbol="BTCUSDT", symbol="BTC/USDT:USDT", asset="BTC", refreshed_at=conversation.now)
    for back in range(61):
        opened_at = from_epoch_ms(minute_ms - back * 60_000)
        PriceCandle.objects.create(venue="binance", asset="BTC", opened_at=opened_at, open=64_000, high=64_100 + back, low=63_900, close=64_000 + back)
    charts.follow_up(conversation.now)
    conversation.send_alerts()


def _story(conversation: Conversation) -> Stage:
    """A cascade of BTC that is told, and grows."""

    def measured(dollars: int, number: int) -> None:
        signal = make_signal(dollars, at=conversation.now - timedelta(milliseconds=40))
        Signal.objects.filter(pk=signal.pk).update(decided_at=None, number=number)
        trigger.evaluate(signal.fingerprint)
        conversation.send_alerts()

    def grows() -> None:
        conversation.pass_time(seconds=10)
        measured(6_400_000, 2)

    return {
        "a cascade of BTC comes": lambda: measured(5_230_000, 1),
        "the cascade grows": grows,
        "its chart is drawn": lambda: _draw(conversation),
        "a year later the alert is not kept any more": lambda: Alert.objects.all().delete(),
    }


def test_help_and_groups(conversation: Conversation) -> None:
    desk, telegram = CHATS["Desk"][0], conversation.telegram

    def joins() -> None:
        telegram.my_chat_member(CHATS["News"][0], "administrator", chat_type="channel", title="News")

    stage: Stage = {
        "the bot is added to the group Desk": lambda: telegram.my_chat_member(desk, "member", title="Desk"),
        "the bot is removed from the group Desk": lambda: telegram.my_chat_member(desk, "kicked", old="member", title="Desk"),
        "the channel News makes the bot an admin": joins,
    }
    conversation.play("help_and_groups", stage)
