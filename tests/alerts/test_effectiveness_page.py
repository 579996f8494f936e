"""Does the operator see what came of alerts, and get all of it as CSV?"""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from alerts import effectiveness_page, export, trigger
from alerts.effectiveness import prepare
from alerts.export import HEADER, csv_lines
from alerts.models import Alert, Outcome
from alerts.votes import vote
from monitors.market import Kind
from monitors.models import Signal
from monitors.thresholds import Severity
from tests.alerts.builders import make_alert, make_delivery, make_signal, make_subscriber

pytestmark = pytest.mark.django_db
PAGE = "admin:alerts_effectiveness"
KNOWN = {"state": "known", "price": 62_310.5, "change_pct": -2.1, "up_pct": 0.25, "down_pct": -2.4, "usual_pct": 0.5, "venue": "binance"}


@pytest.fixture
def client() -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("operator", password="-"))
    return browser


def measured(asset: str = "BTC", severity: Severity = Severity.HIGH, days: float = 1, **found: Any) -> Alert:
    """An alert with an outcome over 5 minutes, one over an hour that is unknown, and two to come."""
    alert = make_alert(severity=severity, asset=asset, closed_at=timezone.now())
    Alert.objects.filter(pk=alert.pk).update(opened_at=timezone.now() - timedelta(days=days))
    prepare()
    Outcome.objects.filter(alert=alert, horizon_min=5).update(**{**KNOWN, **found})
    Outcome.objects.filter(alert=alert, horizon_min=60).update(state="unknown", reason="1 of 61 minutes have no candle at Binance")
    return alert


def rows_of(alerts: Any = None) -> list[dict[str, str]]:
    text = "".join(csv_lines(Alert.objects.all() if alerts is None else alerts))
    return list(csv.DictReader(io.StringIO(text)))


def test_the_page_counts_by_severity_kind_rule_and_asset(client: Client) -> None:
    measured(), measured("ETH", Severity.LOW, change_pct=0.7)
    html = " ".join(client.get(reverse(PAGE)).content.decode().split())
    for title in ("By severity", "By kind", "By rule in force", "By asset"):
        assert title in html
    assert "cascade any other asset" in html
    assert "<strong>1.40 %</strong>, 50 % large<br>2 known" in html, "the median of 2.1 and 0.7; over twice 0.5 is one of them"
    assert "<strong>-</strong><br>0 known, 2 unknown" in html
    assert "<strong>2.10 %</strong>, 100 % large<br>1 known" in html
    measured(usual_pct=None, change_pct=-4.1)
    html = " ".join(client.get(reverse(PAGE)).content.decode().split())
    assert "<strong>3.10 %</strong>, 100 % of 1 large<br>2 known" in html, "of one of the two nothing is usual"


def test_an_incident_counts_for_the_rule_that_judged_its_largest_signal() -> None:
    """A liquidation within the cascade's last frame is its newest signal, and leaves its own rule on the incident."""
    cascade = make_signal(6_000_000, "BTC")
    Signal.objects.update(decided_at=None)
    single = make_signal(1_500_000, "BTC", Kind.LIQUIDATION)
    Signal.objects.filter(pk=single.pk).update(decided_at=None)
    trigger.evaluate(cascade.fingerprint)
    alert = Alert.objects.get()
    assert (alert.kind, alert.rule["kind"], alert.peak) == ("cascade", "liquidation", cascade)
    [case], _ = effectiveness_page.cases(None)
    assert case.rule == ("cascade", "BTC")
    [row] = rows_of()
    assert (row["rule_kind"], row["rule_asset"]) == ("cascade", "BTC")


def test_the_period_can_be_chosen_and_nothing_in_it_is_said(client: Client) -> None:
    measured(days=40)
    assert "No alerts in this period" in client.get(reverse(PAGE)).content.decode()
    assert "No alerts in this period" not in client.get(reverse(PAGE), {"days": "90"}).content.decode()
    assert "No alerts in this period" not in client.get(reverse(PAGE), {"days": ""}).content.decode()
    assert client.get(reverse(PAGE), {"days": "<script>"}).status_code == 200


