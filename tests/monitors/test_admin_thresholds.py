"""An operator edits thresholds in the admin, on a rule's page and in the list."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from monitors.forms import FIELDS
from monitors.models import ThresholdRule

pytestmark = pytest.mark.django_db
LIST = "admin:monitors_thresholdrule_changelist"


@pytest.fixture
def btc() -> ThresholdRule:
    return ThresholdRule.objects.get(kind="cascade", asset="BTC")


def page_of(rule: ThresholdRule) -> str:
    return reverse("admin:monitors_thresholdrule_change", args=[rule.pk])


def on_page(rule: ThresholdRule, **changes: str) -> dict[str, str]:
    """What the browser posts from the rule's page."""
    values = {name: str(getattr(rule, name)) for name in FIELDS if name != "enabled"}
    return {**values, "enabled": "on", **changes}


def in_list(rule: ThresholdRule, **changes: str) -> dict[str, str]:
    """What the browser posts from the list when it shows this rule only."""
    values = {name: str(getattr(rule, name)) for name in ("low", "moderate", "high", "extreme", "min_events")}
    row = {f"form-0-{name}": value for name, value in {**values, "enabled": "on", **changes, "id": str(rule.pk)}.items()}
    return {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", **row, "_save": "Save"}


def test_a_good_edit_on_the_page_is_stored(admin_client: Client, btc: ThresholdRule) -> None:
    assert admin_client.post(page_of(btc), on_page(btc, low="600000.5")).status_code == 302
    btc.refresh_from_db()
    assert btc.low == Decimal("600000.5")


def test_a_bad_ladder_on_the_page_is_explained_and_not_stored(admin_client: Client, btc: ThresholdRule) -> None:
    response = admin_client.post(page_of(btc), on_page(btc, low="2000000"))
    assert "MODERATE must be above LOW (2000000); got 1500000." in response.content.decode()
    btc.refresh_from_db()
    assert btc.low == 500_000


def test_a_good_edit_in_the_list_is_stored(admin_client: Client, btc: ThresholdRule) -> None:
    assert admin_client.post(f"{reverse(LIST)}?kind__exact=cascade&q=BTC", in_list(btc, high="6000000")).status_code == 302
    btc.refresh_from_db()
    assert btc.high == 6_000_000


def test_a_bad_ladder_in_the_list_is_explained_and_not_stored(admin_client: Client, btc: ThresholdRule) -> None:
    response = admin_client.post(f"{reverse(LIST)}?kind__exact=cascade&q=BTC", in_list(btc, high="13000000"))
    assert "EXTREME must be above HIGH (13000000); got 12000000." in response.content.decode()
    btc.refresh_from_db()
    assert btc.high == 5_000_000


def test_a_new_rule_takes_an_asset_as_people_write_it(admin_client: Client, btc: ThresholdRule) -> None:
    response = admin_client.post(reverse("admin:monitors_thresholdrule_add"), on_page(btc, asset="doge"))
    assert response.status_code == 302
    assert ThresholdRule.objects.filter(kind="cascade", asset="DOGE").exists()


def test_amounts_are_shown_without_the_zeros_of_the_database(admin_client: Client, btc: ThresholdRule) -> None:
    html = admin_client.get(page_of(btc)).content.decode()
    assert 'value="500000"' in html
    assert "500000.0" not in html
