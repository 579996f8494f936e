"""Subscribers come, go and change, and the floors follow."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.utils import timezone

from monitors.market import Kind
from monitors.models import CustomFloor
from monitors.thresholds import Severity
from subscribers import services
from subscribers.models import Mute, PreferenceChange, Subscriber, Subscription
from subscribers.preferences import Choice, Preferences, QuietHours
from subscribers.selectors import preferences_as_of, preferences_of

pytestmark = pytest.mark.django_db

CHAT = 4711


def wanted(subscriber: Subscriber) -> set[tuple[str, str, int]]:
    return set(subscriber.subscriptions.values_list("kind", "asset", "lowest_severity"))


def floors() -> dict[tuple[str, str], Decimal]:
    return {(floor.kind, floor.asset): floor.value for floor in CustomFloor.objects.all()}


def with_threshold(chat_id: int, value: int, asset: str = "BTC") -> Subscriber:
    subscriber = services.subscribe_chat(chat_id, "private", "Ann")
    Subscription.objects.filter(subscriber=subscriber, kind=Kind.CASCADE, asset=asset).update(custom_threshold=value)
    services.refresh_custom_floors()
    return subscriber


def test_floors_that_stay_what_they_are_are_not_written_anew() -> None:
    with_threshold(1, 2_000_000)
    [before] = CustomFloor.objects.values_list("pk", flat=True)
    services.subscribe_chat(2, "private", "Bob")
    with_threshold(3, 3_000_000)
    assert list(CustomFloor.objects.values_list("pk", flat=True)) == [before]


def test_the_console_wants_every_kind_and_asset_from_low_and_is_never_capped() -> None:
    console = services.ensure_console_subscriber()
    assert (console.channel, console.capped, console.active) == ("console", False, True)
    assert wanted(console) == {(kind.value, "", Severity.LOW) for kind in Kind}


def test_a_console_that_the_operator_changed_stays_as_it_is() -> None:
    console = services.ensure_console_subscriber()
    console.subscriptions.exclude(kind=Kind.CASCADE).delete()
    services.deactivate(console, "too loud")
    again = services.ensure_console_subscriber()
    assert (again.pk, again.active, again.subscriptions.count()) == (console.pk, False, 1)


def test_a_new_chat_gets_large_liquidations_cascades_and_changes_of_open_interest() -> None:
    subscriber = services.subscribe_chat(CHAT, "private", "Ann")
    kinds = ("liquidation", "cascade", "open_interest")
    moderate = {(kind, asset, Severity.MODERATE) for kind in kinds for asset in ("BTC", "ETH", "SOL")}
    assert wanted(subscriber) == moderate | {(kind, "", Severity.EXTREME) for kind in kinds}


def test_a_chat_that_comes_back_keeps_its_own_choices() -> None:
    subscriber = services.subscribe_chat(CHAT, "private", "Ann")
    subscriber.subscriptions.exclude(asset="BTC").delete()
    assert services.unsubscribe_chat(CHAT)
    back = services.subscribe_chat(CHAT, "private", "Ann B.")
    assert (back.pk, back.active, back.deactivated_reason, back.title, back.subscriptions.count()) == (subscriber.pk, True, "", "Ann B.", 3)


def test_subscribing_twice_changes_nothing_of_what_is_wanted() -> None:
    before = services.subscribe_chat(CHAT, "private", "Ann")
    after = services.subscribe_chat(CHAT, "private", "Ann with a new name")
    after.refresh_from_db()
    assert (after.changed_at, after.title) == (before.changed_at, "Ann with a new name")


def test_leaving_says_why_and_touches_the_time_of_change() -> None:
    before = services.subscribe_chat(CHAT, "private", "Ann")
    services.deactivate(before, "x" * 500)
    after = Subscriber.objects.get(pk=before.pk)
    assert (after.active, after.deactivated_reason, after.changed_at > before.created_at) == (False, "x" * 200, True)
    assert not services.unsubscribe_chat(CHAT)


def test_a_name_that_no_database_would_take_is_cleaned() -> None:
    assert services.subscribe_chat(CHAT, "private", "A\x00" + "n" * 300).title == "A" + "n" * 254


def test_the_floor_is_the_lowest_custom_threshold_of_active_subscribers() -> None:
    with_threshold(1, 90_000)
    low = with_threshold(2, 50_000)
    with_threshold(3, 20_000, asset="")
    assert floors() == {("cascade", "BTC"): 50_000, ("cascade", ""): 20_000}
    services.deactivate(low, "gone")
    assert floors()["cascade", "BTC"] == 90_000
    services.subscribe_chat(2, "private", "Ann")
    assert floors()["cascade", "BTC"] == 50_000


def test_a_group_that_became_a_supergroup_keeps_its_subscription() -> None:
    group = services.subscribe_chat(-5, "group", "Desk")
    moved = services.move_chat(-5, -1005)
    assert moved is not None
    assert (moved.pk, moved.chat_id, moved.chat_type, moved.active) == (group.pk, -1005, "supergroup", True)
    assert services.move_chat(-5, -1005) == moved  # Telegram says it in both chats


def test_a_supergroup_that_is_subscribed_already_replaces_the_old_group() -> None:
    old, new = services.subscribe_chat(-5, "group", "Desk"), services.subscribe_chat(-1005, "supergroup", "Desk")
    assert services.move_chat(-5, -1005) == new
    old.refresh_from_db()
    assert not old.active


def test_a_group_that_never_subscribed_moves_unnoticed() -> None:
    assert services.move_chat(-5, -1005) is None


@pytest.mark.django_db(transaction=True)
def test_two_changes_at_once_do_not_miss_each_others_thresholds() -> None:
    """Each thread lowers its own subscriber's threshold round after round; in the end the floor is the lowest of all."""
    people = [services.subscribe_chat(chat_id, "private", "Ann") for chat_id in (1, 2, 3)]

    def lower(subscriber: Subscriber) -> None:
        for step in range(15):
            with transaction.atomic():
                subscriber.subscriptions.filter(kind=Kind.CASCADE, asset="BTC").update(custom_threshold=100_000 - 1_000 * step - subscriber.chat_id)
                services.refresh_custom_floors()
        connection.close()

    with ThreadPoolExecutor() as pool:
        list(pool.map(lower, people))
    assert floors() == {("cascade", "BTC"): 100_000 - 14_000 - 3}


