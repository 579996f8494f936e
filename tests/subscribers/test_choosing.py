"""How a subscriber chooses: conversations with the real bot, and what they leave in the database."""

import json
from datetime import time, timedelta
from decimal import Decimal
from typing import Any

from alerts import trigger
from alerts.models import Alert, Delivery, Outcome, Vote
from monitors import recorder
from monitors.market import Direction, Kind, Venue, epoch_ms
from monitors.models import Market
from monitors.thresholds import Severity
from subscribers import services, snapshots, webhooks
from subscribers.bot.export import export_of
from subscribers.bot.leaving import forget
from subscribers.bot.screen import Chat
from subscribers.models import Dialogue, Mute, PreferenceChange, Preset, PresetChoice, Subscriber, Webhook
from subscribers.preferences import Choice
from subscribers.selectors import choices_of, preferences_of
from tests.alerts.builders import make_alert, make_delivery
from tests.builders import make_signal
from tests.harness import wait_until
from tests.subscribers.conversation import PEOPLE, Conversation

CASCADE, LIQUIDATION, OI, VOLUME = Kind.CASCADE, Kind.LIQUIDATION, Kind.OPEN_INTEREST, Kind.VOLUME
ANN = PEOPLE["Ann"]
ALL_VENUES = {Venue.BINANCE: 1, Venue.BYBIT: 1, Venue.OKX: 1}


def of(person: str) -> Subscriber:
    """The subscriber of somebody's own chat."""
    return Subscriber.objects.get(chat_id=PEOPLE[person])


def arrive(conversation: Conversation, value: float, ago: timedelta, kind: Kind = CASCADE, **fields: Any) -> None:
    """A signal as the monitor and the scans store it, decided by the trigger engine."""
    at = conversation.now - ago
    measured = make_signal(value, 0, kind, **{"received_at_ms": epoch_ms(at), "occurred_at_ms": epoch_ms(at) - 100, **fields})
    recorder.write([(measured, at)])
    trigger.evaluate_unread()
    trigger.close_due(at + timedelta(hours=1))


def test_three_taps(conversation: Conversation) -> None:
    def three_alerts() -> None:
        arrive(conversation, 6_000_000, timedelta(days=2))
        arrive(conversation, 500_000, timedelta(hours=3), LIQUIDATION, asset="SOL", direction=Direction.SHORT, venues={Venue.OKX: 500_000})
        arrive(conversation, 1, timedelta(minutes=9), OI, asset="DOGE", direction=Direction.UP, venues=ALL_VENUES)
        cascade = Alert.objects.get(peak__value=6_000_000)
        Outcome.objects.create(alert=cascade, horizon_min=15, state="known", due_at=conversation.now, change_pct=-2.1)
        Outcome.objects.create(alert=cascade, horizon_min=240, state="unknown", due_at=conversation.now, reason="3 of 241 minutes have no candle")

    conversation.play("choosing", {"three alerts were seen: a cascade of BTC, a liquidation of SOL, a jump of DOGE's open interest": three_alerts})
    assert choices_of(of("Ann"))[CASCADE, ""] == Choice(Severity.EXTREME)


def test_presets(conversation: Conversation) -> None:
    def preset() -> None:
        whales = Preset.objects.create(slug="whales", title="Whales & <friends>", description="The very large ones only.")
        PresetChoice.objects.create(preset=whales, kind=LIQUIDATION, custom_threshold=Decimal(5_000_000))
        PresetChoice.objects.create(preset=whales, kind=VOLUME, asset="BTC", lowest_severity=Severity.HIGH)

    def off() -> None:
        Preset.objects.update(enabled=False)

    conversation.play("presets", {'the operator made the preset "whales"': preset, 'the preset "whales" is switched off': off})
    whales = {(LIQUIDATION, ""): Choice(Severity.MODERATE, Decimal(5_000_000)), (VOLUME, "BTC"): Choice(Severity.HIGH)}
    assert choices_of(of("Ann")) == whales


def test_settings(conversation: Conversation) -> None:
    conversation.play("settings")
    preferences = preferences_of(of("Ann"))
    assert preferences.choices[CASCADE, "BTC"] == Choice(Severity.HIGH, direction="LONG")
    assert preferences.time_zone == "UTC+05:30"
    assert preferences.confirmed_only and preferences.quiet is None and not of("Ann").charts


