"""How does the system do, in numbers for Prometheus? `/metrics`, read from the database when asked; only for who knows METRICS_TOKEN."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from secrets import compare_digest

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Max, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from alerts.chart_rows import OTHERS
from alerts.models import Alert, Delivery
from monitors.models import FeedStatus, ScanStatus, Signal
from monitors.thresholds import Severity

PREFIX = "alertsystem_"
NEWEST = 10_000  # deliveries looked at for their states: the whole history would take long
HOUR = timedelta(hours=1)

Row = tuple[Iterable[str], float | None]  # labels and value; None: there is nothing to measure


def metrics(request: HttpRequest) -> HttpResponse:
    """The numbers as text; 404 while METRICS_TOKEN is empty, 401 without it as bearer token, 503 while the database is away."""
    token = settings.METRICS_TOKEN.get_secret_value()
    if not token:
        raise Http404("METRICS_TOKEN is empty")
    if not compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()):
        return HttpResponse("METRICS_TOKEN is wanted as bearer token\n", status=401, headers={"WWW-Authenticate": "Bearer"}, content_type="text/plain")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Database())
    try:
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    except DatabaseError as error:  # the error's text may name host and user
        return HttpResponse(f"the database does not answer ({type(error).__name__})\n", status=503, content_type="text/plain")


class _Database(Collector):
    """Reads the tables anew at each scrape."""

    def describe(self) -> list[Metric]:
        """Nothing is known before it is asked for."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every metric."""
        now = timezone.now()
        yield from _feeds(now)
        yield from _scans(now)
        yield from _alerts(now)
        yield from _outbox(now)


def _feeds(now: datetime) -> Iterator[Metric]:
    rows = list(FeedStatus.objects.order_by("venue"))
    yield _gauge("feed_live", "1 while data flows from the venue's liquidation feed", ["venue"], [([row.venue], row.state == "live") for row in rows])
    yield _gauge("feed_data_age_seconds", "since the last data of the feed", ["venue"], [([row.venue], _age_s(now, row.last_data_at)) for row in rows])
    yield _gauge("feed_report_age_seconds", "since the monitor wrote of it", ["venue"], [([row.venue], _age_s(now, row.updated_at)) for row in rows])
    yield _gauge("feed_events_per_minute", "liquidations in the last minute", ["venue"], [([row.venue], row.events_per_minute) for row in rows])
    yield _counter("feed_reconnects", "since the monitor's start", ["venue"], [([row.venue], row.reconnects) for row in rows])
    yield _counter("feed_malformed", "frames or rows not understood", ["venue"], [([row.venue], row.malformed) for row in rows])
    yield _counter("feed_unknown", "events of unknown contracts", ["venue"], [([row.venue], row.unknown) for row in rows])
    yield _counter("feed_unsaved", "rows not saved under overload", ["venue"], [([row.venue], row.unsaved) for row in rows])
    dropped = [([row.venue, reason], number) for row in rows for reason, number in row.dropped.items()]
    yield _counter("feed_dropped", "events dropped or kept out of detection", ["venue", "reason"], dropped)


def _scans(now: datetime) -> Iterator[Metric]:
    rows = list(ScanStatus.objects.order_by("venue", "kind"))
    labels = ["venue", "kind"]
    yield _gauge("scan_success_age_seconds", "since a scan that brought data", labels, [([row.venue, row.kind], _age_s(now, row.succeeded_at)) for row in rows])
    paused = [([row.venue, row.kind], row.paused_until is not None and row.paused_until > now) for row in rows]
    yield _gauge("scan_paused", "1 while the venue asked for a pause", labels, paused)
    yield _gauge("scan_duration_seconds", "of the last scan", labels, [([row.venue, row.kind], row.duration_ms / 1000) for row in rows])
    yield _gauge("scan_requests", "made by the last scan", labels, [([row.venue, row.kind], row.requests) for row in rows])
    yield _gauge("scan_contracts", "sampled by the last scan", labels, [([row.venue, row.kind], row.contracts) for row in rows])
    failed = [([row.venue, row.kind, reason], number) for row in rows for reason, number in row.failed.items()]
    yield _counter("scan_failed", "scans and answers that brought nothing", [*labels, "reason"], failed)


def _alerts(now: datetime) -> Iterator[Metric]:
    unread = Signal.objects.filter(decided_at=None).aggregate(count=Count("pk"), oldest=Min("detected_at"))
    yield _gauge("signals_unread", "signals that the trigger engine has not decided", [], [([], unread["count"])])
    yield _gauge("signals_unread_oldest_age_seconds", "age of the oldest of them", [], [([], _age_s(now, unread["oldest"]))])
    opened = dict(Alert.objects.filter(closed_at=None).order_by().values_list("severity").annotate(Count("pk")))
    yield _gauge("alerts_open", "incidents that are open", ["severity"], _by_severity(opened))
    recent = dict(Alert.objects.filter(opened_at__gte=now - HOUR).order_by().values_list("severity").annotate(Count("pk")))
    yield _gauge("alerts_opened_last_hour", "incidents opened within the hour", ["severity"], _by_severity(recent))


def _outbox(now: datetime) -> Iterator[Metric]:
    pending = Delivery.objects.filter(OTHERS, state=Delivery.State.PENDING).order_by()
    waiting = dict(pending.values_list("severity").annotate(Count("pk")))
    yield _gauge("deliveries_pending", "messages that wait to be sent, without charts", ["severity"], _by_severity(waiting))
    oldest = _age_s(now, pending.aggregate(at=Min("queued_at"))["at"])
    yield _gauge("deliveries_pending_oldest_age_seconds", "age of the oldest of them", [], [([], oldest)])
    newest = Delivery.objects.aggregate(pk=Max("pk"))["pk"] or 0
    states = dict(Delivery.objects.filter(pk__gt=newest - NEWEST).order_by().values_list("state").annotate(Count("pk")))
    rows: list[Row] = [([state.value], states.get(state.value, 0)) for state in Delivery.State]
    yield _gauge("deliveries_newest", f"the newest {NEWEST} deliveries by their state", ["state"], rows)


def _by_severity(counts: Mapping[int, int]) -> list[Row]:
    return [([severity.name], counts.get(severity, 0)) for severity in Severity]


def _age_s(now: datetime, at: datetime | None) -> float | None:
    return None if at is None else (now - at).total_seconds()


def _gauge(name: str, description: str, labels: list[str], rows: Iterable[Row]) -> Metric:
    return _filled(GaugeMetricFamily(PREFIX + name, description, labels=labels), rows)


def _counter(name: str, description: str, labels: list[str], rows: Iterable[Row]) -> Metric:
    """A number that only rises until the process that counts is started again."""
    return _filled(CounterMetricFamily(PREFIX + name, description, labels=labels), rows)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, rows: Iterable[Row]) -> Metric:
    for labels, value in rows:
        if value is not None:
            family.add_metric(list(labels), float(value))
    return family
