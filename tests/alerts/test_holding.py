"""What is held back, why and until when: mutes, quiet hours, the hourly cap; and what gets through all the same."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from alerts import outbox
from alerts.models import Alert, Delivery
from monitors.market import Kind
from monitors.thresholds import Severity
from subscribers.models import OFF, Mute, Subscriber
from tests.alerts.builders import escalate, make_alert, make_delivery, make_fan_out, make_signal, make_subscriber

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
State = Delivery.State
HOUR = timedelta(hours=1)


def mute(subscriber: Subscriber, kind: str = "", asset: str = "", ends_in: timedelta = HOUR) -> datetime:
    """Returns when the mute ends."""
    until = timezone.now() + ends_in
    Mute.objects.create(subscriber=subscriber, kind=kind, asset=asset, until=until)
    return until


def be_quiet(subscriber: Subscriber, starts_in: timedelta = -HOUR, ends_in: timedelta = HOUR, lets_through: int = Severity.EXTREME) -> datetime:
    """Returns when the quiet hours end."""
    now = timezone.now()
    until = now + ends_in
    Subscriber.objects.filter(pk=subscriber.pk).update(quiet_starts_at=now + starts_in, quiet_ends_at=until, quiet_lets_through=lets_through)
    return until


def tell(severity: Severity = Severity.LOW, asset: str = "BTC", kind: Kind = Kind.CASCADE) -> Alert:
    alert = make_alert(make_signal(asset=asset, kind=kind), severity)
    outbox.fan_out(make_fan_out(alert))
    return alert


def row(alert: Alert, **which: Any) -> tuple[str, str, datetime | None]:
    """State, reason, until when."""
    found = Delivery.objects.get(alert=alert, **which)
    return found.state, found.reason, found.held_until


@pytest.mark.parametrize(("kind", "asset"), [("", ""), ("cascade", ""), ("", "BTC"), ("cascade", "BTC")])
@pytest.mark.parametrize("severity", [Severity.LOW, Severity.EXTREME])
def test_a_mute_of_the_kind_or_the_asset_holds_back_and_lets_nothing_through(kind: str, asset: str, severity: Severity) -> None:
    until = mute(make_subscriber(), kind, asset)
    assert row(tell(severity)) == (State.HELD, "muted", until)


@pytest.mark.parametrize(("kind", "asset", "ends_in"), [("volume", "", HOUR), ("", "ETH", HOUR), ("cascade", "ETH", HOUR), ("", "", -HOUR)])
def test_other_mutes_and_those_that_are_over_hold_nothing(kind: str, asset: str, ends_in: timedelta) -> None:
    mute(make_subscriber(), kind, asset, ends_in)
    assert row(tell()) == (State.PENDING, "", None)


def test_the_last_of_several_mutes_counts() -> None:
    somebody = make_subscriber()
    mute(somebody, asset="BTC")
    until = mute(somebody, ends_in=3 * HOUR)
    mute(somebody, kind="cascade", ends_in=2 * HOUR)
    assert row(tell())[2] == until


def test_a_mute_is_for_its_subscriber_alone() -> None:
    muted, other = make_subscriber(), make_subscriber()
    mute(muted)
    alert = tell()
    assert row(alert, subscriber=muted)[0] == State.HELD and row(alert, subscriber=other)[0] == State.PENDING


@pytest.mark.parametrize(
    ("severity", "lets_through", "state"),
    [
        (Severity.LOW, Severity.EXTREME, State.HELD), (Severity.HIGH, Severity.EXTREME, State.HELD), (Severity.EXTREME, Severity.EXTREME, State.PENDING),
        (Severity.HIGH, Severity.HIGH, State.PENDING), (Severity.MODERATE, Severity.HIGH, State.HELD), (Severity.EXTREME, OFF, State.HELD),
    ],
)  # fmt: skip
def test_quiet_hours_hold_back_what_is_below_their_exception_level(severity: Severity, lets_through: int, state: str) -> None:
    until = be_quiet(make_subscriber(), lets_through=lets_through)
    held = state == State.HELD
    assert row(tell(severity)) == (state, "quiet hours" if held else "", until if held else None)


@pytest.mark.parametrize(("starts_in", "ends_in"), [(HOUR, 2 * HOUR), (-2 * HOUR, -HOUR)])
def test_quiet_hours_that_are_over_or_to_come_hold_nothing(starts_in: timedelta, ends_in: timedelta) -> None:
    be_quiet(make_subscriber(), starts_in, ends_in)
    assert row(tell())[0] == State.PENDING


def test_the_cap_holds_until_the_message_that_fills_it_is_an_hour_old() -> None:
    somebody, now = make_subscriber(), timezone.now()
    for minutes in range(50, 39, -1):  # eleven: the eldest leaves first, and then there are still ten
        make_delivery(somebody, alert=make_alert(), queued_at=now - timedelta(minutes=minutes))
    assert row(tell()) == (State.HELD, "over the hourly cap", now + timedelta(minutes=11))


def test_of_several_reasons_the_mute_comes_first_then_quiet_hours_then_the_cap() -> None:
    muted, quiet, capped = people = [make_subscriber() for _ in range(3)]
    for somebody in people:
        for _ in range(10):
            make_delivery(somebody, alert=make_alert())
    mute(muted)
    be_quiet(muted)
    be_quiet(quiet)
    alert = tell()
    assert [row(alert, subscriber=somebody)[1] for somebody in (muted, quiet, capped)] == ["muted", "quiet hours", "over the hourly cap"]


def test_what_is_held_counts_as_told_at_its_step() -> None:
    be_quiet(make_subscriber())
    alert = tell()
    outbox.fan_out(make_fan_out(alert))
    assert Delivery.objects.count() == 1


def test_an_incident_that_escalates_past_the_exception_level_is_sent_at_once_and_no_longer_held() -> None:
    be_quiet(make_subscriber())
    alert = tell(Severity.MODERATE)
    outbox.fan_out(escalate(alert, Severity.HIGH))
    assert [state for state, _, _ in rows(alert)] == [State.HELD, State.HELD]
    outbox.fan_out(escalate(alert, Severity.EXTREME, 20_000_000))
    assert rows(alert) == [(State.SUPERSEDED, 2, "a higher step followed"), (State.SUPERSEDED, 3, "a higher step followed"), (State.PENDING, 4, "")]
    assert not Delivery.objects.filter(held_until__isnull=False).exists(), "no digest tells of them"


def rows(alert: Alert) -> list[tuple[str, int, str]]:
    return list(Delivery.objects.filter(alert=alert).order_by("step").values_list("state", "step", "reason"))


def test_a_chunk_of_subscribers_is_written_by_one_statement(django_assert_num_queries: Any) -> None:
    for number in range(30):
        somebody = make_subscriber()
        if number % 3 == 0:
            mute(somebody, asset="BTC")
        if number % 2 == 0:
            be_quiet(somebody)
    tell(asset="ETH")  # whatever is compiled once
    alert = make_alert(make_signal(asset="BTC"))
    fan_out = make_fan_out(alert)
    with django_assert_num_queries(6):  # savepoint and release, the fan-outs, the chunk's end, the rows, done
        outbox._write_chunk(fan_out.pk)
    assert Delivery.objects.filter(alert=alert, state=State.HELD, reason="muted").count() == 10
    assert Delivery.objects.filter(alert=alert, state=State.HELD, reason="quiet hours").count() == 10
    assert Delivery.objects.filter(alert=alert, state=State.PENDING).count() == 10
