"""How good were the alerts of the last weeks? The admin's page: by rule, kind, asset and severity."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from alerts.models import Alert, Outcome, Vote
from alerts.rules.effectiveness import Case, Moves, Result, Score, scores
from alerts.rules.outcome import HORIZONS_MIN, horizon_in_words
from alertsystem.admin_base import MAX_ROWS
from monitors.market import Kind
from monitors.thresholds import Severity

PERIODS = {"7": "7 days", "30": "30 days", "90": "90 days", "": "all time"}
USUAL_PERIOD = "30"
OF_ALERT = ("pk", "kind", "asset", "severity", "peak__decision__rule", "rule", "opened_at")
MOST_ROWS = 100  # of a table: assets may be hundreds


@dataclass(frozen=True, slots=True)
class Grouping:
    """One table: its title, the heading of its first column, and what incidents are counted by; `order` in place of the largest first."""

    title: str
    heading: str
    by: Callable[[Case], tuple[str, ...]]
    order: Sequence[str] = ()


LOUDNESS = [severity.name.replace("_", " ") for severity in reversed(Severity)]
GROUPINGS = (
    Grouping("By severity", "Severity", lambda case: (Severity(case.severity).name.replace("_", " "),), LOUDNESS),
    Grouping("By kind", "Kind", lambda case: (_words(case.kind),)),
    Grouping("By rule in force", "Rule", lambda case: (_words(case.rule[0]), case.rule[1] or "any other asset")),
    Grouping("By asset", "Asset", lambda case: (case.asset,)),
)


def effectiveness_view(request: HttpRequest, model_admin: object = None) -> HttpResponse:
    """The page; `?days=` chooses the period."""
    if not request.user.has_perm("alerts.view_alert"):
        raise PermissionDenied
    chosen = request.GET.get("days", USUAL_PERIOD)
    chosen = chosen if chosen in PERIODS else USUAL_PERIOD
    found, cut = cases(timezone.now() - timedelta(days=int(chosen)) if chosen else None)
    context = {
        **admin.site.each_context(request),
        "title": "Effectiveness",
        "periods": [{"days": days, "name": name, "chosen": days == chosen} for days, name in PERIODS.items()],
        "cut": f"Only the newest {MAX_ROWS:,} alerts of the period are counted." if cut else "",
        "tables": [{"title": each.title, **_table(each, found)} for each in GROUPINGS] if found else [],
    }
    return TemplateResponse(request, "alerts/effectiveness.html", context)


def cases(since: datetime | None) -> tuple[list[Case], bool]:
    """The incidents that opened from `since` on (None: all), at most MAX_ROWS of the newest; and whether there were more.

    The rule of an incident is the one that judged its largest signal: its newest one may be of the story's other kind.
    """
    alerts = Alert.objects.all() if since is None else Alert.objects.filter(opened_at__gte=since)
    rows = list(alerts.order_by("-opened_at", "-id").values_list(*OF_ALERT)[: MAX_ROWS + 1])
    counted = rows[:MAX_ROWS]
    if not counted:
        return [], False
    oldest = counted[-1][-1]
    results, votes = _results(oldest), _votes(oldest)
    return [
        Case(kind, asset, severity, _name(judged_by or rule), results.get(pk, {}), votes[pk, True], votes[pk, False])
        for pk, kind, asset, severity, judged_by, rule, _ in counted
    ], len(rows) > MAX_ROWS


def _name(rule: Mapping[str, str]) -> tuple[str, str]:
    return rule["kind"], rule["asset"]


def _results(since: datetime) -> Mapping[int, Mapping[int, Result]]:
    found: dict[int, dict[int, Result]] = defaultdict(dict)
    rows = Outcome.objects.filter(alert__opened_at__gte=since).order_by().values_list("alert", "horizon_min", "state", "change_pct", "usual_pct")
    for alert, horizon, state, change_pct, usual_pct in rows.iterator():
        found[alert][horizon] = Result(change_pct, usual_pct, state != Outcome.State.WAITING)
    return found


def _votes(since: datetime) -> Counter[tuple[int, bool]]:
    rows = Vote.objects.filter(alert__opened_at__gte=since).order_by().values_list("alert", "useful").annotate(Count("pk"))
    return Counter({(alert, useful): count for alert, useful, count in rows})


def _table(grouping: Grouping, found: Iterable[Case]) -> dict[str, Any]:
    counted = scores(found, grouping.by)
    names = [(name,) for name in grouping.order if (name,) in counted] if grouping.order else list(counted)
    rows = [_row(name, counted[name]) for name in names]
    headers = [grouping.heading, "Alerts", *map(horizon_in_words, HORIZONS_MIN), "Useful", "Noise"]
    left_out = len(rows) - MOST_ROWS
    return {"table": {"headers": headers, "rows": rows[:MOST_ROWS]}, "left_out": left_out if left_out > 0 else 0}


def _row(name: tuple[str, ...], score: Score) -> list[str]:
    return [" ".join(name), f"{score.alerts:,}", *(_cell(score.moves[horizon]) for horizon in HORIZONS_MIN), f"{score.useful:,}", f"{score.noise:,}"]


def _cell(moves: Moves) -> SafeString:
    """The median and the share of large moves, over how many of each there are."""
    numbers = "-" if moves.median_pct is None else f"{moves.median_pct:.2f} %"
    of = "" if moves.compared == moves.known else f" of {moves.compared:,}"
    large = "" if moves.large is None else f", {moves.large * 100:.0f} %{of} large"
    counts = f"{moves.known:,} known" + (f", {moves.unknown:,} unknown" if moves.unknown else "")
    return format_html('<span class="one-line"><strong>{}</strong>{}<br>{}</span>', numbers, large, counts)


def _words(kind: str) -> str:
    return Kind(kind).value.replace("_", " ")
