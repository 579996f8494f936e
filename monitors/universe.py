"""Which assets are watched? Those of most turnover or those that are named, and the operator has the last word. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choices:
    """The assets that the operator has forced in and out."""

    wanted: Sequence[str] = ()
    unwanted: Collection[str] = ()


def watched(ranked: Sequence[str], named: Sequence[str], most: int, choices: Choices) -> tuple[str, ...]:
    """The assets whose liquidations alert: those named, else the `most` first of `ranked` (by turnover); then what is forced in."""
    return _chosen(named or _first(ranked, most, choices), choices)


def scanned(ranked: Sequence[str], named: Sequence[str], most: int, choices: Choices) -> tuple[str, ...]:
    """The assets whose open interest and volume are scanned: the `most` first of `ranked`, those named, and what is forced in."""
    return _chosen([*_first(ranked, most, choices), *named], choices)


def _first(ranked: Sequence[str], most: int, choices: Choices) -> list[str]:
    """One that is forced out leaves its place to the next."""
    return [asset for asset in ranked if asset not in choices.unwanted][:most]


def _chosen(assets: Sequence[str], choices: Choices) -> tuple[str, ...]:
    return tuple(asset for asset in dict.fromkeys([*assets, *choices.wanted]) if asset not in choices.unwanted)
