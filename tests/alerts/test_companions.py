"""An alert of another kind on the same asset becomes a line of the open incident's message, where somebody has that message."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis

from alerts import digests, outbox, trigger
from alerts.digest_message import digest_message
from alerts.dispatcher import drain
from alerts.messages import message_for
from alerts.models import Alert, Decision, Delivery, FanOut, Silence
from monitors import recorder
from monitors.market import Direction, Kind, epoch_ms
from monitors.models import ThresholdRule
from monitors.thresholds import Severity
from subscribers import services
from subscribers.models import Mute, Subscriber
from tests.alerts.builders import make_alert, make_console, make_delivery, make_subscriber
from tests.builders import LADDER, make_signal
from tests.fakes.telegram import FakeTelegram

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey", "rules")]
State = Delivery.State
CASCADE, INTEREST, VOLUME = Kind.CASCADE, Kind.OPEN_INTEREST, Kind.VOLUME
LOW, MODERATE, HIGH = 2, 4, 6  # percent of open interest
OI_LADDER = {"low": LOW, "moderate": MODERATE, "high": HIGH, "extreme": 10}
OI_DETAILS = {
    "coins_from": "1000", "coins_to": "950", "usd_from": "100000", "usd_to": "90000", "coins_part_usd": "-5000", "price_part_usd": "-5000",
    "price_percent": "-1.5", "usual_price_percent": "0.5",
}  # fmt: skip
_later = itertools.count()


@pytest.fixture
def rules() -> None:
    """LOW of liquidations and cascades at $1,000, of open interest at 2 %."""
    ThresholdRule.objects.filter(kind__in=[CASCADE, Kind.LIQUIDATION]).update(**LADDER, min_venues=1)
    ThresholdRule.objects.filter(kind=INTEREST).update(**OI_LADDER, min_venues=1)
    ThresholdRule.objects.filter(kind=VOLUME).update(**LADDER, min_venues=1)


def comes(value: float, kind: Kind = CASCADE, asset: str = "BTC", after_s: float = 0, direction: Direction = Direction.LONG) -> Alert:
    """A signal `after_s` from now, decided and told; its incident."""
    if kind is INTEREST:
        direction = Direction.DOWN
    at_ms = epoch_ms(timezone.now()) + round(after_s * 1000) + next(_later)
    details = OI_DETAILS if kind is INTEREST else {"usd": "1", "baseline_usd": "1", "price_percent": "0"} if kind is VOLUME else {}
    measured = replace(make_signal(value, kind=kind, asset=asset, direction=direction, details=details), received_at_ms=at_ms, occurred_at_ms=at_ms - 100)
    recorder.write([(measured, timezone.now())])
    trigger.evaluate(measured.fingerprint)
    return Alert.objects.order_by("-id").get(fingerprint=measured.fingerprint, closed_at=None)


def wants_both(**fields: Any) -> Subscriber:
    somebody = make_subscriber(**fields)
    somebody.subscriptions.create(kind=INTEREST, lowest_severity=Severity.LOW)
    return somebody


def told(subscriber: Subscriber) -> list[tuple[str, int, str]]:
    """(kind, step, state) of each delivery, in their order."""
    return list(Delivery.objects.filter(subscriber=subscriber).order_by("id").values_list("alert__kind", "step", "state"))


def a_while_ago(valkey: Redis) -> None:
    """What was sent may be edited now."""
    Delivery.objects.filter(sent_at__isnull=False).update(sent_at=timezone.now() - timedelta(seconds=6), edited_at=None)
    valkey.flushall()


# Whether it becomes a line


def test_an_oi_drop_inside_a_cascade_is_a_line_of_its_message() -> None:
    somebody = wants_both()
    cascade, drop = comes(5_000), comes(MODERATE, INTEREST, after_s=60)
    assert told(somebody) == [("cascade", 3, State.PENDING), ("open_interest", 2, State.FOLDED)]
    assert drop.companion_of == cascade
    row = Delivery.objects.get(alert=drop)
    assert (row.reason, row.held_until) == (f"told in the message of alert {cascade.pk}", None)
    text = message_for(Delivery.objects.get(alert=cascade), timezone.now()).plain
    assert f"Also MODERATE: open interest −4.00 %, 1 of 3 venues, since {drop.opened_at:%H:%M:%S} UTC" in text.splitlines()


def test_its_decision_says_that_it_is_part_of_another_incident() -> None:
    wants_both()
    cascade, drop = comes(5_000), comes(MODERATE, INTEREST)
    comes(MODERATE + 1, INTEREST, after_s=1)
    assert set(Decision.objects.filter(alert=drop).values_list("outcome", "reason")) == {
        ("opened", f"part of another incident: alert {cascade.pk}"), ("updated", f"part of another incident: alert {cascade.pk}"),
    }  # fmt: skip


def test_a_liquidation_beside_an_oi_change_is_as_well() -> None:
    somebody = wants_both()
    comes(HIGH, INTEREST)
    comes(1_500)
    assert told(somebody) == [("open_interest", 3, State.PENDING), ("cascade", 1, State.FOLDED)]


@pytest.mark.parametrize(("seconds", "state"), [(118, State.FOLDED), (122, State.PENDING)])
def test_only_within_two_minutes(seconds: float, state: str) -> None:
    somebody = wants_both()
    comes(5_000)
    comes(LOW, INTEREST, after_s=seconds)
    assert told(somebody)[1] == ("open_interest", 1, state)


@pytest.mark.parametrize(("percent", "state"), [(HIGH, State.FOLDED), (10, State.PENDING)])
def test_not_when_it_is_more_severe(percent: float, state: str) -> None:
    somebody = wants_both()
    comes(5_000)  # HIGH
    comes(percent, INTEREST)
    assert told(somebody)[1][2] == state


def test_not_of_another_asset_nor_of_the_same_kind() -> None:
    somebody = wants_both()
    comes(5_000)
    comes(LOW, INTEREST, asset="ETH")
    comes(1_500, direction=Direction.SHORT)
    assert {state for _, _, state in told(somebody)} == {State.PENDING}
    assert not Alert.objects.filter(companion_of__isnull=False).exists()


def test_of_several_open_incidents_the_most_severe_has_the_line_and_a_companion_has_none() -> None:
    somebody = wants_both()
    somebody.subscriptions.create(kind=VOLUME, lowest_severity=Severity.LOW)
    comes(2_000)
    short = comes(5_000, direction=Direction.SHORT)
    drop, spike = comes(MODERATE, INTEREST), comes(1_500, VOLUME, direction=Direction.NONE)
    assert (drop.companion_of, spike.companion_of) == (short, short)


def test_not_when_the_other_incident_is_over_or_was_told_to_nobody() -> None:
    somebody = wants_both()
    comes(5_000)
    Alert.objects.update(closed_at=timezone.now())
    comes(LOW, INTEREST)
    Silence.objects.create(kind=CASCADE, until=timezone.now() + timedelta(hours=1))
    comes(5_000, asset="ETH")
    comes(LOW, INTEREST, asset="ETH")
    assert {state for kind, _, state in told(somebody) if kind == INTEREST} == {State.PENDING}


# To whom


def test_whoever_does_not_get_the_message_gets_one_of_its_own() -> None:
    both, loud = wants_both(), wants_both(lowest=Severity.EXTREME)
    console = make_console()
    console.subscriptions.create(kind=INTEREST, lowest_severity=Severity.LOW)
    comes(5_000)
    comes(LOW, INTEREST)
    assert [told(somebody)[-1] for somebody in (both, loud, console)] == [
        ("open_interest", 1, State.FOLDED), ("open_interest", 1, State.PENDING), ("open_interest", 1, State.PENDING),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("host", "state"),
    [
        ({"state": State.SENDING}, State.FOLDED), ({"state": State.SENT, "message_id": 7}, State.FOLDED), ({"state": State.SENT, "live": False}, State.PENDING),
        ({"state": State.HELD}, State.PENDING), ({"state": State.EXPIRED}, State.PENDING), ({"state": State.FAILED}, State.PENDING),
    ],
)  # fmt: skip
def test_the_message_has_to_be_there_or_on_its_way(host: dict[str, Any], state: str) -> None:
    somebody = wants_both()
    comes(5_000)
    Delivery.objects.update(**host)
    comes(LOW, INTEREST)
    assert told(somebody)[1][2] == state


def test_who_is_about_to_get_the_message_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fan-out of the cascade had only begun when its worker died."""
    monkeypatch.setattr("alerts.outbox.CHUNK", 1)
    _, somebody = wants_both(), wants_both()
    monkeypatch.setattr("alerts.trigger.outbox.fan_out", lambda *_: 0)
    comes(5_000)
    assert told(somebody) == []
    comes(LOW, INTEREST)
    monkeypatch.undo()
    outbox.fan_out(FanOut.objects.order_by("-id")[0])
    assert told(somebody) == [("cascade", 3, State.PENDING), ("open_interest", 1, State.FOLDED)]


