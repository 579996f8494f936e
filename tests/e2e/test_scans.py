"""Do open interest and volume become messages? `manage.py up` with 300 assets on three fake venues."""

import html
import re
import time
from decimal import Decimal
from functools import partial
from pathlib import Path

import requests
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from alerts.models import Alert
from monitors.backfill_store import SPANS
from monitors.market import TIMEFRAME_MS, Kind
from monitors.models import BackfillCursor, Market, OpenInterestSample, ScanStatus
from monitors.sight import blindness
from monitors.thresholds import Severity
from subscribers.models import Subscriber, Subscription
from tests.e2e import story
from tests.e2e.machine import Machine, machine
from tests.fakes.venue_markets import VENUES
from tests.harness import wait_until
from tests.monitors.scanning import past_candles, past_samples, sample

CHAT = 3001
ASSETS, USUAL_ASSETS = 300, 30  # so many with all venues' candles and open interest; so many the fakes list anyway
EACH_S = 100  # at most until a step is done, on a machine that does other things as well
OI_ASSET, VOLUME_ASSET = "PEPE", "SOL"  # 1000PEPE at Binance and Bybit


def test_pushed_open_interest_and_volume_alert_with_three_venues_everywhere(transactional_db: None, tmp_path: Path) -> None:
    with machine(tmp_path, ASSETS - USUAL_ASSETS, {"MAX_ASSETS": str(ASSETS)}) as running:
        running.wait_until_ready()
        running.subscribe([CHAT])
        _wants_scans(CHAT)
        _has_run_for_a_week(running)
        operator = _operator(running)
        _run_now(running, operator, "monitors.scan_")
        wait_until(_all_see, EACH_S, f"a scan of every venue\n{running.tail()}")

        _push_open_interest(running, OI_ASSET, Decimal("1.03"))  # at any second of the minute, also in the middle of a round of scans
        _push_volume(running, VOLUME_ASSET, 12)
        _run_now(running, operator, "monitors.scan_")
        for kind, asset, headline in ((Kind.OPEN_INTEREST, OI_ASSET, "open interest +3."), (Kind.VOLUME, VOLUME_ASSET, "x usual (+")):
            told = wait_until(partial(_messages, running, asset), EACH_S, f"the message of {kind} {asset}\n{running.tail()}")
            assert headline in told[0] and "3 of 3 venues" in told[0], told
            wait_until(partial(_terminal_shows, running, told[0]), 10, "the same text in the terminal")
            alert = Alert.objects.get(kind=kind, asset=asset)
            page = operator.get(f"{running.url}/admin/alerts/alert/{alert.pk}/change/", timeout=20).text
            assert headline in page and "3 of 3 venues" in page, page
        wait_until(_everything_is_sampled, EACH_S, "samples of as many contracts at every venue, in one slice or two")
        assert [len(_messages(running, asset)) for asset in (OI_ASSET, VOLUME_ASSET)] == [1, 1], "one message each, also after the next scans"


def _wants_scans(chat: int) -> None:
    """From LOW on, of every asset."""
    subscriber = Subscriber.objects.get(chat_id=chat)
    Subscription.objects.filter(subscriber=subscriber, kind__in=(Kind.OPEN_INTEREST, Kind.VOLUME)).delete()
    Subscription.objects.bulk_create(
        Subscription(subscriber=subscriber, kind=kind, asset="", lowest_severity=Severity.LOW) for kind in (Kind.OPEN_INTEREST, Kind.VOLUME)
    )


def _everything_is_sampled() -> bool:
    return all(OpenInterestSample.objects.filter(market__venue=venue).values("market").distinct().count() >= ASSETS for venue in VENUES)


def _has_run_for_a_week(running: Machine) -> None:
    """What both judgements look back on is there, and nothing is left to fill in."""
    now = timezone.now()
    BackfillCursor.objects.bulk_create(
        BackfillCursor(market=market, feed=feed, from_at=now, began_at=now, reached_at=now, done=True, updated_at=now)
        for market in Market.objects.all() for feed in SPANS
    )  # fmt: skip
    for market in Market.objects.filter(asset=OI_ASSET):
        listing = running.venues.markets.find(market.venue, market.venue_symbol)
        assert listing is not None
        sample(market, listing.open_interest * listing.multiplier, listing.price / listing.multiplier, now).save()
    past_samples(minutes=20)
    past_candles(asset=VOLUME_ASSET, usd=5_000_000)


def _all_see() -> bool:
    """Both kinds of scans of every venue bring data."""
    now = timezone.now()
    return [blindness(status, now) for status in ScanStatus.objects.all()] == [""] * 2 * len(VENUES)


def _push_open_interest(running: Machine, asset: str, times: Decimal) -> None:
    """On each venue, from what it had."""
    for venue in VENUES:
        listing = next(listing for listing in running.venues.markets.of(venue) if listing.asset == asset)
        running.venues.set_open_interest(asset, listing.open_interest * listing.multiplier * times, venue)


def _push_volume(running: Machine, asset: str, times: int) -> None:
    """In the candle that is open; should it end meanwhile, it is judged as a closed one."""
    running.venues.push_volume(asset, times, int(time.time() * 1000) // TIMEFRAME_MS * TIMEFRAME_MS)


def _messages(running: Machine, asset: str) -> list[str]:
    return [request.text for request in story.accepted(running.telegram, CHAT) if asset in request.text]


def _terminal_shows(running: Machine, told: str) -> bool:
    """All lines of the message, without Telegram's marks; the last one may be a time."""
    lines = [html.unescape(re.sub("<[^>]+>", "", line)) for line in told.splitlines()]
    shown = running.log.read_text(errors="replace")
    return all(line in shown for line in lines[:-1])


def _operator(running: Machine) -> requests.Session:
    """Logged in with the password that the first start prints."""
    password = re.findall(r"User: admin   Password: (\S+)", running.log.read_text(errors="replace"))[0]
    session, form = requests.Session(), f"{running.url}/admin/login/"
    session.get(form, timeout=20)
    login = {"username": "admin", "password": password, "csrfmiddlewaretoken": session.cookies["alertsystem_csrf"], "next": "/admin/"}
    assert session.post(form, login, timeout=20).url == f"{running.url}/admin/", "logged in"
    return session


def _run_now(running: Machine, operator: requests.Session, tasks: str) -> None:
    """Run scheduled tasks out of turn, by the admin's own action."""
    page, rows = f"{running.url}/admin/django_celery_beat/periodictask/", PeriodicTask.objects.filter(name__startswith=tasks)
    operator.get(page, timeout=20)
    chosen = {"action": "run_tasks", "_selected_action": [row.pk for row in rows], "csrfmiddlewaretoken": operator.cookies["alertsystem_csrf"]}
    assert operator.post(page, chosen, timeout=20, allow_redirects=False).headers["Location"].endswith("/periodictask/"), "done, and back to the list"
