"""How is one slice of a venue's scan run? Alone, within its time, under the budget, with its troubles counted."""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import TypeVar

from django.conf import settings
from django.utils import timezone

from monitors import selectors
from monitors.blind_spots import note_scan
from monitors.lease import Held
from monitors.market import Contract, Kind, Venue
from monitors.models import ScanStatus
from monitors.sight import blindness
from monitors.venues.clients import Client, client
from monitors.venues.troubles import PASSING, LimitReached, MarketDataError, NoTime, Trouble

log = logging.getLogger(__name__)

SLICE_S = 24.0  # no request begins later, but for those of a second look; one takes 10 s at most, so that a slice stays under 40 s
SECOND_LOOK_S = 5.0  # in which requests of a second look may begin
LEASE_S = 20.0  # longer than a request may take
RENEW_S = 4.0
AT_ONCE = 4  # requests under way: at 100 ms each that is more than any budget allows
NOT_ASKED = frozenset({Trouble.LIMIT, Trouble.NO_TIME, Trouble.NO_BUDGET})  # the next slice begins with these contracts
NOTHING = "nothing came: no contract is known yet, or the answer held none of them"
FINISHED = ("started_at", "succeeded_at", "contracts", "requests", "duration_ms", "failed", "resume_from")
SAY_AGAIN_S = 600.0
T = TypeVar("T")


class Slice:
    """One slice of one venue's scan; used by one thread."""

    def __init__(self, venue: Venue, kind: Kind, lease: Held, slice_s: float) -> None:
        self.venue, self.kind = venue, kind
        self.status = ScanStatus.objects.get_or_create(venue=venue, kind=kind)[0]
        self.markets = selectors.scanned_markets(venue)
        self.sampled = 0
        self.unjudged: Counter[str] = Counter()
        self._lease = lease
        self._started = time.monotonic()
        self._until, self._renew_at = self._started + slice_s, self._started + RENEW_S
        self._look_until = self._until + SECOND_LOOK_S
        self._stopped = False
        self._client: Client | None = None
        self._requests_before = 0

    @property
    def client(self) -> Client:
        """The process's client of the venue."""
        if self._client is None:
            self._client = client(self.venue)
            self._requests_before = self._client.requests
        return self._client

    @property
    def assets(self) -> list[str]:
        """Of the venue's scanned contracts."""
        return sorted({market.asset for market in self.markets.values()})

    @property
    def left_s(self) -> float:
        """Seconds in which requests may still begin."""
        return max(0.0, self._until - time.monotonic())

    @property
    def second_look_s(self) -> float:
        """Seconds in which requests of a second look may still begin."""
        return min(SECOND_LOOK_S, max(0.0, self._look_until - time.monotonic()))

    @property
    def paused(self) -> bool:
        """Whether the venue is to be left alone now."""
        return self.status.paused_until is not None and self.status.paused_until > timezone.now()

    def each(self, contracts: Sequence[Contract], fetch: Callable[[Contract], T]) -> list[T]:
        """What `fetch` found for each contract, a few at once; begins where the last slice ended, and ends when time or the lease does."""
        order = _from(contracts, self.status.resume_from)
        waiting, found = deque(order), []
        with ThreadPoolExecutor(AT_ONCE) as pool:
            flights: dict[Future[T], Contract] = {}
            while True:
                while waiting and len(flights) < AT_ONCE and self._may_ask():
                    contract = waiting.popleft()
                    flights[pool.submit(fetch, contract)] = contract
                if not flights:
                    break
                for done in wait(flights, RENEW_S / 2, FIRST_COMPLETED).done:
                    contract = flights.pop(done)
                    try:
                        found.append(done.result())
                    except MarketDataError as error:
                        self.trouble(error)
                        if error.trouble in NOT_ASKED:
                            waiting.append(contract)
        self.status.resume_from = min(waiting, key=order.index).venue_symbol if waiting else ""
        return found

    def trouble(self, error: MarketDataError) -> None:
        """Count it; one that concerns the whole venue ends the slice, and a limit pauses the venue."""
        status = self.status
        if isinstance(error, LimitReached) and error.begun and self._stopped:
            return  # a request beside the one that was told
        status.note = str(error)[:200]
        if isinstance(error, LimitReached):
            until = timezone.now() + timedelta(seconds=error.pause_s)
            ScanStatus.objects.filter(venue=self.venue).update(paused_until=until, note=status.note)
        if not isinstance(error, NoTime) and not (isinstance(error, LimitReached) and error.begun):
            status.failed[error.trouble] = status.failed.get(error.trouble, 0) + 1
        if not isinstance(error, NoTime):
            _say(error, self.kind)
        self._stopped = self._stopped or error.trouble not in PASSING

    def renew(self) -> None:
        """Keep the lease for what comes after the venue was sampled."""
        self._lease.renew()

    def leave_out(self, assets: int, reason: str) -> None:
        """So many assets could not be judged."""
        if assets:
            self.unjudged[reason] += assets

    def finish(self) -> None:
        """Write how it went."""
        status, now = self.status, timezone.now()
        if self.sampled:
            note_scan(status, now)
            status.succeeded_at = now
        else:
            status.note = status.note or NOTHING
        status.contracts = self.sampled
        status.requests = self._client.requests - self._requests_before if self._client else 0
        status.duration_ms = round((time.monotonic() - self._started) * 1000)
        status.started_at = now - timedelta(milliseconds=status.duration_ms)
        status.save(update_fields=FINISHED)
        # What was told of a pause meanwhile, here or by another scan, stays
        ScanStatus.objects.filter(pk=status.pk).exclude(paused_until__gt=now).update(note=status.note)

    def _may_ask(self) -> bool:
        now = time.monotonic()
        if now >= self._renew_at:
            self._renew_at = now + RENEW_S
            self._stopped = not self._lease.renew() or self._stopped
        return now < self._until and not self._stopped