def test_what_is_muted_is_not_told_there_and_what_the_cap_or_quiet_hours_would_hold_is() -> None:
    muted, capped = wants_both(), wants_both()
    Mute.objects.create(subscriber=muted, kind=INTEREST, until=timezone.now() + timedelta(hours=1))
    for _ in range(10):
        make_delivery(capped, alert=make_alert())
    comes(5_000)
    comes(LOW, INTEREST)
    assert (told(muted)[-1][2], told(capped)[-1][2]) == (State.HELD, State.FOLDED)


def test_many_are_told_chunk_by_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.outbox.CHUNK", 3)
    people = [wants_both() for _ in range(8)]
    cascade = comes(5_000)
    comes(LOW, INTEREST)
    assert {told(somebody)[1] for somebody in people} == {("open_interest", 1, State.FOLDED)}
    assert Alert.objects.get(pk=cascade.pk).revision == 4  # once for each chunk


# What follows


def test_the_message_that_was_sent_is_edited_with_each_change_of_the_companion(telegram: FakeTelegram, valkey: Redis) -> None:
    telegram.limits.chat_interval_s = 0
    somebody = wants_both()
    comes(5_000)
    drain()
    for value, line in ((LOW, "Also LOW: open interest −2.00 %"), (LOW + 1, "Also LOW: open interest −3.00 %"), (HIGH, "Also HIGH: open interest −6.00 %")):
        comes(value, INTEREST)
        a_while_ago(valkey)
        drain()
        assert line in telegram.sent_to(somebody.chat_id)[0].plain
    Alert.objects.filter(kind=INTEREST).update(last_seen_at=timezone.now() - timedelta(hours=2))
    trigger.close_due(timezone.now())
    a_while_ago(valkey)
    drain()
    assert "UTC, over" in telegram.sent_to(somebody.chat_id)[0].plain
    assert len(telegram.sent) == 1


