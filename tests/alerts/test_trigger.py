"""What follows from a signal, on a real database?"""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis

from alerts import outbox, trigger
from alerts.models import Alert, Decision, Delivery, FanOut, Silence
from monitors import recorder
from monitors.market import Direction, Kind, Venue, from_epoch_ms
from monitors.models import Signal, ThresholdRule
from monitors.thresholds import Severity
from subscribers import services
from subscribers.models import Subscriber, Subscription
from tests.builders import LADDER, NOW_MS, make_signal

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
_chats = itertools.count(5_000)
CASCADE, LIQUIDATION = Kind.CASCADE, Kind.LIQUIDATION
COOLDOWN_MS = 300_000


@pytest.fixture(autouse=True)
def small_ladders() -> Iterator[None]:
    """LOW of BTC at $1,000, as in the builders."""
    ThresholdRule.objects.filter(asset="BTC").update(**LADDER)
    yield


def arrive(value: float, after_ms: int = 0, kind: Kind = CASCADE, **fields: Any) -> Signal:
    """A signal as the liquidation monitor stores it, not looked at yet."""
    measured = make_signal(value, after_ms, kind, **fields)
    recorder.write([(measured, timezone.now())])
    return Signal.objects.get(kind=kind, fingerprint=measured.fingerprint, received_at=from_epoch_ms(measured.received_at_ms))


def decide(*signals: Signal) -> list[str]:
    """Evaluate what is unread; the outcomes of `signals`."""
    trigger.evaluate_unread()
    return [Decision.objects.get(signal=signal).outcome for signal in signals]


def somebody(lowest: Severity = Severity.LOW, custom: float | None = None, kind: Kind = CASCADE) -> Subscriber:
    """A chat that wants one kind of any asset."""
    subscriber = Subscriber.objects.create(chat_id=next(_chats))
    threshold = None if custom is None else Decimal(str(custom))
    Subscription.objects.create(subscriber=subscriber, kind=kind, lowest_severity=lowest, custom_threshold=threshold)  # type: ignore[misc]  # the field may be null
    services.refresh_custom_floors()
    return subscriber


def told(subscriber: Subscriber) -> list[int]:
    """The steps of which this subscriber has a message, in their order."""
    return list(Delivery.objects.filter(subscriber=subscriber).order_by("id").values_list("step", flat=True))


# Decisions


def test_every_signal_keeps_its_decision_and_the_reason() -> None:
    signals = [arrive(999, 0), arrive(1_000, 1_000), arrive(1_100, 2_000), arrive(8_000, 3_000), arrive(9_000, 2_500)]
    assert decide(*signals) == ["below_low", "opened", "updated", "escalated", "out_of_order"]
    assert [bool(signal.decision.reason) for signal in Signal.objects.order_by("id")] == [True, False, False, False, True]
    assert Signal.objects.filter(decided_at=None).count() == 0


def test_a_signal_is_decided_once_however_often_a_task_runs() -> None:
    arrive(1_000)
    for _ in range(3):
        trigger.evaluate_unread()
    assert Decision.objects.count() == 1


def test_signals_of_one_story_are_decided_in_their_order() -> None:
    first, second = arrive(1_000, 0, LIQUIDATION), arrive(2_000, 0, CASCADE)
    assert decide(first, second) == ["opened", "escalated"]
    alert = Alert.objects.get()
    assert (alert.kind, alert.severity, alert.peak) == (CASCADE, Severity.MODERATE, second)


def test_an_older_signal_found_after_a_newer_changes_nothing() -> None:
    decide(arrive(1_000, 10_000))
    before = Alert.objects.values().get()
    assert decide(arrive(50_000, 9_999)) == ["out_of_order"]
    assert Alert.objects.values().get() == before


def test_an_older_signal_found_after_the_incident_was_closed_opens_nothing() -> None:
    decide(arrive(1_000, 10_000))
    trigger.close_due(from_epoch_ms(NOW_MS + 10_000 + COOLDOWN_MS))
    assert decide(arrive(50_000, 9_999)) == ["out_of_order"]
    assert Alert.objects.count() == 1