def run_slice(venue: Venue, kind: Kind, sample: Callable[[Slice], None], judge: Callable[[Slice], int], slice_s: float = SLICE_S) -> int:
    """Sample the venue and judge its assets, unless another worker is at it; returns how many signals were raised."""
    if venue not in settings.VENUES:
        return 0
    lease = Held(f"scan:{kind}:{venue}", LEASE_S)
    if not lease.acquire():
        return 0
    try:
        return _sample_and_judge(Slice(venue, kind, lease, slice_s), sample, judge)
    finally:
        lease.release()


def _sample_and_judge(piece: Slice, sample: Callable[[Slice], None], judge: Callable[[Slice], int]) -> int:
    """A scan that brings nothing judges all the same: the others may have left the assets to it.

    After a gap the first one only looks: when it was all of us, the other venues are not back yet, and a change would seem to be this one's alone.
    """
    if piece.paused:
        return 0
    returns = bool(blindness(piece.status, timezone.now()))
    piece.status.note = ""
    try:
        piece.client.now_ms()  # so that judging knows how far the venue's clock is off
        if not piece.left_s:
            raise NoTime(piece.venue, "asking for its time took all the time there was")
        sample(piece)
    except MarketDataError as error:
        piece.trouble(error)
    piece.finish()
    raised = 0 if returns else judge(piece)
    ScanStatus.objects.filter(pk=piece.status.pk).update(unjudged=dict(piece.unjudged))
    return raised


_said: dict[tuple[Venue, Kind, Trouble], float] = {}


def _say(error: MarketDataError, kind: Kind) -> None:
    """Log each trouble of a venue's scans now and then, for it may strike every minute."""
    about, now = (error.venue, kind, error.trouble), time.monotonic()
    if now - _said.get(about, -SAY_AGAIN_S) >= SAY_AGAIN_S:
        _said[about] = now
        log.warning("%s (%s)", error, kind.replace("_", " "))


def _from(contracts: Sequence[Contract], first: str) -> list[Contract]:
    """The contracts, beginning with the one that is called `first`."""
    at = next((index for index, contract in enumerate(contracts) if contract.venue_symbol == first), 0)
    return [*contracts[at:], *contracts[:at]]
