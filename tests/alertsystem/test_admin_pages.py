"""Every page of the admin opens; history cannot be changed; lists count no further than they show."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from alerts.models import Alert, Decision, Delivery
from alertsystem import admin_base
from alertsystem.dashboard import overview
from monitors.models import BlindSpot, FeedStatus, Liquidation, Market, Signal
from monitors.thresholds import Severity
from tests.alerts.builders import make_alert, make_delivery, make_subscriber

pytestmark = pytest.mark.django_db
HISTORY = [BlindSpot, Alert, Decision, Delivery, FeedStatus, Liquidation, Market, Signal]


@pytest.fixture
def client() -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("operator", password="-"))
    return browser


@pytest.fixture
def rows() -> Delivery:
    """A row of everything."""
    now, price = timezone.now(), Decimal(62_310)
    common = {"venue": "okx", "symbol": "BTC/USDT:USDT", "asset": "BTC"}
    Market.objects.create(**common, venue_symbol="BTC-USDT-SWAP", refreshed_at=now)
    Liquidation.objects.create(**common, position_side="LONG", price=price, quantity_base=Decimal(1), notional_usd=price, occurred_at=now, received_at=now)
    FeedStatus.objects.create(venue="okx", state="live", last_data_at=now, updated_at=now)
    BlindSpot.objects.create(venue="okx", feed="liquidations", since=now, until=now)
    alert = make_alert()
    Decision.objects.create(signal=alert.peak, alert=alert, outcome="opened", severity=alert.severity, step=alert.step, decided_at=now)
    return make_delivery(make_subscriber(title="<script>alert(1)</script>"), alert=alert, state="sent", sent_at=now)


def test_every_list_and_every_page_opens(client: Client, rows: Delivery) -> None:
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert client.get(reverse(f"{name}_changelist")).status_code == 200, name
        row = model._default_manager.first()
        if row is not None:
            assert client.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200, name
    assert client.get(reverse("admin:index")).status_code == 200


@pytest.mark.parametrize("model", HISTORY)
def test_history_is_read_only(client: Client, rows: Delivery, model: type[Alert]) -> None:
    name, row = f"admin:{model._meta.app_label}_{model._meta.model_name}", model._default_manager.get()
    assert client.get(reverse(f"{name}_add")).status_code == 403
    assert client.post(reverse(f"{name}_change", args=[row.pk]), {"_save": "1"}).status_code == 403
    assert client.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    client.post(reverse(f"{name}_changelist"), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert model._default_manager.filter(pk=row.pk).exists()


def test_the_page_of_an_alert_says_why(client: Client, rows: Delivery) -> None:
    page = client.get(reverse("admin:alerts_alert_change", args=[rows.alert_id])).content.decode()
    assert "Longs liquidated: $600,000.00, 7 events in 30 s" in page
    assert "By the rule: LOW is reached" in page and "Bybit: $600,000.00" in page


def test_a_name_from_telegram_is_escaped_wherever_it_is_shown(client: Client, rows: Delivery) -> None:
    pages = [
        reverse("admin:alerts_delivery_changelist"),
        reverse("admin:alerts_delivery_change", args=[rows.pk]),
        reverse("admin:alerts_alert_change", args=[rows.alert_id]),
        reverse("admin:subscribers_subscriber_changelist"),
        reverse("admin:subscribers_subscriber_change", args=[rows.subscriber_id]),
        reverse("admin:subscribers_subscriber_delete", args=[rows.subscriber_id]),
    ]
    for page in pages:
        html = client.get(page).content.decode()
        assert "<script>alert(1)</script>" not in html, page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html, page


def test_the_overview_shows_the_feeds_and_the_last_alerts(client: Client, rows: Delivery) -> None:
    html = client.get(reverse("admin:index")).content.decode()
    assert rows.alert is not None
    assert f"LOW {rows.alert.asset} cascade: longs liquidated" in html
    assert "blind: no report yet" in html


def test_the_overview_counts_the_deliveries_of_the_last_hour_alone(rows: Delivery, rf: RequestFactory) -> None:
    long_ago = timezone.now() - timedelta(hours=2)
    Delivery.objects.filter(pk=rows.pk).update(queued_at=long_ago)
    make_delivery(state="held", queued_at=long_ago)
    make_delivery(state="failed")
    make_delivery(state="failed")
    [[state, count]] = overview(rf.get("/"), {})["deliveries"]["rows"]
    assert "failed" in state and count == 2


def test_the_page_of_an_alert_shows_its_signals_and_deliveries_in_order(client: Client, rows: Delivery) -> None:
    html = client.get(reverse("admin:alerts_alert_change", args=[rows.alert_id])).content.decode()
    timeline = html[html.index("Timeline") :]
    assert timeline.index("opened at LOW") < timeline.index("LOW to &lt;script&gt;")


def test_a_long_list_is_counted_only_as_far_as_it_is_shown(client: Client, rows: Delivery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_base, "MAX_ROWS", 2)
    for _ in range(4):
        make_subscriber()
    assert client.get(reverse("admin:subscribers_subscriber_changelist")).context["cl"].result_count == 2


def test_whoever_is_not_logged_in_sees_nothing(rows: Delivery) -> None:
    assert Client().get(reverse("admin:alerts_alert_changelist")).status_code == 302


def test_whoever_logs_in_by_the_plain_address_lands_on_the_overview() -> None:
    User.objects.create_superuser("another", password="a password of its own")
    answer = Client().post("/admin/login/", {"username": "another", "password": "a password of its own"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")


def test_the_heading_of_an_alert_says_whose_positions_were_closed(client: Client) -> None:
    alert = make_alert(severity=Severity.EXTREME, asset="BTC")
    assert str(alert) == "EXTREME BTC cascade of longs"
    assert str(alert) in client.get(reverse("admin:alerts_alert_change", args=[alert.pk])).content.decode()
