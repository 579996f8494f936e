"""What is said of thresholds of one's own, and of what they will mean?"""

from dataclasses import dataclass
from decimal import Decimal
from html import escape

from alerts.previews import Preview
from monitors import floors
from monitors.market import Kind
from subscribers.bot.clock import Clock
from subscribers.bot.texts import REPLY_HERE
from subscribers.preferences import Choice, Preferences
from subscribers.typed import EXAMPLES
from subscribers.wording import PLURALS, amount_words, choice_words, counting

TAKE_BACK = "Take it back"
MOST = 40  # thresholds with a button
USAGE = (
    "For example <code>/set BTC cascade 2M</code>, <code>/set BTC liquidation 1.5M</code>, <code>/set SOL oi 4%</code>, <code>/set ETH volume 9x</code> "
    "or <code>/set all cascade 500k</code>; <code>/set BTC cascade default</code> takes it back."
)
MEANING = "A threshold of your own takes the place of the lowest severity. It may be below the system's: such alerts come all the same, as “your threshold”."
PAUSED = "This chat is paused; /start brings its alerts back."


@dataclass(frozen=True, slots=True)
class Change:
    """What is wanted before and after the choice of one kind and asset ("" any) was changed, and what that would have meant."""

    kind: Kind
    asset: str
    before: Preferences
    after: Preferences
    expected: Preview


def changed(change: Change, clock: Clock, *, paused: bool, watched: bool) -> str:
    """The new choice, what it would have brought, and what to know of that."""
    was, now = (counting(wanted.choices, change.kind, change.asset) for wanted in (change.before, change.after))
    old, new = choice_words(change.kind, was), choice_words(change.kind, now)
    own = change.after.choices.get((change.kind, change.asset))
    yours = "" if now.custom_threshold is None else " (your threshold)" if own and own.custom_threshold else " (your threshold for all assets)"
    instead = f", instead of {old}" if old != new else ", as before"
    said = f"<b>{escape(_capital(subject(change.kind, change.asset)))}: {new}</b>{yours}{instead}."
    notes = [*_notes(change, now, clock), *([] if watched else [_unwatched(change.asset)]), *([PAUSED] if paused else [])]
    return "\n".join([said, period(change.expected), *map(escape, notes)])


def period(expected: Preview) -> str:
    """Last 7 days: 3 alerts instead of 14, 1 of them in your quiet hours."""
    compared = f" instead of {expected.before:,}" if expected.before != expected.after else ", as before"
    quiet = f", {expected.quiet} of them in your quiet hours" if expected.quiet else ""
    return f"Last 7 days: {expected.after:,} alert{'' if expected.after == 1 else 's'}{compared}{quiet}."


def thresholds(count: int) -> str:
    """The list of them."""
    some = f" These are {MOST} of {count}." if count > MOST else ""
    return "<b>Own thresholds</b>\n" + (f"Tap one to take it back.{some}\n" if count else f"None yet. {MEANING}\n") + USAGE


def threshold_label(kind: Kind, asset: str, choice: Choice) -> str:
    """The button of one."""
    return f"✕ {_capital(subject(kind, asset))} {choice_words(kind, choice)}"


def ask(kind: Kind, asset: str, *, private: bool) -> str:
    """Which threshold?"""
    there = "" if private else REPLY_HERE
    return f"From which value on, for {escape(subject(kind, asset))}? Write it like <code>{EXAMPLES[kind]}</code>, or <code>default</code>.{there}"


def no_threshold(kind: Kind, asset: str, counts: Choice) -> str:
    """There is nothing to take back."""
    yours = f" Your threshold for all assets counts; <code>/set all {kind.value} default</code> takes it back." if counts.custom_threshold is not None else ""
    return f"{escape(_capital(subject(kind, asset)))}: {choice_words(kind, counts)}, as before. No threshold of its own is set.{yours}"


def dust(kind: Kind, asset: str, least: Decimal) -> str:
    """A threshold that is too low."""
    return f"The lowest threshold for {subject(kind, asset)} is {amount_words(kind, least)}."


def not_understood(problem: str) -> str:
    """What is wrong, and what could be written."""
    return f"{escape(problem)}\n{USAGE}"


def counts_as_well(kind: Kind) -> str:
    """Why a severity chosen for an asset says nothing."""
    return f"Your threshold for all assets counts here as well; /set all {kind.value} default takes it away."


def subject(kind: Kind, asset: str) -> str:
    """BTC cascades; cascades of all assets."""
    return f"{asset} {PLURALS[kind]}" if asset else f"all assets, {PLURALS[kind]}"


def _notes(change: Change, now: Choice, clock: Clock) -> list[str]:
    expected, threshold, notes = change.expected, now.custom_threshold, []
    if expected.rule is None:
        return ["The operator has switched this off, so nothing comes."]
    own = change.after.choices.get((change.kind, change.asset))
    if threshold is not None and own is not None and own.custom_threshold is None:
        notes.append(counts_as_well(change.kind))
    if threshold is not None and threshold < expected.rule.low:
        low = amount_words(change.kind, expected.rule.low)
        notes.append(f"This is below the system's LOW of {low}: what lies between comes as “your threshold”.")
    if threshold is not None and expected.kept_since is None and expected.floor is not None:
        floor = amount_words(change.kind, expected.floor)
        notes.append(f"Signals below {floor} were not kept until now: only larger ones are counted here, and more will come.")
    elif expected.kept_since not in (None, floors.ALWAYS):
        since = f"{clock.minutes(expected.kept_since)} {clock.time_zone}"
        notes.append(f"Signals that small are kept only since {since}: of the time before, larger ones alone are counted here.")
    if expected.begins_at is not None and expected.begins_at >= clock.now:
        notes.append("No signals are stored yet.")
    elif expected.begins_at is not None:
        notes.append(f"So far there are signals since {clock.minutes(expected.begins_at)} {clock.time_zone} only.")
    return [*notes, *_others(change)]


def _others(change: Change) -> list[str]:
    """What is chosen for any asset does not count for all: which ones go their own way."""
    if change.asset:
        return []
    choices, usual = change.after.choices, choice_words(change.kind, counting(change.after.choices, change.kind, ""))
    assets_of: dict[str, list[str]] = {}
    for asset in sorted(asset for kind, asset in choices if kind is change.kind and asset):
        assets_of.setdefault(choice_words(change.kind, counting(choices, change.kind, asset)), []).append(asset)
    apart = [f"{', '.join(assets)} {words}" for words, assets in assets_of.items() if words != usual]
    return [f"With choices of their own: {'; '.join(apart)}."] if apart else []


def _capital(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}"


def _unwatched(asset: str) -> str:
    return f"{asset} is not among the assets that are watched now, so nothing comes of it until it is."
