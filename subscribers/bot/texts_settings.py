"""What do /settings and its screens say?"""

from collections.abc import Mapping
from html import escape

from monitors.market import Direction, Kind
from monitors.thresholds import Severity
from subscribers.bot.clock import Clock
from subscribers.bot.texts import plural
from subscribers.bot.texts_muting import running, what
from subscribers.bot.texts_quiet import quiet_line
from subscribers.bot.texts_start import PAUSED, gets
from subscribers.bot.texts_thresholds import counts_as_well
from subscribers.models import Subscriber
from subscribers.preferences import DIRECTIONS, OFF, Choice, Preferences
from subscribers.wording import PLURALS, asset_words, choice_words

CLOSE, DONE = "Close", "Settings are closed; /settings opens them again."
ANOTHER_ASSET, OWN_THRESHOLD, AS_OTHERS = "Another asset …", "Own threshold …", "As all others"
CONFIRMED_ONLY, CHARTS = "Confirmed only", "Charts"
QUIET, ZONE, THRESHOLDS, MUTES = "Quiet hours", "Time zone", "Own thresholds", "Mutes"
ASK_ASSET = "Which asset? Write its name, for example <code>DOGE</code>."
SEVERITY_LABELS: Mapping[int, str] = {OFF: "Off", **{severity.value: severity.name for severity in Severity if severity}}
DIRECTION_WORDS = {Direction.LONG: "Longs", Direction.SHORT: "Shorts", Direction.UP: "Rises", Direction.DOWN: "Falls"}


def main(subscriber: Subscriber, preferences: Preferences, clock: Clock) -> str:
    """The first screen."""
    return f"<b>Settings</b>\n\n{glance(subscriber, preferences, clock)}"


def glance(subscriber: Subscriber, preferences: Preferences, clock: Clock) -> str:
    """Everything at a glance."""
    lines = [
        f"Confirmed only: {_yes(preferences.confirmed_only)}. Charts after HIGH and EXTREME: {_yes(subscriber.charts)}.",
        f"{quiet_line(preferences.quiet)} Time zone: {escape(preferences.time_zone)}, {clock.minutes(clock.now)} now.",
    ]
    held = [f"{what(*of)} until {clock.minutes(until)}" for of, until in running(preferences.mutes, clock.now)]
    mutes = [escape(f"Muted: {'; '.join(held)}.")] if held else []
    paused = [] if subscriber.active else [PAUSED]
    return "\n\n".join([*paused, gets(preferences.choices), "\n".join([*lines, *mutes])])


def kind(of_kind: Kind) -> str:
    """The screen of one kind."""
    return f"<b>{PLURALS[of_kind].capitalize()}</b>\nFrom which severity on? Tap an asset to change it."


def asset(of_kind: Kind, of_asset: str, own: Choice | None, counts: Choice, count: int) -> str:
    """The screen of one kind and asset: what counts, why, and what it would have brought."""
    words = choice_words(of_kind, counts)
    lines = [f"<b>{PLURALS[of_kind].capitalize()}, {escape(asset_words(of_asset))}</b>", f"{words[0].upper()}{words[1:]}."]
    if own is None and of_asset:
        lines.append("As for all others, until you choose something here.")
    elif own is not None and counts.custom_threshold is not None and own.custom_threshold is None:
        lines.append(counts_as_well(of_kind))
    if counts.custom_threshold is not None and own is not None and own.custom_threshold is not None:
        lines.append("A severity would take the place of your threshold.")
    return "\n".join([*lines, f"In the last 7 days: {plural(count, 'such alert')}."])


def choice_label(of_asset: str, of_kind: Kind, counts: Choice) -> str:
    """The button of an asset: BTC: MODERATE."""
    words = choice_words(of_kind, counts).removeprefix("from ")
    return f"{of_asset or asset_words('').capitalize()}: {words}"


def direction_labels(of_kind: Kind) -> dict[str, str]:
    """The directions to choose from; none where the kind has none."""
    words = {direction.value: DIRECTION_WORDS[direction] for direction in DIRECTIONS[of_kind]}
    return {"": "Both", **words} if words else {}


def ticked(label: str, is_so: bool) -> str:
    """A choice that counts, or not, in a row of choices."""
    return f"✓ {label}" if is_so else label


def switched(label: str, on: bool) -> str:
    """Something that is on or off."""
    return f"{label}: {'on' if on else 'off'}"


def _yes(on: bool) -> str:
    return "yes" if on else "no"
