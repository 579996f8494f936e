"""How does a process speak to a venue over REST? One ccxt instance a venue, under the budget that all processes share."""

import importlib
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, NoReturn
from urllib.parse import urlsplit

from django.conf import settings

from alertsystem import ending
from monitors.budget import USUAL, BudgetAway, bucket_of, budget
from monitors.market import Venue
from monitors.venues.troubles import LimitReached, MarketDataError, NoTime, Trouble
from monitors.venues.wire import ODD

TIMEOUT_MS = 10_000
PATIENCE_S = 20.0  # how long a request waits for the budget, unless it is told otherwise
LIMIT_STATUSES = frozenset({403, 418, 429})  # 403: Bybit's IP limit and the web application firewalls; 418: Binance's ban
PAUSE_S: Mapping[Venue, float] = {Venue.BINANCE: 60, Venue.BYBIT: 60, Venue.OKX: 10}  # without Retry-After: their longest counting windows, with a margin
PAUSE_OF_STATUS_S = {418: 120.0, 403: 600.0}  # Binance: a ban lasts 2 min at least; Bybit asks for 10 min
LONGEST_PAUSE_S = 3 * 86_400.0  # Binance's longest ban; what a header says beyond it is a mistake
CLOCK_EVERY_S = 600.0  # how often the venue is asked for its time
_PATIENCE_STEP_S = 0.25
_MAKING = threading.Lock()

# ccxt's class of each venue, and what keeps load_markets from asking for spot, options and currencies.
CLASSES: Mapping[Venue, tuple[str, dict[str, Any]]] = {
    Venue.BINANCE: ("binanceusdm", {"fetchCurrencies": False}),
    Venue.BYBIT: ("bybit", {"fetchMarkets": {"types": ["linear"]}, "defaultSubType": "linear"}),
    Venue.OKX: ("okx", {"defaultType": "swap", "fetchMarkets": {"types": ["swap"]}}),
}


@cache
def client_of(venue: Venue, rest_url: str) -> "Client":
    """This process's only client of the venue; `rest_url` replaces the host of every address ("": the venue's own)."""
    return Client(venue, rest_url)


def client(venue: Venue) -> "Client":
    """This process's client of the venue, by the settings; threads that come first together get the same one."""
    with _MAKING:
        return client_of(venue, getattr(settings, f"{venue.upper()}_REST_URL"))


