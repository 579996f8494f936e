"""What do three taps choose? Assets, kinds, how loud: from the letters in a button's data to choices; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from monitors.market import Kind
from monitors.thresholds import Severity
from subscribers.preferences import Choice

Choices = dict[tuple[Kind, str], Choice]
LARGEST = ("BTC", "ETH", "SOL")

ASSETS: Mapping[str, str] = {
    "t": "BTC, ETH, SOL; others if EXTREME",
    "m": "BTC, ETH, SOL only",
    "b": "BTC only",
    "a": "All assets alike",
}
KINDS: Mapping[str, tuple[str, tuple[Kind, ...]]] = {
    "d": ("All but volume", (Kind.LIQUIDATION, Kind.CASCADE, Kind.OPEN_INTEREST)),
    "l": ("Liquidations and cascades", (Kind.LIQUIDATION, Kind.CASCADE)),
    "o": ("Open interest and volume", (Kind.OPEN_INTEREST, Kind.VOLUME)),
    "e": ("Everything", tuple(Kind)),
}
LOUD = {str(severity.value): severity for severity in Severity if severity}
USUAL = ("t", "d", str(Severity.MODERATE.value))  # what counts while nothing was tapped


@dataclass(frozen=True, slots=True)
class Taps:
    """The letters that were tapped so far: of ASSETS, of KINDS, of LOUD."""

    letters: tuple[str, ...] = ()

    @property
    def step(self) -> int:
        """Which question is next, from 0; 3: none."""
        return len(self.letters)

    @property
    def data(self) -> str:
        """As a button's data has them: "t:d"."""
        return ":".join(self.letters)

    def then(self, letter: str) -> "Taps":
        """One tap more."""
        return Taps((*self.letters, letter))


def taps_of(parts: list[str]) -> Taps:
    """The taps in a button's data; ValueError when it is not one of ours."""
    if len(parts) > len(USUAL) or any(part not in options for part, options in zip(parts, (ASSETS, KINDS, LOUD), strict=False)):
        raise ValueError("not the data of a guided choice")
    return Taps(tuple(parts))


def choices_of(taps: Taps) -> Choices:
    """What the taps choose; the usual for what was not tapped yet."""
    assets, kinds, loud = (*taps.letters, *USUAL[taps.step :])
    return {(kind, asset): Choice(lowest) for kind in KINDS[kinds][1] for asset, lowest in _lowest(assets, LOUD[loud]).items()}


def _lowest(assets: str, loud: Severity) -> dict[str, Severity]:
    match assets:
        case "a":
            return {"": loud}
        case "b":
            return {"BTC": loud}
        case "m":
            return dict.fromkeys(LARGEST, loud)
        case _:
            return {**dict.fromkeys(LARGEST, loud), "": Severity.EXTREME}