def test_an_unconfirmed_signal_says_so() -> None:
    ThresholdRule.objects.filter(asset="BTC").update(min_venues=2)
    decide(arrive(4_000))
    decision = Decision.objects.get()
    assert (decision.severity, decision.unconfirmed, decision.reason) == (Severity.MODERATE, True, "unconfirmed: one step lower")


def test_a_signal_whose_rule_was_switched_off_meanwhile_is_not_told() -> None:
    chat = somebody()
    signal = arrive(8_000)
    ThresholdRule.objects.filter(kind=CASCADE, asset="BTC").update(enabled=False)
    assert decide(signal) == ["switched_off"]
    assert (Alert.objects.count(), told(chat), Decision.objects.get().reason) == (0, [], "the threshold rule is switched off")


def test_the_rule_in_force_at_decision_time_applies_and_is_copied_onto_the_alert() -> None:
    signal = arrive(3_000)
    ThresholdRule.objects.filter(kind=CASCADE, asset="BTC").update(high=2_500, cooldown_s=60)
    decide(signal)
    alert = Alert.objects.get()
    assert (alert.severity, alert.cooldown_s, alert.rule["high"]) == (Severity.HIGH, 60, 2_500)


def test_one_fingerprint_that_cannot_be_decided_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, sound = arrive(1_000), arrive(1_000, asset="ETH", venues={Venue.OKX: 1_000})
    Signal.objects.filter(pk=broken.pk).update(venues={"nowhere": "1"})
    assert decide(sound) == ["below_low"]
    assert Signal.objects.get(decided_at=None) == broken


# Closing


def test_a_long_backlog_is_decided_in_transactions_of_a_bounded_length(monkeypatch: pytest.MonkeyPatch) -> None:
    signals = [arrive(1_500, after_ms) for after_ms in range(trigger.AT_ONCE + 5)]
    first, decide_one = signals[: trigger.AT_ONCE], trigger._decide

    def but_not_the_last(newest: Any, signal: Signal, *rest: Any) -> Any:
        if signal.pk == signals[-1].pk:
            raise RuntimeError
        return decide_one(newest, signal, *rest)

    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(trigger, "_decide", but_not_the_last)
        trigger.evaluate(signals[0].fingerprint)
    assert list(Decision.objects.order_by("id").values_list("signal", flat=True)) == [signal.pk for signal in first]
    assert decide(*signals[-2:]) == ["updated", "updated"]
    assert Alert.objects.count() == 1


def test_it_closes_at_exactly_last_seen_and_cooldown_even_if_noticed_later() -> None:
    decide(arrive(1_000, 7_000))
    due = from_epoch_ms(NOW_MS + 7_000 + COOLDOWN_MS)
    assert trigger.close_due(due - timedelta(milliseconds=1)) == 0
    assert trigger.close_due(due + timedelta(hours=1)) == 1
    assert Alert.objects.get().closed_at == due


def test_it_closes_at_that_very_instant() -> None:
    decide(arrive(1_000))
    assert trigger.close_due(from_epoch_ms(NOW_MS + COOLDOWN_MS)) == 1


def test_it_is_not_closed_while_a_signal_of_it_is_unread() -> None:
    decide(arrive(1_000))
    late = arrive(1_000, COOLDOWN_MS - 1)
    assert trigger.close_due(from_epoch_ms(NOW_MS + COOLDOWN_MS + 50)) == 0
    assert decide(late) == ["updated"]


def test_a_signal_at_the_end_of_the_cooldown_closes_the_old_one_and_opens_a_new_one() -> None:
    assert decide(arrive(1_000), arrive(1_000, COOLDOWN_MS)) == ["opened", "opened"]
    old, new = Alert.objects.order_by("id")
    assert old.closed_at == new.opened_at == from_epoch_ms(NOW_MS + COOLDOWN_MS)
    assert new.closed_at is None


# Who is told


