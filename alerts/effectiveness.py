"""What came of each incident? Its moves over each horizon, measured from candles once they are there; what was missed is caught up."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, Max, Min, OuterRef

from alerts.models import Alert, Decision, Outcome
from alerts.rules import incident
from alerts.rules.outcome import HORIZONS_MIN, USUAL_MS, Move, minutes_of, move_over, over_ms, usual_pct
from alerts.seldom import Seldom
from alertsystem import ending
from monitors import price_candles
from monitors.lease import Held
from monitors.market import TIMEFRAME_MS, Contract, Kind, PriceCandle, Venue, epoch_ms, from_epoch_ms
from monitors.models import Signal
from monitors.venues.troubles import PASSING, MarketDataError, Trouble

said = Seldom(logging.getLogger(__name__), every_s=3_600)  # with many assets each minute's run may end before it is through

SLICE_S = 10.0  # no request begins later, and one takes 10 s at most: charts wait for the same worker
LEASE_S = 15.0  # renewed from asset to asset; when venues hang for longer, another worker asks once more
SETTLED = timedelta(seconds=10)  # after a minute's end its candle is asked for
GAP_AFTER = timedelta(minutes=5)  # what the venue does not have by then is a gap
GIVE_UP_AFTER = timedelta(days=3)  # of asking venues that do not answer
CHUNK = 1_000  # alerts at a time
OUT_OF_ORDER = 1_000  # ids of alerts are not committed in their order
NOT_LISTED = "no watched venue lists it"
Candles = Mapping[int, PriceCandle]


def outcomes_of(alert: Alert) -> list[Outcome]:
    """What is known so far, the shortest horizon first; nothing while the alert is younger than a minute or so."""
    return list(Outcome.objects.filter(alert=alert).order_by("horizon_min"))


def measure_due(now: datetime, slice_s: float = SLICE_S) -> tuple[int, bool]:
    """Measure what is over; returns how many outcomes were settled, and whether that was all. Nothing while another worker is at it."""
    lease = Held("outcomes", LEASE_S)
    if not lease.acquire():
        return 0, True
    try:
        while prepare() == CHUNK:
            pass
        return _Run(now, lease, time.monotonic() + slice_s).run()
    finally:
        lease.release()


def prepare() -> int:
    """Write what is to be measured of alerts that have nothing yet, at most CHUNK of them; returns how many."""
    newest = Outcome.objects.aggregate(newest=Max("alert"))["newest"] or 0
    untouched = Alert.objects.filter(~Exists(Outcome.objects.filter(alert=OuterRef("pk"))), pk__gt=newest - OUT_OF_ORDER)
    found = list(untouched.order_by("pk").values_list("pk", "opened_at")[:CHUNK])
    rows = [
        Outcome(alert_id=alert, horizon_min=horizon, due_at=from_epoch_ms(over_ms(epoch_ms(opened_at), horizon)))
        for alert, opened_at in found
        for horizon in HORIZONS_MIN
    ]
    Outcome.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    return len(found)


def mark_at(signal: Signal) -> float | None:
    """The mark price that came with a signal, dollars per coin; None when there was none: a liquidation's own price is no mark."""
    if told := signal.details.get("mark_price"):
        return float(told)
    return float(signal.price) if signal.kind == Kind.OPEN_INTEREST and signal.price is not None else None


@dataclass(slots=True)
class _Case:
    """One incident with its outcomes that are over; `venue` is whose candles the earlier ones were measured by."""

    detected_ms: int
    mark: float | None
    venue: str
    due: list[Outcome]

    @property
    def minutes(self) -> set[int]:
        """Open times of all minutes that count."""
        return {at for outcome in self.due for at in minutes_of(self.detected_ms, outcome.horizon_min)}