def test_a_companion_that_escalates_above_gets_a_message_of_its_own_at_that_step(telegram: FakeTelegram) -> None:
    telegram.limits.chat_interval_s = 0
    somebody = wants_both()
    comes(5_000)
    comes(LOW, INTEREST)
    comes(HIGH, INTEREST, after_s=300)
    comes(10, INTEREST, after_s=301)
    assert told(somebody) == [
        ("cascade", 3, State.PENDING), ("open_interest", 1, State.FOLDED), ("open_interest", 3, State.FOLDED), ("open_interest", 4, State.PENDING),
    ]  # fmt: skip
    drain()
    assert [message.plain.split()[0] for message in telegram.sent_to(somebody.chat_id)] == ["EXTREME", "HIGH"]


def test_when_the_other_incident_is_over_the_companion_goes_on_by_itself() -> None:
    somebody = wants_both()
    cascade = comes(5_000)
    comes(LOW, INTEREST)
    Alert.objects.filter(pk=cascade.pk).update(closed_at=timezone.now())
    comes(MODERATE, INTEREST, after_s=1)
    assert told(somebody)[-1] == ("open_interest", 2, State.PENDING)


def test_a_higher_step_of_the_incident_takes_the_line_along(telegram: FakeTelegram) -> None:
    telegram.limits.chat_interval_s = 0
    somebody = wants_both()
    comes(1_500)
    comes(LOW, INTEREST)
    comes(5_000)
    drain()
    (message,) = telegram.sent_to(somebody.chat_id)
    assert message.plain.startswith("HIGH") and "Also LOW: open interest" in message.plain


def test_one_that_opened_below_low_joins_when_it_reaches_low() -> None:
    somebody = wants_both()
    few = make_subscriber(kind=INTEREST)
    few.subscriptions.update(custom_threshold=1)
    services.refresh_custom_floors()
    comes(1, INTEREST)
    comes(5_000)
    comes(LOW, INTEREST)
    assert told(somebody) == [("cascade", 3, State.PENDING), ("open_interest", 1, State.FOLDED)]
    assert [state for _, _, state in told(few)] == [State.SUPERSEDED, State.PENDING]


def test_market_wide_messages_have_no_companions_and_give_back_what_was_not_shown(telegram: FakeTelegram, valkey: Redis) -> None:
    telegram.limits.chat_interval_s = 0
    somebody = wants_both()
    comes(1_500, asset="SOL")
    drain()
    comes(LOW, INTEREST, asset="SOL")
    a_while_ago(valkey)
    drain()  # the line is shown
    comes(1_500, asset="XRP")
    comes(LOW, INTEREST, asset="XRP")
    for asset in ("DOGE", "ADA"):
        comes(1_500, asset=asset)
    states = {(row.alert.asset, row.alert.kind): row.state for row in Delivery.objects.filter(alert__isnull=False).select_related("alert") if row.alert}
    assert states["SOL", INTEREST] == State.FOLDED and states["XRP", INTEREST] == State.PENDING and states["XRP", CASCADE] == State.FOLDED
    comes(LOW, INTEREST, asset="ADA")
    assert told(somebody)[-1] == ("open_interest", 1, State.PENDING)


def test_a_digest_tells_of_what_would_have_been_a_line_of_a_message_that_came_too_late() -> None:
    somebody, now = wants_both(), timezone.now()
    comes(5_000)
    comes(LOW, INTEREST)
    Delivery.objects.filter(state=State.PENDING).update(expires_at=now)
    outbox.expire_due(now)
    digests.write_due(now)
    lines = digest_message(Delivery.objects.get(subscriber=somebody, purpose="digest"), now).lines
    assert [line[6:] for line in lines[:2]] == ["BTC longs liquidated $5k, HIGH, not sent in time", "BTC open interest −2.00 %, LOW, not sent in time"]
