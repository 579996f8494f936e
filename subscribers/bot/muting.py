"""What shall wait for a while? /mute and /unmute, and the settings' list of mutes."""

from dataclasses import replace
from datetime import timedelta

from monitors.market import Kind
from subscribers import services, typed
from subscribers.bot import texts
from subscribers.bot import texts_muting as say
from subscribers.bot.assets import asset_named
from subscribers.bot.chats import subscribed, tapped
from subscribers.bot.clock import Clock
from subscribers.bot.screen import Asked, Button, Command, Reply, Row
from subscribers.bot.words import KIND_OF_LETTER, LETTER, asset_of
from subscribers.models import Subscriber
from subscribers.selectors import preferences_of

USUAL = timedelta(hours=8)
LONGEST_SPAN = 4  # words: 1 hour 30 minutes
Muted = tuple[Kind | None, str]


@subscribed
def mute(asked: Asked, subscriber: Subscriber) -> Reply:
    """Hold back: /mute BTC 2h, /mute cascade 1d, /mute BTC cascade 1h, /mute all; without words show the mutes."""
    if not asked.args:
        return mutes_screen(asked, subscriber)
    try:
        (kind, asset), span = read_mute(asked.args)
        until = asked.now + (span or USUAL)
        services.mute(subscriber, kind, asset, until, asked.now)
    except ValueError as problem:
        return Reply(say.not_understood(str(problem)))
    return Reply(say.muted(kind, asset, until, Clock.of(subscriber, asked.now), usual=span is None), [[(say.UNMUTE, f"u:{LETTER[kind]}:{asset}:t")]])


@subscribed
def unmute(asked: Asked, subscriber: Subscriber) -> Reply:
    """End mutes: /unmute BTC, /unmute cascade, /unmute all; without words show them."""
    if not asked.args:
        return mutes_screen(asked, subscriber)
    try:
        (kind, asset), _ = read_mute(asked.args)
    except ValueError as problem:
        return Reply(say.not_understood(str(problem)))
    return _unmuted(asked, subscriber, kind, asset)


def read_mute(text: str) -> tuple[Muted, timedelta | None]:
    """What shall wait (everything, where only a time is given), and how long (None: nothing is said of it); ValueError says what is not understood."""
    kind, words = typed.kind_of(text.split())
    names, span = _apart(words)
    if len(names) > 1:
        raise ValueError("One asset or kind and one time span, please.")
    name = names[0] if names else ""
    asset = "" if not name or name.lower() in typed.EVERY else asset_named(name)
    return (kind, asset), typed.duration(span) if span else None


def _apart(words: list[str]) -> tuple[list[str], str]:
    """The words that are no time span, and the time span ("" for none): "BTC for 2 hours", "2h BTC". There is an asset called 4, so one behind a name wins."""
    for length in range(min(len(words), LONGEST_SPAN), 0, -1):
        for first in (*range(1, len(words) - length + 1), 0):
            span = " ".join(words[first : first + length])
            if typed.looks_like_duration(span):
                before = words[:first]
                return (before[:-1] if len(before) > 1 and before[-1].lower() == "for" else before) + words[first + length :], span
    return words, ""


def mutes_screen(asked: Asked, subscriber: Subscriber) -> Reply:
    """The mutes that run, each with a button that ends it."""
    preferences, clock = preferences_of(subscriber), Clock.of(subscriber, asked.now)
    running = say.running(preferences.mutes, asked.now)
    rows: list[Row] = [[(say.end_label(kind, asset, until, clock), f"u:{LETTER[kind]}:{asset}")] for (kind, asset), until in running[: say.MOST]]
    return Reply(say.mutes(len(running)), [*rows, [(texts.TO_SETTINGS, "s")]])


@tapped
def show(asked: Asked, subscriber: Subscriber) -> Reply:
    """The mutes in the place of another screen; with a kind and asset, that one is ended first."""
    if not asked.args:
        return replace(mutes_screen(asked, subscriber), edit=True)
    kind, asset = KIND_OF_LETTER[asked.parts[0]], asset_of(asked)
    if asked.parts[2:] == ["t"]:  # under the answer to /mute
        return replace(_unmuted(asked, subscriber, kind, asset), edit=True)
    services.unmute_one(subscriber, kind, asset, asked.now)
    return replace(mutes_screen(asked, subscriber), edit=True)


def _unmuted(asked: Asked, subscriber: Subscriber, kind: Kind | None, asset: str) -> Reply:
    ended = services.unmute(subscriber, kind, asset, asked.now)
    left = say.running(preferences_of(subscriber).mutes, asked.now)
    return Reply(say.unmuted(kind, asset, ended, left, Clock.of(subscriber, asked.now)))


COMMANDS = (
    Command("mute", mute, "hold alerts back for a while: /mute BTC 2h, /mute cascade 1d, /mute all 8h", changes=True, admins=True),
    Command("unmute", unmute, "end a mute: /unmute BTC, /unmute all", changes=True, admins=True),
)
BUTTONS = (Button("u", show),)
