"""When the whole market moves: who gets one message instead of one each, and what becomes of the rest."""

import itertools
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from alerts import claims, market_moves, trigger
from alerts.dispatcher import drain
from alerts.models import Alert, Delivery, MarketMove, Silence
from monitors import recorder
from monitors.market import Direction, Kind, Venue, epoch_ms
from monitors.models import ThresholdRule
from monitors.thresholds import Severity
from subscribers.models import Mute, Subscriber
from tests.alerts.builders import make_alert, make_console, make_delivery, make_subscriber
from tests.builders import LADDER, make_signal
from tests.fakes.telegram import FakeTelegram

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey", "rules")]
State = Delivery.State
CASCADE, LIQUIDATION, VOLUME = Kind.CASCADE, Kind.LIQUIDATION, Kind.VOLUME
_later = itertools.count()


@pytest.fixture
def rules() -> None:
    """LOW at $1,000 for every asset, each rung twice the one below."""
    ThresholdRule.objects.filter(kind__in=[CASCADE, LIQUIDATION, VOLUME]).update(**LADDER, min_venues=1)


def opens(*assets: str, value: float = 1_500, after_s: float = 0, kind: Kind = CASCADE, direction: Direction = Direction.LONG, **fields: Any) -> None:
    """An incident of each asset, decided and told one after the other; `after_s` from now."""
    for asset in assets:
        at_ms = epoch_ms(timezone.now()) + round(after_s * 1000) + next(_later)
        measured = make_signal(value, kind=kind, asset=asset, direction=direction, **fields)
        moment = {"received_at_ms": at_ms, "occurred_at_ms": at_ms - 100}
        measured = type(measured)(**{name: getattr(measured, name) for name in measured.__slots__} | moment)
        recorder.write([(measured, timezone.now())])
        trigger.evaluate(measured.fingerprint)


def told(subscriber: Subscriber) -> list[tuple[str, str]]:
    """(asset, state) of each delivery, "*" for a market-wide message; in their order."""
    rows = Delivery.objects.filter(subscriber=subscriber).select_related("alert").order_by("id")
    return [(row.alert.asset if row.alert else "*", row.state) for row in rows]


def wide(subscriber: Subscriber) -> Delivery:
    return Delivery.objects.get(subscriber=subscriber, alert=None)


def sent_singly(*assets: str) -> None:
    """As if the messages had been sent before the next asset opened."""
    Delivery.objects.filter(alert__asset__in=assets).update(state=State.SENT, message_id=7, sent_at=timezone.now() - timedelta(seconds=9))


def scan_finds(*assets: str, value: float = 1_500) -> list[str]:
    """One scan raises all of them: their signals are stored together, and nothing is decided yet. Returns their fingerprints."""
    at_ms = epoch_ms(timezone.now())
    found = [replace(make_signal(value, kind=VOLUME, asset=asset, direction=Direction.NONE), received_at_ms=at_ms) for asset in assets]
    recorder.write([(signal, timezone.now()) for signal in found])
    return [signal.fingerprint for signal in found]


def sendable(now: datetime | None = None) -> list[str]:
    """What a drainer would send now, one after the other: the asset, "*" for a market-wide message."""
    sent = []
    while (found := claims.next_delivery(now or timezone.now(), ())) is not None:
        Delivery.objects.filter(pk=found.pk).update(state=State.SENT, message_id=7, sent_at=timezone.now())
        sent.append(found.alert.asset if found.alert else "*")
    return sent


# Who gets one message


def test_what_one_scan_finds_for_many_assets_is_one_message_for_all_of_them() -> None:
    somebody = make_subscriber(kind=VOLUME)
    for fingerprint in scan_finds("SOL", "XRP", "DOGE", "ADA", "LTC", "BTC"):
        assert sendable() == []
        trigger.evaluate(fingerprint)
    assert sorted(sendable()) == ["*", "BTC"]
    assert {alert.asset for alert in market_moves.listed(wide(somebody))} == {"SOL", "XRP", "DOGE", "ADA", "LTC"}


