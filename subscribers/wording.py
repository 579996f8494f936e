"""What does somebody want, in words? For the bot and the admin; plain text, pure."""

from collections.abc import Iterable, Sequence

from monitors.market import UNIT_OF_KIND, Kind, Unit
from monitors.thresholds import Severity
from subscribers.models import OFF, Subscription

PLURALS = {Kind.LIQUIDATION: "liquidations", Kind.CASCADE: "cascades", Kind.OPEN_INTEREST: "open interest", Kind.VOLUME: "volume"}


def wanted_lines(subscriptions: Sequence[Subscription]) -> list[str]:
    """One sentence for kinds with the same choices: "Liquidations and cascades: BTC, ETH from MODERATE; all others from EXTREME."."""
    kinds_of: dict[tuple[str, ...], list[str]] = {}
    for kind in Kind:
        of_kind = [row for row in subscriptions if row.kind == kind]
        if of_kind:
            kinds_of.setdefault(_choices(of_kind), []).append(PLURALS[kind])
    return [f"{_listed(kinds)}: {'; '.join(choices)}." for choices, kinds in kinds_of.items()]


def _listed(kinds: Sequence[str]) -> str:
    *most, last = kinds
    return (f"{', '.join(most)} and {last}" if most else last).capitalize()


def _choices(rows: Iterable[Subscription]) -> tuple[str, ...]:
    """Each choice with its assets; the one for any other asset comes last."""
    assets_of: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: (row.asset == "", row.asset)):
        name = row.asset or ("all others" if assets_of else "all assets")
        assets_of.setdefault(_from(row), []).append(name)
    return tuple(f"{', '.join(assets)} {choice}" for choice, assets in assets_of.items())


def _from(row: Subscription) -> str:
    if row.custom_threshold is not None:
        value = f"{row.custom_threshold.normalize():,f}"
        return f"from {value} %" if UNIT_OF_KIND[Kind(row.kind)] is Unit.PERCENT else f"from ${value}"
    return "off" if row.lowest_severity == OFF else f"from {Severity(row.lowest_severity).name}"
