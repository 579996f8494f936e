"""What does a signal do to the story it belongs to? `decide` opens, escalates, updates or closes an incident."""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from alerts.rules.severity import Grade, grade, severity_of_step
from monitors.market import Kind, Signal
from monitors.thresholds import Rule, Severity


class Outcome(StrEnum):
    """What became of a signal."""

    OPENED = "opened"
    ESCALATED = "escalated"
    BECAME_CASCADE = "became_cascade"
    UPDATED = "updated"
    BELOW_LOW = "below_low"
    OUT_OF_ORDER = "out_of_order"
    SWITCHED_OFF = "switched_off"


@dataclass(frozen=True, slots=True)
class Tally:
    """Running total of an incident: dollars and events so far, and the counters of asset and side that its last signal showed.

    The counters start anew with the monitor (`since_ms` tells); what came between two starts is not in the total.
    """

    usd: Decimal = Decimal(0)
    events: int = 0
    since_ms: int = 0
    seen_usd: Decimal = Decimal(0)
    seen_events: int = 0

    @classmethod
    def of(cls, signal: Signal) -> "Tally":
        """The total of an incident that begins with this signal."""
        seen = signal.details
        return cls(signal.value, signal.count, int(seen.get("seen_since_ms", 0)), Decimal(seen.get("seen_usd", 0)), int(seen.get("seen_events", 0)))

    def plus(self, signal: Signal) -> "Tally":
        """The total with what was counted since the last signal."""
        now = Tally.of(signal)
        same_counters = now.since_ms == self.since_ms and now.seen_events >= self.seen_events
        more_usd, more_events = (now.seen_usd - self.seen_usd, now.seen_events - self.seen_events) if same_counters else (Decimal(0), 0)
        return replace(now, usd=max(self.usd + more_usd, signal.value), events=max(self.events + more_events, signal.count))


@dataclass(frozen=True, slots=True)
class Incident:
    """One story: `kind` is cascade once a cascade was seen, `step` the highest it has had, `peak` its largest signal."""

    kind: Kind
    step: int
    opened_at_ms: int
    last_seen_ms: int
    newest_signal_ms: int
    peak: Signal
    rule: Rule
    unconfirmed: bool
    tally: Tally = Tally()
    over: bool = False  # noticed as closed; kept to recognise a signal from before its end

    @property
    def severity(self) -> Severity:
        """The highest severity it has had."""
        return severity_of_step(self.step)

    @property
    def closes_at_ms(self) -> int:
        """When it is over, unless it is seen again before."""
        return self.last_seen_ms + self.rule.cooldown_s * 1000


@dataclass(frozen=True, slots=True)
class Decision:
    """`closed`: the incident that had ended before this signal. `incident`: the one that is open after it (None: none)."""

    outcome: Outcome
    reason: str
    grade: Grade
    closed: Incident | None
    incident: Incident | None
    tells: bool


def decide(state: Incident | None, signal: Signal, rule: Rule | None, custom_floor: Decimal | None = None) -> Decision:
    """Apply one signal to the newest incident of its fingerprint (None: there was none).

    Time is the signal's own arrival. `rule` is the one in force (None: switched off), `custom_floor`
    the lowest custom threshold for the signal's kind and asset. `tells` is False when nobody can want it.
    """
    if state is not None and signal.received_at_ms < state.newest_signal_ms:
        return Decision(Outcome.OUT_OF_ORDER, "an older signal found after a newer one", Grade(0, unconfirmed=False), None, state, tells=False)
    state = None if state is not None and state.over else state
    closed = state if state is not None and signal.received_at_ms >= state.closes_at_ms else None
    open_now = None if closed else state
    if rule is None:
        return Decision(Outcome.SWITCHED_OFF, "the threshold rule is switched off", Grade(0, unconfirmed=False), closed, open_now, tells=False)
    graded = grade(signal, rule)
    if graded.step >= Severity.LOW:
        outcome, incident = _apply(open_now, signal, rule, graded)
        reason = "unconfirmed: one step lower" if graded.unconfirmed else ""
        return Decision(outcome, reason, graded, closed, incident, tells=True)
    passed = custom_floor is not None and signal.value >= custom_floor
    outcome, below = _apply_below_low(open_now, signal, rule, graded, passed=passed)
    return Decision(outcome, "a custom threshold is passed" if passed else "below LOW", graded, closed, below, tells=passed)


def _apply(state: Incident | None, signal: Signal, rule: Rule, graded: Grade) -> tuple[Outcome, Incident]:
    if state is None:
        return Outcome.OPENED, _opened(signal, rule, graded)
    seen = _seen(state, signal, rule)
    if graded.step > state.step:
        kind = Kind.CASCADE if state.kind is Kind.CASCADE else signal.kind
        return Outcome.ESCALATED, replace(seen, kind=kind, step=graded.step, unconfirmed=graded.unconfirmed)
    seen = replace(seen, unconfirmed=state.unconfirmed and graded.unconfirmed)
    if state.kind is Kind.LIQUIDATION and signal.kind is Kind.CASCADE:
        return Outcome.BECAME_CASCADE, replace(seen, kind=Kind.CASCADE)
    return Outcome.UPDATED, seen


def _apply_below_low(state: Incident | None, signal: Signal, rule: Rule, graded: Grade, *, passed: bool) -> tuple[Outcome, Incident | None]:
    if state is None:
        return (Outcome.OPENED, _opened(signal, rule, graded)) if passed else (Outcome.BELOW_LOW, None)
    if state.severity is Severity.BELOW_LOW:
        seen = _seen(state, signal, rule)
        return Outcome.UPDATED, replace(seen, kind=Kind.CASCADE if passed and signal.kind is Kind.CASCADE else state.kind)
    return Outcome.BELOW_LOW, replace(state, newest_signal_ms=signal.received_at_ms)


def _opened(signal: Signal, rule: Rule, graded: Grade) -> Incident:
    at_ms = signal.received_at_ms
    return Incident(signal.kind, graded.step, at_ms, at_ms, at_ms, signal, rule, graded.unconfirmed, Tally.of(signal))


def _seen(state: Incident, signal: Signal, rule: Rule) -> Incident:
    peak = signal if signal.value > state.peak.value else state.peak
    return replace(state, last_seen_ms=signal.received_at_ms, newest_signal_ms=signal.received_at_ms, peak=peak, rule=rule, tally=state.tally.plus(signal))