def test_everybody_hears_of_each_later_step_once() -> None:
    from_low, from_high = somebody(), somebody(Severity.HIGH)
    for second, value in enumerate((1_000, 1_100, 4_000, 1_000, 4_100, 8_000, 16_000)):
        decide(arrive(value, second * 1_000))
    assert (told(from_low), told(from_high)) == ([1, 3, 4, 5], [3, 4, 5])


def test_whoever_wants_only_cascades_hears_when_the_incident_becomes_one() -> None:
    cascades, both = somebody(), somebody()
    Subscription.objects.create(subscriber=both, kind=LIQUIDATION, lowest_severity=Severity.LOW)
    assert decide(arrive(4_000, 0, LIQUIDATION), arrive(2_000, 1_000, CASCADE)) == ["opened", "became_cascade"]
    assert (told(cascades), told(both)) == ([2], [3])


def test_a_custom_threshold_below_low_opens_an_incident_for_those_people_only() -> None:
    custom, usual = somebody(custom=600), somebody()
    assert decide(arrive(600)) == ["opened"]
    assert (Alert.objects.get().severity, told(custom), told(usual)) == (Severity.BELOW_LOW, [0], [])
    assert decide(arrive(1_000, 1_000)) == ["escalated"]
    assert (told(custom), told(usual)) == ([0, 1], [1])


def test_a_custom_threshold_above_low_replaces_the_lowest_severity() -> None:
    custom = somebody(custom=3_000)
    decide(arrive(2_000), arrive(2_999, 1_000), arrive(3_000, 2_000))
    assert told(custom) == [2]


def test_a_custom_threshold_that_nobody_passes_opens_nothing() -> None:
    somebody(custom=600)
    assert decide(arrive(599)) == ["below_low"]
    assert Alert.objects.count() == 0


def test_a_signal_that_can_tell_nobody_new_starts_no_fan_out() -> None:
    somebody()
    decide(arrive(1_000), arrive(1_100, 1_000), arrive(1_200, 2_000))
    assert FanOut.objects.count() == 1


def test_somebody_who_came_during_the_incident_is_told_by_the_next_signal() -> None:
    decide(arrive(1_000))
    newcomer = somebody()
    decide(arrive(1_100, 1_000))
    assert told(newcomer) == [1]


def test_a_change_during_the_incident_is_looked_at_once() -> None:
    somebody()
    decide(arrive(5_000))
    somebody()
    decide(arrive(4_000, 1_000), arrive(4_000, 2_000), arrive(3_000, 3_000), arrive(4_500, 4_000))
    assert list(FanOut.objects.order_by("id").values_list("signal__value", flat=True)) == [5_000, 4_000, 4_500], (
        "the last is larger than what told the newcomer"
    )


def test_a_custom_threshold_passed_at_a_lower_step_hears_of_the_higher_one_too() -> None:
    ThresholdRule.objects.filter(asset="BTC").update(min_venues=2)
    custom = somebody(custom=4_500)
    both = {Venue.BYBIT: 3_000, Venue.OKX: 1_000}
    decide(arrive(5_000), arrive(4_000, 1_000, venues=both), arrive(5_000, 2_000, venues=both))
    assert told(custom) == [2, 3]


def test_a_threshold_set_between_two_peaks_is_heard_of_when_the_value_passes_it_again() -> None:
    usual = somebody()
    decide(arrive(5_000))
    custom = somebody(custom=4_500)
    decide(arrive(4_000, 1_000))
    assert told(custom) == []
    decide(arrive(4_800, 2_000))
    assert (told(usual), told(custom)) == ([3], [3])


def test_who_wants_confirmed_alerts_only_hears_once_an_unconfirmed_step_is_confirmed() -> None:
    ThresholdRule.objects.filter(asset="BTC").update(min_venues=2)
    careful, usual = somebody(), somebody()
    Subscriber.objects.filter(pk=careful.pk).update(confirmed_only=True)
    assert decide(arrive(4_000), arrive(4_100, 1_000)) == ["opened", "updated"]
    assert (told(usual), told(careful)) == ([2], [])
    assert decide(arrive(2_000, 2_000, venues={Venue.BYBIT: 1_000, Venue.OKX: 1_000})) == ["updated"]
    assert (told(usual), told(careful)) == ([2], [2])
    assert list(FanOut.objects.values_list("unconfirmed", flat=True)) == [True, False]


