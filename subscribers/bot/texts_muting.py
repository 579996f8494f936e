"""What is said of mutes?"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

from monitors.market import Kind
from subscribers.bot.clock import Clock
from subscribers.wording import PLURALS

UNMUTE = "Unmute"
MOST = 20  # mutes with a button
USAGE = (
    "For example <code>/mute BTC 2h</code>, <code>/mute cascade 1d</code> or <code>/mute all 8h</code>; "
    "without a time it is 8 h. <code>/unmute BTC</code> and <code>/unmute all</code> end it."
)
HELD = "What comes meanwhile is held and told in one message then."
Running = Sequence[tuple[tuple[Kind | None, str], datetime]]


def muted(kind: Kind | None, asset: str, until: datetime, clock: Clock, *, usual: bool) -> str:
    """It is muted now."""
    how = f" No time was given, so it is 8 h; <code>/mute {escape(_typed(kind, asset))} 2h</code> makes it 2 h." if usual else ""
    return f"{escape(_subject(kind, asset))} muted until {_until(until, clock)}. {HELD}{how}"


def unmuted(kind: Kind | None, asset: str, ended: int, left: Running, clock: Clock) -> str:
    """It is not muted any more, unless another mute holds it."""
    if kind is None and not asset:
        return "Nothing is muted any more. What was held, if anything, comes in one message." if ended else "Nothing is muted."
    said = (
        f"{_subject(kind, asset)} not muted any more. What was held, if anything, comes in one message." if ended else f"No mute of {what(kind, asset)} runs."
    )
    others = f"\nStill muted: {'; '.join(f'{what(*of)} until {_until(until, clock)}' for of, until in left[:MOST])}." if left else ""
    return escape(said) + escape(others)


def mutes(count: int) -> str:
    """The list of those that run."""
    some = f" These are {MOST} of {count}." if count > MOST else ""
    return "<b>Mutes</b>\n" + (f"Tap one to end it; what it held comes in one message.{some}\n" if count else "None runs.\n") + USAGE


def end_label(kind: Kind | None, asset: str, until: datetime, clock: Clock) -> str:
    """The button that ends one."""
    words = what(kind, asset)
    return f"✕ {words[0].upper()}{words[1:]} until {_until(until, clock)}"


def running(mutes: Mapping[tuple[str, str], datetime], now: datetime) -> Running:
    """Those that run, the first to end first."""
    left = [((Kind(kind) if kind else None, asset), until) for (kind, asset), until in mutes.items() if until > now]
    return sorted(left, key=lambda mute: mute[1])


def what(kind: Kind | None, asset: str) -> str:
    """What a mute is of: everything, BTC, cascades, cascades of BTC."""
    if kind is None:
        return asset or "everything"
    return f"{PLURALS[kind]} of {asset}" if asset else PLURALS[kind]


def not_understood(problem: str) -> str:
    """What is wrong, and what could be written."""
    return f"{escape(problem)}\n{USAGE}"


def _subject(kind: Kind | None, asset: str) -> str:
    """BTC is, Cascades are."""
    words = what(kind, asset)
    many = kind in (Kind.LIQUIDATION, Kind.CASCADE)
    return f"{words[0].upper()}{words[1:]} {'are' if many else 'is'}"


def _typed(kind: Kind | None, asset: str) -> str:
    """As it is typed after a command."""
    return " ".join(filter(None, (asset, kind.value if kind else ""))) or "all"


def _until(until: datetime, clock: Clock) -> str:
    return f"{clock.minutes(until)} {clock.time_zone}"
