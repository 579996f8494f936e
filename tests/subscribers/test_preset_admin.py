"""The operator makes presets: slugs that Telegram takes, choices that make sense."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from subscribers.models import Preset

pytestmark = pytest.mark.django_db
ROWS = {"choices-TOTAL_FORMS": "1", "choices-INITIAL_FORMS": "0", "choices-0-kind": "cascade", "choices-0-asset": "btc", "choices-0-lowest_severity": "3"}


@pytest.fixture
def client() -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("operator", password="-"))
    return browser


def add(client: Client, **fields: str) -> str:
    form = {"title": "Whales", "slug": "whales", "enabled": "on", **ROWS, **fields}
    return client.post(reverse("admin:subscribers_preset_add"), form, follow=True).content.decode()


def test_a_preset_shows_its_link_and_what_it_wants(client: Client) -> None:
    page = add(client)
    assert "?start=whales" in page
    assert "Cascades: BTC from HIGH." in page
    assert [(row.kind, row.asset, row.lowest_severity) for row in Preset.objects.get().choices.all()] == [("cascade", "BTC", 3)]


@pytest.mark.parametrize(("field", "value"), [("slug", "no spaces"), ("slug", "x" * 65), ("choices-0-asset", "BTC USDT"), ("choices-0-custom_threshold", "-1")])
def test_what_telegram_or_the_rules_would_not_take_is_refused(client: Client, field: str, value: str) -> None:
    add(client, **{field: value})
    assert not Preset.objects.exists()
