"""The admin in a real browser, headless, wide and as narrow as a phone: log in, edit a threshold, read an alert's page.

With SCREENSHOTS_DIR set each page is kept there as a picture.
"""

import os
import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, sync_playwright
from playwright.sync_api import expect as seen
from pytest_django.live_server_helper import LiveServer

from alerts.models import Alert, Decision, Outcome
from monitors.models import ThresholdRule
from monitors.thresholds import Severity
from tests.alerts.builders import make_alert, make_delivery, make_signal, make_subscriber

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PATIENCE_MS = 60_000  # the first page of a slow machine
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.skipif(not CHROMIUM, reason="no chromium on the PATH")]


@pytest.fixture(params=[WIDE, PHONE], ids=["wide", "phone"])
def page(request: pytest.FixtureRequest, transactional_db: None, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """A page of an operator who has just logged in; anything that its scripts complain about fails the test."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # the browser's loop runs in this thread, which makes the rows too
    User.objects.create_superuser("operator", password="a-password")
    with sync_playwright() as playwright:
        # Debian's Chromium; as root it needs to run without its sandbox
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        context = browser.new_context(viewport=request.param, is_mobile=request.param is PHONE, reduced_motion="reduce", base_url=live_server.url)
        context.set_default_timeout(PATIENCE_MS)
        page, problems = context.new_page(), list[str]()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("response", lambda answer: problems.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
        page.goto(reverse("admin:index"))
        page.get_by_label(re.compile("username", re.I)).fill("operator")
        page.get_by_label(re.compile("password", re.I)).fill("a-password")
        page.get_by_role("button", name=re.compile("log in", re.I)).click()
        seen(page.get_by_text("Deliveries of the last hour").first).to_be_visible()
        yield page
        browser.close()
    assert problems == []


def fits(page: Page, name: str) -> None:
    """Nothing is wider than the screen: tables scroll within themselves."""
    if folder := os.environ.get("SCREENSHOTS_DIR"):
        page.screenshot(path=Path(folder) / f"{name}-{page.evaluate('innerWidth')}.png", full_page=True)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"{name} is {overflow} px too wide"


def test_an_operator_edits_a_threshold(page: Page) -> None:
    rule = ThresholdRule.objects.get(kind="cascade", asset="BTC")
    fits(page, "overview")
    page.goto(reverse("admin:monitors_thresholdrule_changelist"))
    fits(page, "thresholds")
    page.goto(reverse("admin:monitors_thresholdrule_change", args=[rule.pk]))
    page.locator("#id_low").fill("9000000")
    page.locator("button[name=_save], input[name=_save]").first.click()
    seen(page.get_by_text("MODERATE must be above LOW (9000000)").first).to_be_visible()
    fits(page, "threshold-refused")
    assert ThresholdRule.objects.get(pk=rule.pk).low == rule.low
    page.locator("#id_low").fill("450000")
    page.locator("button[name=_save], input[name=_save]").first.click()
    seen(page.get_by_text("was changed successfully").first).to_be_visible()
    assert ThresholdRule.objects.get(pk=rule.pk).low == Decimal(450_000)


def test_an_operator_reads_an_alert(page: Page) -> None:
    alert = told_alert()
    page.goto(reverse("admin:alerts_alert_changelist"))
    fits(page, "alerts")
    page.goto(reverse("admin:alerts_alert_change", args=[alert.pk]))
    for words in ("$5.2M", "opened at HIGH", "-1.50 %", "HIGH to A reader"):
        seen(page.get_by_text(words).first).to_be_visible()
    fits(page, "alert")


def test_an_operator_looks_at_a_subscriber(page: Page) -> None:
    alert = told_alert()
    page.goto(reverse("admin:subscribers_subscriber_change", args=[alert.deliveries.get().subscriber_id]))
    seen(page.get_by_text("Newest deliveries").first).to_be_visible()
    fits(page, "subscriber")


def told_alert() -> Alert:
    """An alert of which somebody was told, and what came of it."""
    signal = make_signal(5_200_000)
    alert = make_alert(signal, Severity.HIGH)
    Decision.objects.create(signal=signal, alert=alert, outcome="opened", severity=alert.severity, step=alert.step, decided_at=signal.detected_at)
    make_delivery(make_subscriber(title="A reader"), Severity.HIGH, alert=alert, state="sent", sent_at=signal.detected_at)
    Outcome.objects.create(
        alert=alert, horizon_min=15, state="known", due_at=signal.detected_at, price=62_310, change_pct=-1.5, up_pct=0.2, down_pct=-1.9, usual_pct=0.3
    )
    return alert