class _Run:
    """One slice, asset by asset."""

    def __init__(self, now: datetime, lease: Held, until: float) -> None:
        self._now, self._lease, self._until = now, lease, until
        self._away: set[Venue] = set()  # those that do not answer now
        self._over = False  # no request can be made any more
        self._settled = 0

    def run(self) -> tuple[int, bool]:
        """Every asset of which something is over, the longest waiting first."""
        due = Outcome.objects.filter(state=Outcome.State.WAITING, due_at__lte=self._now - SETTLED)
        for row in due.order_by().values("alert__asset").annotate(first=Min("due_at")).order_by("first"):
            if time.monotonic() >= self._until or ending.is_ending() or not self._lease.renew():
                return self._settled, False
            if self._over:
                break
            asset = row["alert__asset"]
            self._measure(asset, _cases(due.filter(alert__asset=asset).select_related("alert").order_by("due_at")[:CHUNK]))
        return self._settled, True

    def _measure(self, asset: str, left: Sequence[_Case]) -> None:
        contracts = price_candles.contracts_of(asset)
        watched = {contract.venue for contract in contracts}
        usual, why = _Usual(contracts, [case.detected_ms for case in left]), NOT_LISTED
        for contract in contracts:
            ours = [case for case in left if case.venue not in watched or case.venue == contract.venue]
            left = [case for case in left if case.venue in watched and case.venue != contract.venue]
            try:
                candles = self._candles(contract, {at for case in ours for at in case.minutes})
            except MarketDataError as error:
                if self._over:
                    return
                why, left = str(error), [*left, *ours]
                continue
            for case in ours:
                self._settle(case, contract.venue, candles, usual)
        for case in left:
            self._give_up(case, why)

    def _candles(self, contract: Contract, minutes: Iterable[int]) -> Candles:
        if contract.venue in self._away:
            raise MarketDataError(contract.venue, Trouble.NETWORK, "it does not answer now")
        try:
            return price_candles.price_candles(contract, minutes, max(0.0, self._until - time.monotonic()))
        except MarketDataError as error:
            said.warning("Outcomes wait: %s", error, about=(error.venue, error.trouble))
            if error.trouble not in PASSING:
                self._away.add(contract.venue)
            self._over = error.trouble in (Trouble.NO_TIME, Trouble.NO_BUDGET)
            raise

    def _settle(self, case: _Case, venue: Venue, candles: Candles, usual: "_Usual") -> None:
        for outcome in case.due:
            move = move_over(candles, case.detected_ms, outcome.horizon_min, case.mark)
            if isinstance(move, Move):
                usual_move = usual.pct(case.detected_ms, outcome.horizon_min)
                numbers = {"price": move.price, "change_pct": move.change_pct, "up_pct": move.up_pct, "down_pct": move.down_pct, "usual_pct": usual_move}
                self._write(outcome, state=Outcome.State.KNOWN, venue=venue, **numbers)
            elif outcome.due_at + GAP_AFTER <= self._now:
                self._write(outcome, state=Outcome.State.UNKNOWN, venue=venue, reason=f"{move.reason} at {venue.title}")

    def _give_up(self, case: _Case, why: str) -> None:
        patience = GAP_AFTER if why == NOT_LISTED else GIVE_UP_AFTER
        for outcome in case.due:
            if outcome.due_at + patience <= self._now:
                self._write(outcome, state=Outcome.State.UNKNOWN, reason=why[:200])

    def _write(self, outcome: Outcome, **found: object) -> None:
        waiting = Outcome.objects.filter(pk=outcome.pk, state=Outcome.State.WAITING)
        self._settled += waiting.update(measured_at=self._now, **found)


class _Usual:
    """What is usual for an asset, from the 5-minute candles before each of the detections."""

    def __init__(self, contracts: Sequence[Contract], detected_ms: Sequence[int]) -> None:
        self._contracts = contracts
        self._since, self._until = from_epoch_ms(min(detected_ms) - USUAL_MS), from_epoch_ms(max(detected_ms))
        self._closes: dict[Contract, Mapping[int, float]] = {}

    def pct(self, detected_ms: int, horizon_min: int) -> float | None:
        """Over the week before a detection, by the first contract that has enough of it."""
        for contract in self._contracts:
            if contract not in self._closes:
                self._closes[contract] = price_candles.closes(contract, self._since, self._until)
            week = {at: close for at, close in self._closes[contract].items() if detected_ms - USUAL_MS <= at <= detected_ms - TIMEFRAME_MS}
            if (usual := usual_pct(week, horizon_min)) is not None:
                return usual
        return None


def _cases(outcomes: Iterable[Outcome]) -> list[_Case]:
    """The incidents of these outcomes, the longest waiting first."""
    due: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        due.setdefault(outcome.alert_id, []).append(outcome)
    opened = Decision.objects.filter(alert__in=due, outcome=incident.Outcome.OPENED).select_related("signal")
    marks = {decision.alert_id: mark_at(decision.signal) for decision in opened}
    venues = dict(Outcome.objects.filter(alert__in=due, state=Outcome.State.KNOWN).values_list("alert", "venue"))
    return [_Case(epoch_ms(of[0].alert.opened_at), marks.get(alert), venues.get(alert, ""), of) for alert, of in due.items()]