# Changing what is wanted

NOW = datetime(2026, 7, 11, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CASCADE = Kind.CASCADE


def kept(subscriber: Subscriber, at: datetime) -> Preferences:
    """What was wanted then."""
    found = preferences_as_of(subscriber, at)
    assert found is not None
    return found


@pytest.fixture
def ann() -> Subscriber:
    """Subscribed a day ago."""
    subscriber = services.subscribe_chat(CHAT, "private", "Ann")
    subscriber.changes.update(at=NOW - timedelta(days=1))
    return subscriber


def test_a_choice_replaces_the_one_before_and_the_floor_follows(ann: Subscriber) -> None:
    services.choose(ann, CASCADE, "BTC", Choice(Severity.LOW, Decimal(90_000), "LONG"), NOW)
    assert preferences_of(ann).choices[CASCADE, "BTC"] == Choice(Severity.LOW, Decimal(90_000), "LONG")
    assert floors() == {("cascade", "BTC"): 90_000}
    services.choose(ann, CASCADE, "BTC", None, NOW + HOUR)
    assert (CASCADE, "BTC") not in preferences_of(ann).choices
    assert floors() == {}


def test_every_change_is_kept_with_its_time(ann: Subscriber) -> None:
    services.choose(ann, CASCADE, "BTC", Choice(Severity.HIGH), NOW)
    services.mute(ann, None, "BTC", NOW + 3 * HOUR, NOW + HOUR)
    services.set_time_zone(ann, "Europe/Zurich", NOW + 2 * HOUR)
    services.set_quiet_hours(ann, time(23), time(7), Severity.HIGH, NOW + 2 * HOUR + timedelta(minutes=1))
    services.set_confirmed_only(ann, True, NOW + 4 * HOUR)
    at = [kept(ann, NOW + hours * HOUR) for hours in (-1, 0, 1, 2, 3, 4)]
    assert [each.choices[CASCADE, "BTC"].lowest_severity for each in at] == [2, 3, 3, 3, 3, 3]
    assert [dict(each.mutes) for each in at] == [{}, {}, *[{("", "BTC"): NOW + 3 * HOUR}] * 3, {}], "a mute that is over is gone with the next change"
    assert [each.time_zone for each in at] == ["UTC"] * 3 + ["Europe/Zurich"] * 3
    assert [each.quiet for each in at] == [None] * 4 + [QuietHours(time(23), time(7), Severity.HIGH)] * 2
    assert [each.confirmed_only for each in at] == [False] * 5 + [True]
    assert preferences_as_of(ann, NOW - timedelta(days=2)) is None


def test_coming_and_going_are_kept_too(ann: Subscriber) -> None:
    services.deactivate(ann, "left")
    services.subscribe_chat(CHAT, "private", "Ann")
    assert kept(ann, timezone.now()).active
    first, *_, last = ann.changes.order_by("at")
    assert (first.wanted["active"], last.wanted["active"]) == (True, True)


def test_what_changes_nothing_adds_nothing_to_the_record_and_a_second_of_tapping_is_one_entry(ann: Subscriber) -> None:
    for _ in range(3):
        services.set_confirmed_only(ann, False, NOW)
    assert ann.changes.count() == 1
    for severity in (Severity.LOW, Severity.HIGH, Severity.EXTREME):
        services.choose(ann, CASCADE, "BTC", Choice(severity), NOW + severity * timedelta(milliseconds=200))
    assert ann.changes.count() == 2
    assert kept(ann, NOW + HOUR).choices[CASCADE, "BTC"] == Choice(Severity.EXTREME)


def test_a_change_is_seen_by_the_trigger_engine(ann: Subscriber) -> None:
    before = Subscriber.objects.get(pk=ann.pk).changed_at
    services.choose(ann, CASCADE, "BTC", Choice(Severity.LOW), NOW)
    assert Subscriber.objects.get(pk=ann.pk).changed_at > before


def test_a_mute_is_prolonged_and_ended(ann: Subscriber) -> None:
    services.mute(ann, None, "BTC", NOW + HOUR, NOW)
    services.mute(ann, None, "BTC", NOW + 8 * HOUR, NOW)
    services.mute(ann, CASCADE, "BTC", NOW + HOUR, NOW)
    services.mute(ann, CASCADE, "", NOW + HOUR, NOW)
    assert dict(preferences_of(ann).mutes) == {("", "BTC"): NOW + 8 * HOUR, ("cascade", "BTC"): NOW + HOUR, ("cascade", ""): NOW + HOUR}
    assert [services.unmute(ann, None, "BTC", NOW), services.unmute(ann, None, "BTC", NOW)] == [2, 0]
    assert services.unmute(ann, None, "", NOW) == 1
    assert ann.mutes.count() == 0


def test_too_many_are_refused(ann: Subscriber, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "AT_MOST", 13)
    services.choose(ann, CASCADE, "DOGE", Choice(Severity.LOW), NOW)
    with pytest.raises(services.TooMany):
        services.choose(ann, CASCADE, "PEPE", Choice(Severity.LOW), NOW)
    services.choose(ann, CASCADE, "DOGE", Choice(Severity.HIGH), NOW)
    assert ann.subscriptions.count() == 13


def test_quiet_hours_are_placed_by_the_clock_of_the_zone_and_renewed_when_they_are_over(ann: Subscriber) -> None:
    def placed() -> tuple[datetime | None, datetime | None]:
        row = Subscriber.objects.get(pk=ann.pk)
        return row.quiet_starts_at, row.quiet_ends_at

    tonight = NOW.replace(hour=23), NOW.replace(day=12, hour=7)
    services.set_quiet_hours(ann, time(23), time(7), Severity.EXTREME, NOW)
    assert placed() == tonight
    services.set_time_zone(ann, "UTC+02:00", NOW)
    assert placed() == (tonight[0] - 2 * HOUR, tonight[1] - 2 * HOUR)
    assert services.renew_quiet_hours(tonight[1] - 2 * HOUR - timedelta(seconds=1)) == 0
    assert services.renew_quiet_hours(tonight[1] - 2 * HOUR) == 1
    assert placed() == (tonight[0] + 22 * HOUR, tonight[1] + 22 * HOUR)
    services.set_quiet_hours(ann, None, None, Severity.EXTREME, NOW)
    assert placed() == (None, None)


def test_nothing_is_left_of_a_subscriber_that_is_forgotten(ann: Subscriber) -> None:
    services.choose(ann, CASCADE, "BTC", Choice(Severity.LOW, Decimal(90_000)), NOW)
    services.mute(ann, None, "BTC", NOW + HOUR, NOW)
    services.forget(ann)
    assert [model.objects.count() for model in (Subscriber, Subscription, Mute, PreferenceChange)] == [0, 0, 0, 0]
    assert floors() == {}