def test_thresholds(conversation: Conversation) -> None:
    def past() -> None:
        for asset in ("BTC", "ETH", "SOL", "DOGE"):
            fields = {"venue_symbol": f"{asset}USDT", "symbol": f"{asset}/USDT:USDT", "turnover_usd": 1e9, "refreshed_at": conversation.now}
            Market.objects.create(venue="bybit", asset=asset, **fields)
        for days, value in ((6, 2_500_000), (5, 1_600_000), (4, 600_000), (3, 420_000), (2, 3_000_000), (1, 300_000)):
            arrive(conversation, value, timedelta(days=days))
        arrive(conversation, 900, timedelta(days=2), VOLUME, asset="ETH", direction=Direction.NONE, venues=ALL_VENUES)

    conversation.play("thresholds", {"cascades and a volume spike were seen in the last days": past})
    assert not any(choice.custom_threshold for (kind, _), choice in choices_of(of("Ann")).items() if kind is CASCADE)


def test_resting(conversation: Conversation) -> None:
    conversation.play("resting")
    assert of("Ann").mutes.count() == 0
    assert (of("Ann").time_zone, of("Ann").quiet_from) == ("Europe/Zurich", None)


def test_choosing_in_a_group(conversation: Conversation) -> None:
    conversation.play("choosing_in_a_group")
    assert [str(subscriber) for subscriber in Subscriber.objects.all()] == ["News"]


def test_leaving(conversation: Conversation) -> None:
    conversation.play("leaving")
    assert of("Ann").changes.count() == 1, "of before nothing is known any more"


# What /export shows and /delete removes


def everything_of(person: int, conversation: Conversation) -> Subscriber:
    """A subscriber of whom all there is was kept; and one who voted in a group."""
    subscriber, now = services.subscribe_chat(person, "private", "Ann Example"), conversation.now
    services.choose(subscriber, CASCADE, "BTC", Choice(Severity.LOW, Decimal(2_000_000), "LONG"), now)
    services.mute(subscriber, None, "ETH", now + timedelta(hours=1), now)
    services.set_quiet_hours(subscriber, time(23), time(7), Severity.HIGH, now)
    webhooks.connect(subscriber, "https://example.org/hook", now)
    alert, group = make_alert(asset="BTC"), services.subscribe_chat(-2002, "group", "Desk")
    make_delivery(subscriber, alert=alert, state="sent", message_id=5)
    for chat in (subscriber, group):
        Vote.objects.create(alert=alert, subscriber=chat, user_id=person, useful=True)
    Dialogue.objects.create(chat_id=-2002, user_id=person, name="zone")
    return subscriber


def test_the_export_holds_all_that_is_kept(conversation: Conversation) -> None:
    everything_of(ANN, conversation)
    conversation.telegram.user_says(ANN, "/export")
    wait_until(lambda: conversation.telegram.requests("sendDocument"), what="the file")
    document = json.loads(export_of(of("Ann"), conversation.now))
    assert document["chat"]["title"] == "Ann Example"
    assert snapshots.of_json(document["preferences"]) == preferences_of(of("Ann"))
    assert document["changes"][-1]["wanted"] == document["preferences"]
    assert [(vote["useful"], vote["user_id"]) for vote in document["votes"]] == [(True, ANN)] * 2
    assert document["webhooks"][0]["url"] == "https://example.org/hook"
    assert [question["name"] for question in document["open_questions"]] == ["zone"]
    assert (document["messages"][0]["state"], document["messages"][0]["message_id"]) == ("sent", 5)
    assert "secret" not in json.dumps(document)


def test_after_deleting_nothing_is_left_and_others_keep_theirs(conversation: Conversation) -> None:
    ann, bob = everything_of(ANN, conversation), services.subscribe_chat(PEOPLE["Bob"], "private", "Bob")
    forget(Chat(ANN, "private", "Ann Example"), ann)
    left = {str(subscriber) for subscriber in Subscriber.objects.all()}
    assert left == {"Desk", str(bob)}
    assert [model._default_manager.count() for model in (Mute, Vote, Dialogue, Delivery, Webhook)] == [0] * 5
    assert not PreferenceChange.objects.exclude(subscriber__in=[bob, Subscriber.objects.get(chat_id=-2002)]).exists()