class Client:
    """One ccxt instance; threads may share it. ccxt's own throttle is off, for it knows nothing of other processes."""

    def __init__(self, venue: Venue, rest_url: str = "", timeout_ms: int = TIMEOUT_MS) -> None:
        self.venue = venue
        self.requests = 0
        self._offset_ms = 0
        self._clock_at: float | None = None
        self._lock = threading.Lock()
        self._rows: dict[str, threading.Lock] = {}  # of those who wait, one for each bucket
        self._ccxt = importlib.import_module("ccxt")  # 0.6 s and 73 MB that the monitor, the bot and the web process do without
        name, options = CLASSES[venue]
        self._exchange = _reporting(getattr(self._ccxt, name), venue)({"timeout": timeout_ms, "enableRateLimit": False, "options": options})
        self._exchange.has["fetchCurrencies"] = False
        if rest_url:
            addresses = self._exchange.urls["api"]
            self._exchange.urls["api"] = {part: rest_url.rstrip("/") + urlsplit(url).path for part, url in addresses.items()}

    def call(self, method: str, *args: Any, cost: int = 1, bucket: str = USUAL, spare: int = 0, patience_s: float = PATIENCE_S) -> Any:
        """Call ccxt's `method` once the budget has `cost` units; raises MarketDataError.

        A limit that the venue says is reached pauses it for every process. `spare` units are left to others.
        """
        self._wait_for_budget(cost, bucket, spare, patience_s)
        with self._lock:
            self.requests += 1
        try:
            with understanding(self.venue):  # ccxt stumbles over odd answers
                return getattr(self._exchange, method)(*args)
        except LimitReached as error:
            self._pause(error)
        except self._ccxt.BaseError as error:
            if isinstance(error, (self._ccxt.RateLimitExceeded, self._ccxt.DDoSProtection)):
                self._pause(LimitReached(self.venue, first_line(error), PAUSE_S[self.venue]))
            raise MarketDataError(self.venue, self._trouble(error), f"{type(error).__name__}: {first_line(error)}") from error

    def now_ms(self) -> int:
        """The venue's clock in epoch ms, asked for now and then; raises MarketDataError when that reaches a limit or nobody."""
        if self._clock_at is None or time.monotonic() - self._clock_at > CLOCK_EVERY_S:
            asked_at = time.time()
            told_ms = self.call("fetch_time")
            if not isinstance(told_ms, int):
                raise MarketDataError(self.venue, Trouble.MALFORMED, "its time is not understood")
            self._offset_ms = told_ms - round((asked_at + time.time()) * 500)  # at half of the way there and back
            self._clock_at = time.monotonic()
        return round(time.time() * 1000) + self._offset_ms

    @property
    def offset_ms(self) -> int:
        """How far the venue's clock is ahead of ours, as far as is known."""
        return self._offset_ms

    def _wait_for_budget(self, cost: int, bucket: str, spare: int, patience_s: float) -> None:
        """Return when the budget gave its units. The threads of a process wait in a row: the first to come is the first to ask."""
        deadline = time.monotonic() + patience_s
        with self._lock:
            row = self._rows.setdefault(bucket_of(self.venue, bucket), threading.Lock())
        if not row.acquire(timeout=patience_s):
            raise NoTime(self.venue, f"the budget has no room within {patience_s:.0f} s")
        try:
            self._take(cost, bucket, spare, deadline)
        finally:
            row.release()

    def _take(self, cost: int, bucket: str, spare: int, deadline: float) -> None:
        while True:
            if ending.is_ending():
                raise NoTime(self.venue, "this worker was told to end")
            try:
                turn = budget().take(self.venue, cost, bucket, spare)
                reason = budget().pause_reason(self.venue) if turn.paused else ""
            except BudgetAway as error:
                raise MarketDataError(self.venue, Trouble.NO_BUDGET, f"the shared budget of requests cannot be read (Redis: {error})") from error
            if turn.paused:
                raise LimitReached(self.venue, reason or "the venue asked for a pause", turn.wait_s, begun=True)
            if turn.wait_s <= 0:
                return
            if time.monotonic() + turn.wait_s > deadline:
                raise NoTime(self.venue, f"the budget has no room for {turn.wait_s:.1f} s")
            time.sleep(min(turn.wait_s, _PATIENCE_STEP_S))

    def _pause(self, limit: LimitReached) -> NoReturn:
        try:
            budget().pause(self.venue, limit.pause_s, limit.why)
        except BudgetAway:
            pass  # the caller keeps the pause with the venue's status
        raise limit

    def _trouble(self, error: Exception) -> Trouble:
        ccxt = self._ccxt
        for kinds, trouble in (
            ((ccxt.OnMaintenance,), Trouble.MAINTENANCE),
            ((ccxt.RequestTimeout,), Trouble.TIME_OUT),
            ((ccxt.BadSymbol, ccxt.BadRequest, ccxt.ArgumentsRequired), Trouble.REFUSED),
            ((ccxt.NetworkError,), Trouble.NETWORK),
            ((ccxt.BadResponse, ccxt.NullResponse), Trouble.MALFORMED),
        ):
            if isinstance(error, kinds):
                return trouble
        return Trouble.REFUSED


@contextmanager
def understanding(venue: Venue) -> Iterator[None]:
    """While an answer is read: one that is not as documented becomes a MarketDataError with one clear line."""
    try:
        yield
    except ODD as error:
        raise MarketDataError(venue, Trouble.MALFORMED, f"its answer is not understood ({type(error).__name__}: {first_line(error)})") from error


def first_line(error: Exception) -> str:
    """An error's text in one line of bearable length."""
    return " ".join(str(error).split())[:150]


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Seconds of a Retry-After header: a number or a date; None when there is none that makes sense."""
    text = (header or "").strip()
    try:
        seconds = float(text) if text.replace(".", "", 1).isdigit() else (parsedate_to_datetime(text) - now).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(seconds, 1.0), LONGEST_PAUSE_S)


def _reporting(base: Any, venue: Venue) -> Any:
    """ccxt's class, with statuses that mean a limit told apart while the answer's headers are at hand."""

    class Reporting(base):  # type: ignore[misc]  # untyped
        def handle_errors(self, code: int, reason: str, url: str, method: str, headers: Any, *rest: Any) -> Any:
            told_s = retry_after_s(headers.get("Retry-After"), datetime.now(UTC)) if code >= 400 else None
            if code in LIMIT_STATUSES or told_s is not None:
                pause_s = told_s or PAUSE_OF_STATUS_S.get(code, PAUSE_S[venue])
                raise LimitReached(venue, f"status {code} {reason}".strip(), pause_s)
            return super().handle_errors(code, reason, url, method, headers, *rest)

    return Reporting
