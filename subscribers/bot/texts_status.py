"""What does /status say?"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape

from alerts.days import Day
from alerts.delays import Delays
from alerts.history import line_of
from alerts.models import Alert
from monitors.feeds import FeedState
from monitors.models import ScanStatus
from monitors.sight import blindness
from subscribers.bot.clock import Clock
from subscribers.bot.texts import ago

NO_SCANS = "None has begun yet."
NONE_SENT = "No alert was sent in the last hour."
NONE_TODAY = "None."


def feeds(states: Sequence[FeedState]) -> str:
    """Does each venue's feed see the market?"""
    return "<b>Feeds</b>\n" + "\n".join(map(_feed, states))


def scans(statuses: Sequence[ScanStatus], clock: Clock) -> str:
    """Do the scans of each venue bring data?"""
    return "<b>Scans</b>\n" + ("\n".join(_scan(status, clock) for status in statuses) or NO_SCANS)


def delays(found: Delays | None) -> str:
    """How long the messages of the last hour took."""
    return "<b>Delay from a venue's frame to Telegram, last hour</b>\n" + (
        f"{found.median_ms:,} ms median, {found.slowest_ms:,} ms the slowest, of {found.count:,} message{'s' * (found.count != 1)}" if found else NONE_SENT
    )


def today(day: Day, last: Alert | None, clock: Clock) -> str:
    """What came since midnight, and the last one."""
    total = sum(day.by_severity.values())
    parts = ", ".join(f"{count:,} {severity.name}" for severity, count in day.by_severity.items())
    lines = [f"{total:,}: {parts}" if total else NONE_TODAY]
    if day.heard is not None:
        lines.append(f"This chat heard of {day.heard:,}.")
    if last is not None:
        lines.append(f"The last: {escape(line_of(last))}, {ago(clock.now - last.opened_at)}, /alert_{last.pk}")
    return f"<b>Alerts since midnight {escape(clock.time_zone)}</b>\n" + "\n".join(lines)


def own(settings: str) -> str:
    """What this chat has chosen."""
    return f"<b>Settings</b> (/settings changes them)\n{settings}"


def _feed(feed: FeedState) -> str:
    if not feed.blind:
        return f"✅ {feed.venue.title}: live, data {ago(feed.data_age or timedelta())}"
    seen = f", last data {ago(feed.data_age)}" if feed.data_age is not None else ""
    return f"❌ {feed.venue.title}: <b>blind</b>{seen} ({escape(feed.note)})"


def _scan(status: ScanStatus, clock: Clock) -> str:
    seen = _seen(status.succeeded_at, clock.now)
    if why := blindness(status, clock.now):
        return f"❌ {escape(str(status))}: <b>blind</b>{seen} ({escape(why)})"
    return f"✅ {escape(str(status))}: {status.contracts:,} contracts{seen}"


def _seen(succeeded_at: datetime | None, now: datetime) -> str:
    return f", {ago(now - succeeded_at)}" if succeeded_at is not None else ""
