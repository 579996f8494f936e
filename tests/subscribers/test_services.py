"""Subscribers come, go and change, and the floors follow."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection, transaction

from monitors.market import Kind
from monitors.models import CustomFloor
from monitors.thresholds import Severity
from subscribers import services
from subscribers.models import Subscriber, Subscription

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


def test_a_new_chat_gets_large_liquidations_and_cascades() -> None:
    subscriber = services.subscribe_chat(CHAT, "private", "Ann")
    moderate = {(kind, asset, Severity.MODERATE) for kind in ("liquidation", "cascade") for asset in ("BTC", "ETH", "SOL")}
    assert wanted(subscriber) == moderate | {("liquidation", "", Severity.EXTREME), ("cascade", "", Severity.EXTREME)}


def test_a_chat_that_comes_back_keeps_its_own_choices() -> None:
    subscriber = services.subscribe_chat(CHAT, "private", "Ann")
    subscriber.subscriptions.exclude(asset="BTC").delete()
    assert services.unsubscribe_chat(CHAT)
    back = services.subscribe_chat(CHAT, "private", "Ann B.")
    assert (back.pk, back.active, back.deactivated_reason, back.title, back.subscriptions.count()) == (subscriber.pk, True, "", "Ann B.", 2)


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
