"""An operator makes webhooks: an address that may be called, a secret that is shown once."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from subscribers.models import Subscriber, Webhook

pytestmark = pytest.mark.django_db
ADD = "admin:subscribers_webhook_add"


@pytest.fixture
def client() -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("operator", password="-"))
    return browser


def test_a_new_one_gets_everything_and_shows_its_secret_once(client: Client) -> None:
    page = client.post(reverse(ADD), {"url": "https://example.com/alerts", "title": "Desk"}, follow=True).content.decode()
    hook = Webhook.objects.get()
    assert hook.secret in page
    assert (str(hook.subscriber), hook.subscriber.subscriptions.count(), hook.subscriber.capped) == ("Desk", 4, False)
    for name in ("subscribers_webhook_change", "subscribers_subscriber_change"):
        page = client.get(reverse(f"admin:{name}", args=[hook.pk if "webhook" in name else hook.subscriber_id])).content.decode()
        assert hook.secret not in page
    client.post(reverse("admin:subscribers_webhook_delete", args=[hook.pk]), {"post": "yes"})
    assert not Subscriber.objects.filter(channel=Subscriber.Channel.WEBHOOK).exists()


def test_a_private_address_is_refused(client: Client) -> None:
    page = client.post(reverse(ADD), {"url": "http://169.254.169.254/latest", "title": ""}).content.decode()
    assert "Address: private and loopback addresses are not taken." in page
    assert not Webhook.objects.exists()