def test_what_one_scan_finds_for_few_assets_is_told_singly_once_all_are_decided() -> None:
    make_subscriber(kind=VOLUME)
    for fingerprint in scan_finds("SOL", "XRP", "DOGE"):
        assert sendable() == []
        trigger.evaluate(fingerprint)
    assert sorted(sendable()) == ["DOGE", "SOL", "XRP"]


def test_what_stands_alone_waits_for_nobody() -> None:
    make_subscriber(kind=VOLUME)
    scan_finds("XRP", "DOGE")
    [bitcoin, extreme] = [*scan_finds("BTC"), *scan_finds("SOL", value=9_000)]
    trigger.evaluate(bitcoin)
    trigger.evaluate(extreme)
    assert sorted(sendable()) == ["BTC", "SOL"]


def test_a_message_waits_for_others_of_its_scan_for_seconds_only() -> None:
    make_subscriber(kind=VOLUME)
    [first, _] = scan_finds("SOL", "XRP")
    trigger.evaluate(first)
    assert sendable() == []
    assert sendable(timezone.now() + market_moves.GROWS_FOR) == ["SOL"]


def test_a_liquidation_waits_for_nobody() -> None:
    make_subscriber()
    opens("SOL")
    recorder.write([(make_signal(1_500, asset="XRP"), timezone.now())])
    assert sendable() == ["SOL"]


def test_three_assets_are_told_singly() -> None:
    somebody = make_subscriber()
    opens("SOL", "XRP", "DOGE")
    assert told(somebody) == [("SOL", State.PENDING), ("XRP", State.PENDING), ("DOGE", State.PENDING)]


def test_from_the_fourth_asset_on_there_is_one_message_and_what_is_unsent_is_folded_into_it() -> None:
    somebody = make_subscriber()
    opens("SOL")
    sent_singly("SOL")
    opens("XRP", "DOGE", "ADA", "LTC")
    assert told(somebody) == [("SOL", State.SENT), *((asset, State.FOLDED) for asset in ("XRP", "DOGE", "ADA")), ("*", State.PENDING), ("LTC", State.FOLDED)]
    assert set(Delivery.objects.filter(state=State.FOLDED).values_list("reason", flat=True)) == {"told in the market-wide message"}


def test_the_incidents_stay_separate_in_the_history() -> None:
    make_subscriber()
    opens("SOL", "XRP", "DOGE", "ADA")
    assert Alert.objects.count() == 4 and Alert.objects.values("move").distinct().count() == 1


def test_liquidations_and_cascades_are_one_family() -> None:
    somebody = make_subscriber()
    somebody.subscriptions.create(kind=LIQUIDATION, lowest_severity=Severity.LOW)
    opens("SOL", "XRP")
    opens("DOGE", "ADA", kind=LIQUIDATION)
    assert told(somebody)[-1] == ("*", State.PENDING)


def test_another_direction_or_kind_does_not_count() -> None:
    somebody = make_subscriber()
    somebody.subscriptions.create(kind=VOLUME, lowest_severity=Severity.LOW)
    opens("SOL", "XRP", "DOGE")
    opens("ADA", direction=Direction.SHORT)
    opens("ADA", kind=VOLUME, direction=Direction.NONE, details={"usd": "1", "baseline_usd": "1", "price_percent": "0"})
    assert ("*", State.PENDING) not in told(somebody) and len(told(somebody)) == 5


@pytest.mark.parametrize(("seconds", "together"), [(118, True), (121, False)])
def test_the_four_have_to_open_within_two_minutes(seconds: float, together: bool) -> None:
    somebody = make_subscriber()
    opens("SOL")
    opens("XRP", "DOGE", after_s=60)
    opens("ADA", after_s=seconds)
    assert (("*", State.PENDING) in told(somebody)) is together


def test_any_four_within_two_minutes_count_and_not_only_those_after_the_first() -> None:
    somebody = make_subscriber()
    for asset, after_s in (("SOL", 0), ("XRP", 115), ("DOGE", 125), ("ADA", 130), ("LTC", 180)):
        opens(asset, after_s=after_s)
    assert told(somebody)[0] == ("SOL", State.PENDING) and told(somebody)[-1] == ("*", State.PENDING)


