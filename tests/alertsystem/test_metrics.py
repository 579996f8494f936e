"""/metrics tells Prometheus what the tables hold, and nobody else anything."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from alerts.models import Delivery
from alertsystem.metrics import PREFIX
from monitors.models import FeedStatus, ScanStatus
from monitors.thresholds import Severity
from tests.alerts.builders import make_alert, make_delivery

pytestmark = pytest.mark.django_db
TOKEN = "a-scraper"
Labels = frozenset[tuple[str, str]]


@pytest.fixture(autouse=True)
def token(settings: Any) -> None:
    settings.METRICS_TOKEN = SecretStr(TOKEN)


def scrape(client: Client) -> Mapping[tuple[str, Labels], float]:
    """Every number by name and labels."""
    response = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    families = text_string_to_metric_families(response.content.decode())
    return {(sample.name.removeprefix(PREFIX), frozenset(sample.labels.items())): sample.value for family in families for sample in family.samples}


def labels(**pairs: str) -> Labels:
    return frozenset(pairs.items())


def test_nobody_may_look_while_no_token_is_set(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = SecretStr("")
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer another", TOKEN])
def test_nobody_may_look_without_the_token(client: Client, given: str) -> None:
    response = client.get("/metrics", headers={"Authorization": given})
    assert response.status_code == 401 and PREFIX not in response.content.decode()


def test_an_empty_system_has_numbers_too(client: Client) -> None:
    numbers = scrape(client)
    assert numbers["signals_unread", labels()] == 0
    assert numbers["deliveries_pending", labels(severity="EXTREME")] == 0
    assert ("deliveries_pending_oldest_age_seconds", labels()) not in numbers


def test_feeds_and_scans_are_told_by_venue(client: Client) -> None:
    now = timezone.now()
    FeedStatus.objects.create(
        venue="okx", state="live", last_data_at=now - timedelta(seconds=7), reconnects=3, unknown=2, dropped={"stale": 5}, updated_at=now, events_per_minute=12
    )
    ScanStatus.objects.create(
        venue="okx", kind="volume", succeeded_at=now - timedelta(seconds=90), paused_until=now + timedelta(minutes=1), duration_ms=1500, failed={"network": 4}
    )
    numbers = scrape(client)
    assert numbers["feed_live", labels(venue="okx")] == 1
    assert numbers["feed_data_age_seconds", labels(venue="okx")] == pytest.approx(7, abs=2)
    assert numbers["feed_events_per_minute", labels(venue="okx")] == 12
    assert numbers["feed_reconnects_total", labels(venue="okx")] == 3
    assert numbers["feed_dropped_total", labels(venue="okx", reason="stale")] == 5
    assert numbers["scan_success_age_seconds", labels(venue="okx", kind="volume")] == pytest.approx(90, abs=2)
    assert numbers["scan_paused", labels(venue="okx", kind="volume")] == 1
    assert numbers["scan_duration_seconds", labels(venue="okx", kind="volume")] == 1.5
    assert numbers["scan_failed_total", labels(venue="okx", kind="volume", reason="network")] == 4


def test_incidents_and_the_outbox_are_told_by_severity_and_state(client: Client) -> None:
    alert = make_alert(asset="BTC", severity=Severity.HIGH)
    waiting = make_delivery(alert=alert, severity=Severity.HIGH)
    Delivery.objects.filter(pk=waiting.pk).update(queued_at=timezone.now() - timedelta(seconds=30))
    make_delivery(text="sent", severity=Severity.LOW, state=Delivery.State.SENT)
    numbers = scrape(client)
    assert numbers["alerts_open", labels(severity="HIGH")] == 1
    assert numbers["deliveries_pending", labels(severity="HIGH")] == 1
    assert numbers["deliveries_pending_oldest_age_seconds", labels()] == pytest.approx(30, abs=2)
    assert numbers["deliveries_newest", labels(state="sent")] == 1
    assert numbers["signals_unread", labels()] >= 0


def test_a_scrape_is_a_handful_of_statements(client: Client, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(9):
        scrape(client)
