"""How does the alert history leave the admin? As CSV, row by row, with what came of each alert; safe to open in a spreadsheet."""

import csv
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from alerts.models import Alert, Decision, Delivery, Outcome, Vote
from alerts.rules.outcome import HORIZONS_MIN
from monitors.market import UNIT_OF_KIND, Kind

CHUNK = 500
OF_ALERT = (
    "id",
    "opened_at",
    "closed_at",
    "kind",
    "asset",
    "direction",
    "severity",
    "step",
    "value",
    "unit",
    "unconfirmed",
    "rule_kind",
    "rule_asset",
    "sent",
    "useful",
    "noise",
)
OF_OUTCOME = ("state", "price", "change_pct", "up_pct", "down_pct", "usual_pct", "reason")
HEADER = (*OF_ALERT, *(f"{name}_{horizon}min" for horizon in HORIZONS_MIN for name in OF_OUTCOME))
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet takes what begins so for a formula


class _Line:
    """What csv writes a row to: gives the row back."""

    def write(self, text: str) -> str:
        return text


def csv_lines(alerts: QuerySet[Alert]) -> Iterator[str]:
    """The header, then a line for each alert, the newest first, read a chunk at a time; dollars or percent as `unit` says, times in UTC."""
    writer = csv.writer(_Line())
    yield writer.writerow(HEADER)
    before: int | None = None
    ordered = alerts.order_by("-pk").select_related("peak")
    while chunk := list((ordered if before is None else ordered.filter(pk__lt=before))[:CHUNK]):
        yield "".join(writer.writerow([_safe(cell) for cell in row]) for row in _rows(chunk))
        before = chunk[-1].pk


def _rows(alerts: Sequence[Alert]) -> Iterator[list[Any]]:
    sent = dict(Delivery.objects.filter(alert__in=alerts, state=Delivery.State.SENT).order_by().values_list("alert").annotate(Count("pk")))
    counted = Vote.objects.filter(alert__in=alerts).order_by().values("alert")
    votes = {row["alert"]: row for row in counted.annotate(yes=Count("pk", filter=Q(useful=True)), no=Count("pk", filter=Q(useful=False)))}
    judged_by: dict[int, Any] = dict(Decision.objects.filter(signal__in=[alert.peak_id for alert in alerts], rule__isnull=False).values_list("signal", "rule"))
    outcomes = {(row.alert_id, row.horizon_min): row for row in Outcome.objects.filter(alert__in=alerts)}
    for alert in alerts:
        of_votes = votes.get(alert.pk, {"yes": 0, "no": 0})
        severity, unit = alert.get_severity_display(), UNIT_OF_KIND[Kind(alert.peak.kind)].value
        rule = judged_by.get(alert.peak_id, alert.rule)  # the alert's own is that of its newest signal
        row = [
            alert.pk, alert.opened_at, alert.closed_at, alert.kind, alert.asset, alert.direction, severity, alert.step, alert.peak.value.normalize(), unit,
            alert.unconfirmed, rule["kind"], rule["asset"], sent.get(alert.pk, 0), of_votes["yes"], of_votes["no"],
        ]  # fmt: skip
        for horizon in HORIZONS_MIN:
            outcome = outcomes.get((alert.pk, horizon))
            row += [getattr(outcome, name) if outcome else "" for name in OF_OUTCOME]
        yield row


def _safe(cell: Any) -> str:
    """As text; what a spreadsheet would run as a formula is marked as text, numbers stay numbers."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(FORMULA) else cell
    return f"{cell:f}" if hasattr(cell, "as_tuple") else str(cell)
