"""Does this process live, and does the whole system work? `/healthz` and `/readyz`."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from datetime import datetime, timedelta
from time import monotonic

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from redis import RedisError

from alertsystem.celery import QUEUES
from alertsystem.heartbeats import ALIVE_S, alive, alive_since
from alertsystem.late_scans import late_scans
from alertsystem.logs import redact
from monitors.models import FeedStatus

ANSWER_S = 2.0  # for all checks together: the page answers within 3 s even when the broker is frozen
FEED_AGE = timedelta(seconds=15)  # the monitor writes every 2 s
OK = "ok"

Report = dict[str, str]  # part -> "ok", or what is wrong with it


def healthz(request: HttpRequest) -> HttpResponse:
    """This process lives."""
    return HttpResponse("ok", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """Each part with "ok" or what is wrong; status 503 when one is not well."""
    pool = ThreadPoolExecutor(thread_name_prefix="readyz")  # a check that hangs must not hang the answer
    deadline = monotonic() + ANSWER_S
    checks = {"database": pool.submit(_closing_connection, _database), "broker": pool.submit(_broker)}
    parts = {part: text for name, check in checks.items() for part, text in _result(name, check, deadline).items()}
    if parts["database"] == parts["broker"] == parts.get("beat") == OK:
        parts |= _result("scans", pool.submit(_closing_connection, _scans), deadline)
    pool.shutdown(wait=False, cancel_futures=True)
    ready = all(text == OK for text in parts.values())
    return JsonResponse({"ready": ready, "parts": parts}, status=200 if ready else 503)


def _result(name: str, check: "Future[Report]", deadline: float) -> Report:
    try:
        return check.result(timeout=max(0.0, deadline - monotonic()))
    except NotInTime:
        return {name: f"no answer within {ANSWER_S:.0f} s; nothing that depends on it can be told"}


def _closing_connection(check: Callable[[], Report]) -> Report:
    try:
        return check()
    finally:
        connection.close()  # this thread's own


def _database() -> Report:
    try:
        rows = {row.venue: row for row in FeedStatus.objects.all()}
    except DatabaseError as error:  # the error's text may name host and user
        return {"database": f"it does not answer, or its tables are missing ({type(error).__name__}): see DATABASE_URL and run `manage.py migrate`"}
    now = timezone.now()
    lives = any(now - row.updated_at <= FEED_AGE for row in rows.values())
    monitor = OK if lives else f"no report from the liquidation monitor within {FEED_AGE.seconds} s: is `manage.py watch_liquidations` running?"
    return {"database": OK, "monitor": monitor, **{f"feed {venue}": _feed(rows.get(venue), now) for venue in settings.VENUES}}


def _feed(row: FeedStatus | None, now: datetime) -> str:
    if row is None:
        return "the monitor has never reported on it"
    if now - row.updated_at > FEED_AGE:
        return f"last report of the monitor {(now - row.updated_at).total_seconds():.0f} s ago"
    if row.state == "live":
        return OK
    next_try = f"; next try at {row.next_try_at:%H:%M:%S} UTC" if row.next_try_at else ""
    return redact(f"{row.state}{next_try}{f' ({row.last_error})' if row.last_error else ''}")


def _broker() -> Report:
    workers = [f"worker:{queue}" for queue in QUEUES]
    try:
        lives = alive(*workers, "beat")
    except (RedisError, OSError) as error:
        return {"broker": f"it does not answer ({type(error).__name__}); workers and beat cannot be told"}
    silent = f"no heartbeat within {ALIVE_S} s"
    report = {f"workers {queue}": OK if lives[f"worker:{queue}"] else f"{silent}: is a Celery worker of this queue running?" for queue in QUEUES}
    return {"broker": OK, **report, "beat": OK if lives["beat"] else f"{silent}: is `celery -A alertsystem beat` running?"}


def _scans() -> Report:
    """The late ones, by a schedule that is sent and a database that answers."""
    try:
        since = alive_since("beat")
        late = late_scans(since, timezone.now()) if since else []
    except (DatabaseError, RedisError, OSError) as error:
        return {"scans": f"what they do cannot be read ({type(error).__name__})"}
    return {"scans": f"{'; '.join(late)}: does a worker of the queue scans get on?" if late else OK}