def test_after_ten_minutes_a_move_begins_anew_so_that_it_is_heard() -> None:
    make_subscriber()
    for number in range(8):
        opens(f"A{number}", after_s=100 * number)
    assert [move.alerts.count() for move in MarketMove.objects.order_by("id")] == [6, 2]
    assert list(MarketMove.objects.order_by("id").values_list("over", flat=True)) == [True, False]


def test_btc_eth_and_extreme_stand_alone() -> None:
    somebody = make_subscriber()
    opens("BTC", "ETH", "SOL", "XRP", "DOGE")
    opens("ADA", value=9_000)
    assert {state for _, state in told(somebody)} == {State.PENDING} and ("*", State.PENDING) not in told(somebody)
    opens("LTC")
    opens("DOT", value=9_000)
    assert dict(told(somebody)) == {
        "BTC": State.PENDING, "ETH": State.PENDING, "ADA": State.PENDING, "DOT": State.PENDING, "*": State.PENDING,
        "SOL": State.FOLDED, "XRP": State.FOLDED, "DOGE": State.FOLDED, "LTC": State.FOLDED,
    }  # fmt: skip


def test_only_assets_and_severities_that_somebody_wants_count() -> None:
    everything, loud, few = make_subscriber(), make_subscriber(lowest=Severity.MODERATE), make_subscriber(asset="SOL")
    few.subscriptions.create(kind=CASCADE, asset="XRP", lowest_severity=Severity.LOW)
    opens("SOL", "XRP", "DOGE")
    opens("ADA", value=2_000)
    assert told(everything)[-1] == ("*", State.PENDING)
    assert told(loud) == [("ADA", State.PENDING)]
    assert told(few) == [("SOL", State.PENDING), ("XRP", State.PENDING)]


def test_a_subscriber_who_wants_from_moderate_is_told_at_once_of_four_that_reach_it() -> None:
    loud = make_subscriber(lowest=Severity.MODERATE)
    opens("SOL", "XRP", "DOGE", "ADA")
    opens("SOL", "XRP", "DOGE", "ADA", value=2_000)
    assert told(loud)[-1] == ("*", State.PENDING)


def test_whoever_hears_of_old_incidents_one_by_one_is_told_singly() -> None:
    """They opened together an hour ago; now they grow loud, each at its time."""
    loud = make_subscriber(lowest=Severity.MODERATE)
    opens("SOL", "XRP", "DOGE", "ADA")
    Alert.objects.update(cooldown_s=9_000)
    ThresholdRule.objects.update(cooldown_s=9_000)
    for number, asset in enumerate(("SOL", "XRP", "DOGE", "ADA")):
        opens(asset, value=2_000, after_s=900 * (number + 1))
    assert {state for _, state in told(loud)} == {State.PENDING} and len(told(loud)) == 4


def test_what_is_silenced_does_not_count() -> None:
    somebody = make_subscriber()
    Silence.objects.create(asset="DOGE", until=timezone.now() + timedelta(hours=1))
    opens("SOL", "XRP", "DOGE", "ADA")
    assert ("*", State.PENDING) not in told(somebody)


# What follows


def test_a_lower_escalation_of_a_listed_incident_changes_the_message_and_sends_none() -> None:
    somebody = make_subscriber()
    opens("SOL", "XRP", "DOGE", "ADA")
    before = len(told(somebody))
    opens("ADA", value=4_000)
    assert told(somebody)[before:] == [("ADA", State.FOLDED)]
    assert wide(somebody).severity == Severity.HIGH


def test_an_escalation_to_extreme_stands_alone() -> None:
    somebody = make_subscriber()
    opens("SOL", "XRP", "DOGE", "ADA")
    opens("ADA", value=8_000)
    assert told(somebody)[-1] == ("ADA", State.PENDING)
    assert Delivery.objects.order_by("id").last().severity == Severity.EXTREME  # type: ignore[union-attr]