def test_a_long_history_is_cut_and_the_page_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effectiveness_page, "MAX_ROWS", 2)
    for days in (1, 2, 3):
        measured(days=days)
    found, cut = effectiveness_page.cases(None)
    assert (len(found), cut) == (2, True)
    assert "Only the newest 2 alerts" in client.get(reverse(PAGE)).content.decode()


def test_who_may_not_see_alerts_sees_neither_page_nor_export(client: Client) -> None:
    somebody = User.objects.create_user("somebody", password="-", is_staff=True)
    browser = Client()
    browser.force_login(somebody)
    export_all = reverse("admin:alerts_alert_export_all")
    assert [browser.get(url).status_code for url in (reverse(PAGE), export_all)] == [403, 403]
    assert Client().get(reverse(PAGE)).status_code == 302
    somebody.user_permissions.add(Permission.objects.get(codename="view_alert"))
    browser.force_login(User.objects.get(pk=somebody.pk))
    assert [browser.get(url).status_code for url in (reverse(PAGE), export_all)] == [200, 200]


def test_the_navigation_leads_to_the_page(client: Client) -> None:
    assert f'href="{reverse(PAGE)}"' in client.get(reverse("admin:index")).content.decode()


def test_the_page_of_an_alert_shows_what_came_of_it_and_the_votes(client: Client) -> None:
    alert = measured()
    subscriber = make_subscriber()
    make_delivery(subscriber, alert=alert, state="sent")
    vote(alert.pk, subscriber, 7, True)
    html = client.get(reverse("admin:alerts_alert_change", args=[alert.pk])).content.decode()
    for shown in ("What came of it", "-2.10 %", "+0.25 %", "-2.40 %", "$62,310", "1 of 61 minutes have no candle at Binance", "waiting", "1 useful, 0 noise"):
        assert shown in html, shown


def test_a_line_of_the_csv_holds_the_alert_its_outcomes_and_its_votes() -> None:
    alert = measured()
    subscriber = make_subscriber()
    make_delivery(subscriber, alert=alert, state="sent")
    vote(alert.pk, subscriber, 7, False)
    [row] = rows_of()
    assert tuple(row) == HEADER
    assert (row["id"], row["kind"], row["asset"], row["direction"], row["severity"]) == (str(alert.pk), "cascade", "BTC", "LONG", "HIGH")
    assert (row["value"], row["unit"], row["sent"], row["useful"], row["noise"]) == ("600000", "usd", "1", "0", "1")
    assert (row["change_pct_5min"], row["price_5min"], row["state_60min"], row["change_pct_60min"]) == ("-2.1", "62310.5", "unknown", "")
    assert row["reason_60min"] == "1 of 61 minutes have no candle at Binance"


def test_a_spreadsheet_gets_no_formula() -> None:
    for asset in ("=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "\r=x"):
        measured(asset)
    measured('A"B,C\nD')
    assets = [row["asset"] for row in rows_of()]
    assert assets == ['A"B,C\nD', "'\r=x", "'\tx", "'@x", "'-1", "'+1", "'=HYPERLINK(1)"]


def test_the_export_goes_through_the_history_in_chunks_and_says_it_all(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "CHUNK", 2)
    alerts = [measured(f"A{number}") for number in range(5)]
    response = client.get(reverse("admin:alerts_alert_export_all"))
    assert response.streaming and response.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in response.headers["Content-Disposition"]
    body = b"".join(response).decode()
    assert [row["id"] for row in csv.DictReader(io.StringIO(body))] == [str(alert.pk) for alert in reversed(alerts)]


def test_the_chosen_ones_can_be_exported_alone(client: Client) -> None:
    _, chosen, _ = (measured(f"A{number}") for number in range(3))
    form = {"action": "export_chosen", "_selected_action": [chosen.pk], "index": "0", "select_across": "0"}
    response = client.post(reverse("admin:alerts_alert_changelist"), form)
    body = b"".join(response).decode()
    assert [row["id"] for row in csv.DictReader(io.StringIO(body))] == [str(chosen.pk)]
