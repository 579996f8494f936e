"""An operator sends again what was not sent, and sets silences."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from alerts.models import Delivery, Silence
from monitors.thresholds import Severity
from subscribers import services
from tests.alerts.builders import make_alert, make_delivery, make_subscriber
from tests.fakes.telegram import FakeTelegram
from tests.harness import wait_until

pytestmark = pytest.mark.django_db
State = Delivery.State


@pytest.fixture
def client() -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("operator", password="-"))
    return browser


def send_again(client: Client, *deliveries: Delivery) -> str:
    chosen = {"action": "send_again", "_selected_action": [delivery.pk for delivery in deliveries]}
    return client.post(reverse("admin:alerts_delivery_changelist"), chosen, follow=True).content.decode()


@pytest.mark.parametrize("state", [State.FAILED, State.UNKNOWN, State.EXPIRED, State.HELD])
def test_what_was_not_sent_waits_again_with_a_fresh_expiry(
    client: Client, state: State, valkey: object, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    delivery = make_delivery(
        severity=Severity.HIGH, alert=make_alert(), state=state, reason="some", attempts=4, unknown_outcomes=2, expires_in=-100, held_until=timezone.now()
    )
    with django_capture_on_commit_callbacks(execute=True) as woken:
        assert "1 of 1 deliveries are waiting to be sent again." in send_again(client, delivery)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason, delivery.attempts, delivery.unknown_outcomes, len(woken)) == ("pending", "", 0, 0, 1)
    assert delivery.held_until is None
    assert timedelta(minutes=14) < delivery.expires_at - timezone.now() < timedelta(minutes=16)


@pytest.mark.parametrize("state", [State.SENT, State.SENDING, State.PENDING, State.SUPERSEDED])
def test_what_was_sent_or_waits_is_left_alone(client: Client, state: State) -> None:
    delivery = make_delivery(state=state)
    assert "0 of 1 deliveries" in send_again(client, delivery)
    delivery.refresh_from_db()
    assert delivery.state == state


def test_nothing_is_sent_again_to_who_left(client: Client) -> None:
    delivery = make_delivery(state=State.FAILED)
    services.deactivate(delivery.subscriber, "blocked")
    assert "0 of 1 deliveries" in send_again(client, delivery)


@pytest.mark.django_db(transaction=True)
def test_a_test_alert_reaches_the_phone(client: Client, celery_workers: Callable[..., object]) -> None:
    """From the admin's button through the broker and a real worker to the Bot API."""
    with FakeTelegram() as telegram:
        celery_workers("delivery", env={"TELEGRAM_BOT_TOKEN": "4242:token", "TELEGRAM_API_URL": telegram.url})
        subscriber = make_subscriber()
        chosen = {"action": "send_test_alert", "_selected_action": [subscriber.pk]}
        assert client.post(reverse("admin:subscribers_subscriber_changelist"), chosen).status_code == 302
        wait_until(lambda: telegram.sent_to(subscriber.chat_id), 20, "the test alert")
        message = telegram.sent_to(subscriber.chat_id)[0]
        assert message.plain.startswith("TEST: this is a test alert")
        assert not message.silent
    assert wait_until(lambda: Delivery.objects.filter(state=State.SENT).count(), what="the record") == 1


def test_a_silence_is_set_for_an_asset_and_says_that_it_is_in_force(client: Client) -> None:
    until = timezone.now() + timedelta(hours=1)
    data = {"kind": "", "asset": "doge", "until_0": f"{until:%Y-%m-%d}", "until_1": f"{until:%H:%M:%S}", "reason": "maintenance"}
    assert client.post(reverse("admin:alerts_silence_add"), data).status_code == 302
    assert Silence.objects.get().asset == "DOGE"
    assert "in force" in client.get(reverse("admin:alerts_silence_changelist")).content.decode()


def test_a_silence_that_would_be_over_already_is_refused(client: Client) -> None:
    data = {"kind": "", "asset": "", "until_0": "2020-01-01", "until_1": "00:00:00", "reason": ""}
    assert "Until: must be in the future" in client.post(reverse("admin:alerts_silence_add"), data).content.decode()