def test_an_unsent_message_is_as_urgent_as_the_loudest_that_it_lists() -> None:
    somebody = make_subscriber()
    opens("SOL", value=4_000)
    opens("XRP", "DOGE", "ADA")
    message = wide(somebody)
    assert message.severity == Severity.HIGH
    assert message.expires_at - message.detected_at > timedelta(minutes=14)  # type: ignore[operator]


def test_where_the_message_failed_later_ones_are_told_singly() -> None:
    somebody = make_subscriber()
    opens("SOL", "XRP", "DOGE", "ADA")
    Delivery.objects.filter(alert=None).update(state=State.EXPIRED)
    opens("LTC")
    opens("ADA", value=4_000)
    assert told(somebody)[-2:] == [("LTC", State.PENDING), ("ADA", State.PENDING)]


def test_the_hourly_cap_counts_the_message_once_and_not_what_it_lists() -> None:
    somebody = make_subscriber()
    for _ in range(8):
        make_delivery(somebody, alert=make_alert())
    opens("SOL", "XRP", "DOGE", "ADA", "LTC", "DOT")
    assert told(somebody)[8:] == [(asset, State.FOLDED) for asset in ("SOL", "XRP", "DOGE", "ADA")] + [
        ("*", State.PENDING),
        ("LTC", "folded"),
        ("DOT", "folded"),
    ]


def test_over_the_hourly_cap_the_message_is_held_and_freed_by_a_loud_one() -> None:
    somebody = make_subscriber()
    for _ in range(10):
        make_delivery(somebody, alert=make_alert())
    opens("SOL", "XRP", "DOGE", "ADA")
    assert (wide(somebody).state, wide(somebody).reason) == (State.HELD, "over the hourly cap")
    opens("LTC", value=4_000)
    assert (wide(somebody).state, wide(somebody).severity) == (State.PENDING, Severity.HIGH)


def test_a_loud_one_frees_the_message_only_within_its_own_cap() -> None:
    somebody = make_subscriber()
    for _ in range(30):
        make_delivery(somebody, alert=make_alert())
    opens("SOL", "XRP", "DOGE", "ADA")
    opens("LTC", value=4_000)
    assert (wide(somebody).state, wide(somebody).severity) == (State.HELD, Severity.HIGH)


def test_what_is_muted_stays_held_and_is_neither_counted_nor_listed() -> None:
    somebody, few = make_subscriber(), make_subscriber()
    Mute.objects.create(subscriber=somebody, asset="XRP", until=timezone.now() + timedelta(hours=1))
    for asset in ("XRP", "ADA"):
        Mute.objects.create(subscriber=few, asset=asset, until=timezone.now() + timedelta(hours=1))
    opens("SOL", "XRP", "DOGE", "ADA")
    assert {state for _, state in told(somebody)} == {State.PENDING, State.HELD} and len(told(somebody)) == 4
    opens("LTC")
    assert dict(told(somebody)) == {"*": State.PENDING, "XRP": State.HELD, **dict.fromkeys(("SOL", "DOGE", "ADA", "LTC"), State.FOLDED)}
    assert sorted(alert.asset for alert in market_moves.listed(wide(somebody))) == ["ADA", "DOGE", "LTC", "SOL"]
    assert dict(told(few)) == {"XRP": State.HELD, "ADA": State.HELD, **dict.fromkeys(("SOL", "DOGE", "LTC"), State.PENDING)}


def test_quiet_hours_hold_the_whole_message_until_it_is_loud_enough() -> None:
    somebody, now = make_subscriber(), timezone.now()
    until = now + timedelta(hours=1)
    Subscriber.objects.update(quiet_starts_at=now, quiet_ends_at=until, quiet_lets_through=Severity.HIGH)
    opens("SOL", "XRP", "DOGE", "ADA")
    assert (wide(somebody).state, wide(somebody).reason, wide(somebody).held_until) == (State.HELD, "quiet hours", until)
    assert {state for asset, state in told(somebody) if asset != "*"} == {State.FOLDED}
    opens("LTC", value=2_000)
    assert (wide(somebody).state, wide(somebody).severity) == (State.HELD, Severity.MODERATE)
    opens("DOT", value=4_000)
    assert (wide(somebody).state, wide(somebody).reason, wide(somebody).held_until) == (State.PENDING, "", None)


