"""Why did this chat not hear of something? /whynot, an asset and a time."""

from datetime import datetime, timedelta

from django.conf import settings

from alerts.whynot import why_not
from monitors import blind_spots, floors, selectors
from monitors.models import Market
from subscribers.bot import texts_whynot
from subscribers.bot.assets import any_asset
from subscribers.bot.chats import subscriber_of
from subscribers.bot.clock import Clock
from subscribers.bot.screen import Asked, Command, Reply
from subscribers.bot.spans import span_of


def whynot(asked: Asked) -> Reply:
    """The strongest signals around a time, and what became of each for this chat."""
    subscriber = subscriber_of(asked.chat)
    if subscriber is None:
        return Reply(texts_whynot.STRANGER)
    try:
        since, until, words = span_of(asked.args.split(), subscriber.time_zone, asked.now)
        asset = _asset(words)
    except ValueError as problem:
        return Reply(texts_whynot.not_understood(str(problem)))
    found, clock = why_not(subscriber, asset, since, until), Clock.of(subscriber, asked.now)
    blind = texts_whynot.blind(blind_spots.between(since, until, asked.now), clock)
    about = _about(asset, since, until, asked.now, silent=not found)
    return Reply("\n\n".join([texts_whynot.findings(asset, (since, until), found, clock), *blind, *about, clock.note]))


def _asset(words: list[str]) -> str:
    """The asset asked for, "" for all; ValueError when it is missing or none."""
    if len(words) != 1:
        raise ValueError("One asset at a time, please." if words else "Of which asset?")
    return "" if words[0].lower() == "all" else any_asset(words[0])


def _about(asset: str, since: datetime, until: datetime, now: datetime, *, silent: bool) -> list[str]:
    """What is kept of the asset, what could not be seen then, and why there may be nothing to tell."""
    lines = [texts_whynot.NOTHING] if silent else []
    if silent and asset and (why := _unseen(asset)):
        lines.append(why)
    elif asset:
        lines.append(texts_whynot.small(asset, floors.in_force_at(asset, until)))
    days = settings.LIQUIDATION_RETENTION_DAYS
    return lines + ([texts_whynot.not_kept(days)] if since < now - timedelta(days=days) else [])


def _unseen(asset: str) -> str:
    """Why nothing of the asset is measured at all; "" when it is."""
    if not Market.objects.filter(asset=asset, active=True, venue__in=settings.VENUES).exists():
        return texts_whynot.UNLISTED
    return "" if asset in {*selectors.watched_assets(), *selectors.scanned_assets()} else texts_whynot.UNWATCHED


COMMANDS = (Command("whynot", whynot, "why something did not come: /whynot BTC 14:05"),)
