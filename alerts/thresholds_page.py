"""What does docs/thresholds.md say? The seeded ladders beside how often they fire on recordings."""

from collections.abc import Iterable, Sequence

from alerts.rates import LEVELS, Measured, Rate
from monitors.market import UNIT_OF_KIND, Kind, Unit, Venue
from monitors.rulefile import plain_number
from monitors.thresholds import Rule, Severity

MEANT_A_DAY = {Severity.LOW: 3.0, Severity.MODERATE: 1.0, Severity.HIGH: 1 / 7}
FITTED = (Kind.OPEN_INTEREST, Kind.VOLUME)  # the kinds that the meant rates are for
OFF_BY = 2.0
SHORTEST_DAYS = 1  # of less, the number of alerts is shown and no rate
ENOUGH = 3  # alerts that the meant rate would have given in the days seen; with fewer expected nothing is said about it
RULES_HEAD = ("kind", "asset", "LOW", "MODERATE", "HIGH", "EXTREME", "window, s", "events", "venues", "minimum, $", "cooldown, s")
RATES_HEAD = ("kind", "asset", "venues", "days seen", "LOW a day", "MODERATE a day", "HIGH a week", "EXTREME in all")

INTRODUCTION = """# Thresholds: the seeded ladders, and how often they fire

Written by `make thresholds` (`manage.py fit_thresholds`), not by hand. Every number below comes from replaying recordings through the live detectors and
the live rules of the trigger engine, with the ladders that a new database starts with; the operator's own are edited in the admin.
"""

MEANT = """
Meant for open interest and volume, per asset: LOW about 3 a day, MODERATE about 1 a day, HIGH about 1 a week.
EXTREME is not fitted: it should come a few times a year, and the recordings are weeks long. It stays as seeded.
"""

HOW = """
An alert counts at each level that it reached: it opened there, or escalated to it or past it. All numbers are after the confirmation step (a measurement
that too few venues confirm is one step lower), and rates are per asset. **Where a recording holds one venue only, nothing can be unconfirmed**: `venues`
never asks for more venues than list the asset, so with three venues some of these alerts would be a step lower, and LOW ones (which stay LOW) would not.
Days are the time between arrivals, of silences over an hour one hour; volume is judged from the seventh day on, when its baseline is there.
Open interest rates include the asset's own history, which raises a severity from 7 and 14 days on.
A rate in bold is off by more than a factor of {off} from what is meant. "Any other" is every asset without a ladder of its own.
"""

CUT = """
The same volume ladders with the minimum in dollars, which is meant for the sum of all venues, cut to those that are in the recording ({venues} of {all}):
"""


def page(rules: Sequence[Rule], measured: Sequence[Measured]) -> str:
    """The whole page, as Markdown."""
    parts = [INTRODUCTION, "\n## The seeded ladders\n\n", _table(RULES_HEAD, map(_rule_cells, sorted(rules, key=_order))), MEANT]
    parts += ["\n## How often each level fires\n", HOW.format(off=plain_number_of(OFF_BY))]
    for recording in measured:
        parts += [f"\n### {recording.name}\n\n", f"Source: {recording.source or 'not said'}.\n\n", _table(RATES_HEAD, map(_rate_cells, recording.rates))]
        if recording.cut_to_venues:
            seen = max(len(rate.venues) for rate in recording.cut_to_venues)
            parts += [CUT.format(venues=seen, all=len(Venue)), "\n", _table(RATES_HEAD, map(_rate_cells, recording.cut_to_venues))]
    return "".join(parts)


def off(rate: Rate) -> list[Severity]:
    """The levels that fire more than twice or less than half as often as meant, as far as there is enough to say so."""
    judged = (level for level in MEANT_A_DAY if rate.kind in FITTED and MEANT_A_DAY[level] * rate.days * rate.assets >= ENOUGH)
    return [level for level in judged if not MEANT_A_DAY[level] / OFF_BY <= rate.a_day(level) <= MEANT_A_DAY[level] * OFF_BY]


def ladder_cells(rule: Rule) -> tuple[str, ...]:
    """LOW to EXTREME as the page writes them."""
    before, after = ("$", "") if UNIT_OF_KIND[rule.kind] is Unit.USD else ("", " %")
    return tuple(f"{before}{plain_number(rung):,}{after}" for rung in (rule.low, rule.moderate, rule.high, rule.extreme))


def plain_number_of(value: float) -> str:
    """Without a needless point: 2, 2.5."""
    return f"{value:g}"


def _order(rule: Rule) -> tuple[int, bool, str]:
    return list(Kind).index(rule.kind), rule.asset == "", rule.asset


def _rule_cells(rule: Rule) -> tuple[str, ...]:
    guards = (rule.window_s, rule.min_events, rule.min_venues, f"{plain_number(rule.min_usd):,}", rule.cooldown_s)
    return (_words(rule.kind), rule.asset or "any other", *ladder_cells(rule), *map(str, guards))


def _rate_cells(rate: Rate) -> tuple[str, ...]:
    asset = rate.asset or f"any other ({rate.assets})"
    bold = off(rate)
    shown = (f"**{_fired(rate, level)}**" if level in bold else _fired(rate, level) for level in LEVELS)
    return (_words(rate.kind), asset, ", ".join(venue.title for venue in rate.venues), f"{rate.days:.1f}", *shown)


def _fired(rate: Rate, level: Severity) -> str:
    if level is Severity.EXTREME or rate.days < SHORTEST_DAYS:
        return f"{rate.reached[level]} in all" if rate.days < SHORTEST_DAYS else str(rate.reached[level])
    return f"{rate.a_day(level) * (7 if level is Severity.HIGH else 1):.2f}"


def _words(kind: Kind) -> str:
    return kind.value.replace("_", " ")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