def test_who_wants_one_direction_is_told_of_that_one_only() -> None:
    shorts, both = somebody(), somebody()
    Subscription.objects.filter(subscriber=shorts).update(direction="SHORT")
    decide(arrive(1_000), arrive(1_000, direction=Direction.SHORT))
    assert (told(shorts), told(both)) == ([1], [1, 1])
    assert Delivery.objects.get(subscriber=shorts).alert == Alert.objects.get(direction="SHORT")


# Silence


@pytest.mark.parametrize(("kind", "asset"), [("", ""), ("cascade", ""), ("", "BTC"), ("cascade", "BTC")])
def test_under_a_silence_the_incident_is_stored_and_nobody_is_told_and_the_reason_is_kept(kind: str, asset: str) -> None:
    chat = somebody()
    Silence.objects.create(kind=kind, asset=asset, until=timezone.now() + timedelta(hours=1))
    assert decide(arrive(4_000)) == ["opened"]
    assert Alert.objects.get().severity == Severity.HIGH
    assert told(chat) == []
    assert Decision.objects.get().reason.startswith("silenced")


@pytest.mark.parametrize(("kind", "asset", "hours"), [("liquidation", "", 1), ("", "ETH", 1), ("", "", -1)])
def test_a_silence_of_another_kind_or_asset_or_one_that_is_over_keeps_nothing_back(kind: str, asset: str, hours: int) -> None:
    chat = somebody()
    Silence.objects.create(kind=kind, asset=asset, until=timezone.now() + timedelta(hours=hours))
    decide(arrive(4_000))
    assert told(chat) == [3]


def test_after_a_silence_the_next_signal_tells_who_was_not_told() -> None:
    chat = somebody()
    silence = Silence.objects.create(until=timezone.now() + timedelta(hours=1))
    decide(arrive(4_000))
    silence.delete()
    decide(arrive(1_000, 1_000))
    assert told(chat) == [1]


def test_an_incident_opens_together_with_its_first_chunk_and_the_sweep_writes_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "CHUNK", 3)
    people = [somebody() for _ in range(8)]
    signal = arrive(1_500)
    with monkeypatch.context() as dying:
        dying.setattr(outbox, "wake_dispatcher", _dies)
        with pytest.raises(KeyboardInterrupt):
            trigger.evaluate(signal.fingerprint)
    assert [bool(told(person)) for person in people] == [True] * 3 + [False] * 5
    assert FanOut.objects.get().done_at is None
    assert outbox.resume() == 5
    assert [told(person) for person in people] == [[1]] * 8
    assert FanOut.objects.get().done_at is not None


def _dies(severity: Severity) -> None:
    raise KeyboardInterrupt


def test_one_dispatch_is_asked_for_when_all_are_told_at_once(valkey: "Redis") -> None:
    somebody()
    trigger.evaluate(arrive(1_500).fingerprint)
    assert FanOut.objects.get().done_at is not None
    assert [valkey.llen(queue) for queue in valkey.keys("alertsystem:delivery*")] == [1]


def test_incidents_that_go_on_are_looked_at_without_a_lock(django_assert_num_queries: Any) -> None:
    signals = [arrive(1_500, asset=asset) for asset in ("ADA", "XRP", "DOGE")]
    ThresholdRule.objects.filter(asset="").update(**LADDER)
    decide(*signals)
    last = Alert.objects.order_by("-last_seen_at")[0].last_seen_at
    with django_assert_num_queries(1):
        assert trigger.close_due(last + timedelta(seconds=299)) == 0
    assert trigger.close_due(last + timedelta(seconds=300)) == 3


def test_nothing_to_expire_takes_no_lock(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        assert outbox.expire_due(timezone.now()) == 0
