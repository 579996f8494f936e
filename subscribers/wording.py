"""What does somebody want, in words? For the bot and the admin; plain text, pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from monitors.market import Direction, Kind
from monitors.thresholds import Severity
from subscribers.preferences import OFF, Choice, custom_threshold

PLURALS = {Kind.LIQUIDATION: "liquidations", Kind.CASCADE: "cascades", Kind.OPEN_INTEREST: "open interest", Kind.VOLUME: "volume"}
ONLY = {Direction.LONG: "longs only", Direction.SHORT: "shorts only", Direction.UP: "rises only", Direction.DOWN: "falls only"}
SIZES = ((Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "k"))
MAX_PLACES = 3  # 1.234M; what has more is written out

Choices = Mapping[tuple[Kind, str], Choice]


def wanted_lines(choices: Choices) -> list[str]:
    """One sentence for kinds with the same choices: "Liquidations and cascades: BTC, ETH from MODERATE; all others from EXTREME."; [] for nothing at all.

    What counts is said: the threshold for any asset also where an asset has a severity of its own.
    """
    kinds_of: dict[tuple[str, ...], list[str]] = {}
    for kind in Kind:
        kinds_of.setdefault(_of_kind(kind, choices), []).append(PLURALS[kind])
    nothing = kinds_of.pop((), [])
    lines = [f"{_listed(kinds)}: {'; '.join(words)}." for words, kinds in kinds_of.items()]
    return [*lines, f"{_listed(nothing)}: off."] if lines and nothing else lines


def counting(choices: Choices, kind: Kind, asset: str) -> Choice:
    """The choice that counts for an asset ("" = any other), with the threshold that counts."""
    own, usual = choices.get((kind, asset)), choices.get((kind, ""))
    choice = own or usual or Choice(OFF)
    return replace(choice, custom_threshold=custom_threshold(own or usual, usual))


def choice_words(kind: Kind, choice: Choice) -> str:
    """Off; from MODERATE; from $2M, longs only."""
    if choice.is_off:
        return "off"
    custom = choice.custom_threshold
    loud = Severity(choice.lowest_severity).name if custom is None else amount_words(kind, custom)
    return f"from {loud}" + (f", {ONLY[Direction(choice.direction)]}" if choice.direction else "")


def amount_words(kind: Kind, value: Decimal) -> str:
    """A threshold as people say it, exact: $2M, $1,234,567, 4 %, 9x usual (+800 %)."""
    if kind is Kind.OPEN_INTEREST:
        return f"{value.normalize():,f} %"
    if kind is Kind.VOLUME:
        return f"{(value / 100 + 1).normalize():,f}x usual (+{value.normalize():,f} %)"
    size, unit = next(((size, unit) for size, unit in SIZES if value >= size), (Decimal(1), ""))
    short = (value / size).normalize()
    return f"${short:,f}{unit}" if -int(short.as_tuple().exponent) <= MAX_PLACES else f"${value.normalize():,f}"


def asset_words(asset: str) -> str:
    """The asset, or all others."""
    return asset or "all others"


def _of_kind(kind: Kind, choices: Choices) -> tuple[str, ...]:
    """Each choice with its assets; the one for any other asset comes last. Nothing where all is off."""
    assets = sorted((asset for of_kind, asset in choices if of_kind is kind), key=lambda asset: (asset == "", asset))
    assets_of: dict[str, list[str]] = {}
    for asset in assets:
        assets_of.setdefault(choice_words(kind, counting(choices, kind, asset)), []).append(asset)
    if set(assets_of) <= {"off"}:
        return ()
    alike = len(assets_of) == 1 and "" in assets
    return tuple(f"{'all assets' if alike else ', '.join(map(asset_words, of_it))} {words}" for words, of_it in assets_of.items())


def _listed(words: Sequence[str]) -> str:
    *most, last = words
    return (f"{', '.join(most)} and {last}" if most else last).capitalize()
