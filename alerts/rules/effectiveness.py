"""How good were the alerts? Outcomes and votes of many incidents, counted by what they have in common."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from alerts.rules.outcome import HORIZONS_MIN, is_large


@dataclass(frozen=True, slots=True)
class Result:
    """One horizon of one incident, in percent; None: not known (`over` says whether it ever will be), or nothing is usual yet."""

    change_pct: float | None
    usual_pct: float | None
    over: bool


@dataclass(frozen=True, slots=True)
class Case:
    """One incident: what it is counted by, its results by horizon, and its votes."""

    kind: str
    asset: str
    severity: int
    rule: tuple[str, str]  # kind and asset of the rule that was in force; "" is any other asset
    results: Mapping[int, Result]
    useful: int = 0
    noise: int = 0


@dataclass(frozen=True, slots=True)
class Moves:
    """Over one horizon: how many outcomes are known and unknown, the median absolute return, and the share of large ones.

    `median_pct` is None when none is known; `large` (0.25 is a quarter) is of the `compared`, of which it is known what is usual, None without any.
    """

    known: int
    unknown: int
    median_pct: float | None
    compared: int
    large: float | None


@dataclass(slots=True)
class Score:
    """A group of incidents; `moves` by horizon."""

    alerts: int
    useful: int
    noise: int
    moves: Mapping[int, Moves] = field(default_factory=dict)


def scores(cases: Iterable[Case], by: Callable[[Case], tuple[str, ...]]) -> dict[tuple[str, ...], Score]:
    """The score of each group, the largest first."""
    groups: dict[tuple[str, ...], list[Case]] = defaultdict(list)
    for case in cases:
        groups[by(case)].append(case)
    found = {name: score(group) for name, group in groups.items()}
    return dict(sorted(found.items(), key=lambda entry: (-entry[1].alerts, entry[0])))


def score(cases: Sequence[Case]) -> Score:
    """The score of all of them together."""
    moves = {horizon: _moves([case.results[horizon] for case in cases if horizon in case.results]) for horizon in HORIZONS_MIN}
    return Score(len(cases), sum(case.useful for case in cases), sum(case.noise for case in cases), moves)


def _moves(results: Sequence[Result]) -> Moves:
    known = [(result.change_pct, result.usual_pct) for result in results if result.change_pct is not None]
    unknown = sum(result.change_pct is None and result.over for result in results)
    compared = [is_large(change, usual) for change, usual in known if usual is not None]
    large = sum(compared) / len(compared) if compared else None
    return Moves(len(known), unknown, median(abs(change) for change, _ in known) if known else None, len(compared), large)