def test_what_the_cap_frees_quiet_hours_may_still_hold() -> None:
    somebody = make_subscriber()
    for _ in range(10):
        make_delivery(somebody, alert=make_alert())
    opens("SOL", "XRP", "DOGE", "ADA")
    Subscriber.objects.update(quiet_starts_at=timezone.now(), quiet_ends_at=timezone.now() + timedelta(hours=1))
    opens("LTC", value=4_000)
    assert (wide(somebody).state, wide(somebody).severity) == (State.HELD, Severity.HIGH)


def test_a_single_message_whose_sending_failed_meanwhile_is_folded_too(telegram: FakeTelegram) -> None:
    somebody = make_subscriber()
    opens("SOL")
    Delivery.objects.update(state=State.SENDING)
    opens("XRP", "DOGE", "ADA")
    Delivery.objects.filter(alert__asset="SOL").update(state=State.PENDING)
    drain()
    assert told(somebody)[0] == ("SOL", State.FOLDED)
    assert len(telegram.sent) == 1


def test_many_subscribers_are_folded_chunk_by_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.outbox.CHUNK", 3)
    people = [make_subscriber() for _ in range(8)]
    opens("SOL", "XRP", "DOGE", "ADA")
    assert all(told(person) == [*((asset, State.FOLDED) for asset in ("SOL", "XRP", "DOGE", "ADA")), ("*", State.PENDING)] for person in people)


# What is sent


def test_the_message_lists_the_assets_the_largest_first_those_told_before_as_well(telegram: FakeTelegram) -> None:
    telegram.limits.chat_interval_s = 0
    somebody = make_subscriber()
    opens("SOL", value=1_200)
    drain()
    opens("XRP", value=2_500)
    opens("DOGE", value=1_100)
    opens("ADA", value=1_900, venues={Venue.BINANCE: 1_900})
    drain()
    first, second = telegram.sent_to(somebody.chat_id)
    assert "SOL" in first.plain
    headline, *lines = second.plain.splitlines()
    assert headline.startswith("MODERATE market-wide: 4 assets, longs liquidated") and headline.endswith("≥ $6k")
    assert [line.split()[2:5] for line in lines[:4]] == [["XRP", "$2k", "in"], ["ADA", "≥", "$1k"], ["SOL", "$1k", "in"], ["DOGE", "$1k", "in"]]


def test_the_message_is_edited_as_the_move_grows(telegram: FakeTelegram, valkey: Any) -> None:
    telegram.limits.chat_interval_s = 0
    somebody = make_subscriber()
    opens("SOL", "XRP", "DOGE", "ADA")
    drain()
    opens("LTC", "DOT")
    drain()
    assert len(telegram.sent) == 1 and not telegram.requests("editMessageText")  # not within 5 s
    Delivery.objects.filter(alert=None).update(sent_at=timezone.now() - timedelta(seconds=6))
    valkey.flushall()
    drain()
    assert "6 assets" in telegram.sent_to(somebody.chat_id)[0].plain
    drain()
    assert len(telegram.requests("editMessageText")) == 1


def test_messages_that_were_sent_singly_are_not_edited_any_more(telegram: FakeTelegram) -> None:
    telegram.limits.chat_interval_s = 0
    somebody = make_subscriber()
    opens("SOL")
    drain()
    opens("XRP", "DOGE", "ADA")
    drain()
    assert list(Delivery.objects.filter(subscriber=somebody, state=State.SENT).order_by("id").values_list("live", flat=True)) == [False, True]


def test_the_terminal_prints_the_message_anew_as_it_grows(telegram: FakeTelegram, capfd: pytest.CaptureFixture[str]) -> None:
    make_console()
    opens("SOL", "XRP", "DOGE", "ADA")
    drain()
    assert "4 assets" in capfd.readouterr().out
    opens("LTC")
    drain()
    assert "5 assets" in capfd.readouterr().out
    drain()
    assert capfd.readouterr().out == ""
