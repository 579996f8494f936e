"""An operator changes what somebody wants, and sends a test."""

from collections.abc import Mapping

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from alerts.manual import TEST_TEXT
from alerts.models import Delivery
from monitors.models import CustomFloor
from monitors.thresholds import Severity
from subscribers import services
from subscribers.models import Subscriber
from tests.alerts.builders import make_alert, make_delivery, make_subscriber

pytestmark = pytest.mark.django_db
LIST = "admin:subscribers_subscriber_changelist"


@pytest.fixture
def client() -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("operator", password="-"))
    return browser


def save(client: Client, subscriber: Subscriber, row: Mapping[str, str] | None = None, active: bool = True, **fields: str) -> str:
    """Save the subscriber's page with one changed subscription, and other fields; the page that follows, if it stays."""
    kept = subscriber.subscriptions.get()
    prefix = "subscriptions-0-"
    values = {"id": str(kept.pk), "subscriber": str(subscriber.pk), "kind": kept.kind, "asset": kept.asset, "lowest_severity": str(kept.lowest_severity)}
    data = {
        "title": subscriber.title,
        "active": "on" if active else "",
        "capped": "on",
        "deactivated_reason": "",
        "time_zone": "UTC",
        "quiet_lets_through": "4",
    }
    forms = {"subscriptions-TOTAL_FORMS": "1", "subscriptions-INITIAL_FORMS": "1", "mutes-TOTAL_FORMS": "1", "mutes-INITIAL_FORMS": "0"}
    response = client.post(
        reverse("admin:subscribers_subscriber_change", args=[subscriber.pk]),
        data | forms | fields | {prefix + name: value for name, value in {**values, **(row or {})}.items()},
    )
    return str(response.content.decode()) if response.status_code == 200 else ""


def floor() -> list[int]:
    return [int(value) for value in CustomFloor.objects.values_list("value", flat=True)]


def test_a_custom_threshold_becomes_the_floor_and_touches_the_time_of_change(client: Client) -> None:
    subscriber = make_subscriber(asset="BTC")
    assert save(client, subscriber, {"custom_threshold": "90000", "asset": " btc"}) == ""
    assert 'value="90000"' in client.get(reverse("admin:subscribers_subscriber_change", args=[subscriber.pk])).content.decode()
    assert floor() == [90_000]
    assert Subscriber.objects.get(pk=subscriber.pk).changed_at > subscriber.changed_at


def test_deactivating_and_deleting_take_the_floor_away(client: Client) -> None:
    subscriber = make_subscriber()
    save(client, subscriber, {"custom_threshold": "90000"})
    save(client, subscriber, active=False)
    assert floor() == []
    save(client, subscriber, {"custom_threshold": "90000"})
    assert floor() == [90_000]
    client.post(reverse("admin:subscribers_subscriber_delete", args=[subscriber.pk]), {"post": "yes"})
    assert floor() == []
    other = make_subscriber()
    save(client, other, {"custom_threshold": "70000"})
    client.post(reverse(LIST), {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"})
    assert (floor(), Subscriber.objects.count()) == ([], 0)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"custom_threshold": "0"}, "Custom threshold: must be above 0"),
        ({"asset": "BTC/USDT"}, "Asset: write the asset only, BTC instead of BTC/USDT."),
        ({"direction": "UP"}, "Direction: for this kind LONG or SHORT, or empty for both."),
        ({"kind": "volume", "direction": "UP"}, "Direction: volume has none; leave it empty."),
    ],
)
def test_what_cannot_work_is_explained(client: Client, row: dict[str, str], words: str) -> None:
    assert words in save(client, make_subscriber(), row)


def test_a_test_alert_waits_in_the_outbox_of_each_active_subscriber(
    client: Client, valkey: object, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    active, gone = make_subscriber(), make_subscriber()
    services.deactivate(gone, "left")
    with django_capture_on_commit_callbacks(execute=True) as woken:
        page = client.post(reverse(LIST), {"action": "send_test_alert", "_selected_action": [active.pk, gone.pk]}, follow=True)
    test = Delivery.objects.get()
    assert (test.subscriber, test.alert, test.state, test.text, len(woken)) == (active, None, "pending", TEST_TEXT, 1)
    assert test.text.startswith("TEST")
    assert "1 test alerts are on their way. 1 inactive ones get none." in page.content.decode()


def test_who_may_only_look_cannot_send(client: Client) -> None:
    reader = User.objects.create_user("reader", password="-", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_subscriber"), Permission.objects.get(codename="view_delivery"))
    browser = Client()
    browser.force_login(reader)
    browser.post(reverse(LIST), {"action": "send_test_alert", "_selected_action": [make_subscriber().pk]})
    assert not Delivery.objects.exists()


def test_quiet_hours_and_mutes_are_set_and_kept_with_their_time(client: Client) -> None:
    subscriber = make_subscriber()
    mute = {"mutes-0-kind": "cascade", "mutes-0-asset": "btc", "mutes-0-until_0": "2099-01-01", "mutes-0-until_1": "00:00"}
    assert save(client, subscriber, None, True, time_zone="zurich", quiet_from="23:00", quiet_until="07:00", **mute) == ""
    subscriber.refresh_from_db()
    assert (subscriber.time_zone, subscriber.quiet_ends_at is not None, subscriber.mutes.get().asset) == ("Europe/Zurich", True, "BTC")
    make_delivery(subscriber, Severity.HIGH, make_alert(severity=Severity.HIGH), state="held", reason="quiet hours")
    page = client.get(reverse("admin:subscribers_subscriber_change", args=[subscriber.pk])).content.decode()
    for words in ("Quiet 23:00-07:00 Europe/Zurich.", "Muted: cascade, BTC, until 2099-01-01 00:00 UTC.", "quiet hours", "held"):
        assert words in page, words


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"time_zone": "Atlantis"}, "Time zone:"),
        ({"quiet_from": "23:00"}, "give both times, or none"),
        ({"quiet_from": "07:00", "quiet_until": "07:00"}, "they must end at another time"),
    ],
)
def test_what_the_bot_would_not_take_is_refused(client: Client, fields: dict[str, str], words: str) -> None:
    assert words in save(client, make_subscriber(), None, True, **fields)
