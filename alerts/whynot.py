"""Why was this subscriber not told? The strongest signals of a span of time, and what became of each for this subscriber."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import F, Max

from alerts import told
from alerts.models import Decision, Delivery, FanOut
from alerts.rules.incident import Outcome
from alerts.rules.why_text import threshold
from monitors import rulefile
from monitors.market import UNIT_OF_KIND, Direction, Kind, fingerprint_of
from monitors.models import Signal
from monitors.thresholds import Severity
from subscribers.models import Subscriber
from subscribers.preferences import OFF, Preferences, Verdict, custom_threshold, wish_for
from subscribers.selectors import preferences_as_of, preferences_of

MOST = 8  # stories; an asset has seven at most
SILENCED = "silenced:"  # how the trigger engine's reason begins


class Because(StrEnum):
    """What became of a signal for one subscriber; a `note` beside it says more."""

    REACHED = "it did reach this chat"
    STEP = "see its message"  # the step says it: held back, superseded, expired ...
    TOLD_BEFORE = "part of an incident that this chat had been told of"
    TOLD_LOUDER = "a higher step followed, and reached this chat"
    BELOW_LOW = "below LOW"
    SILENCED = "silenced by the operator"
    SWITCHED_OFF = "switched off by the operator"
    OUT_OF_ORDER = "it was found after a newer one"
    UNDECIDED = "not decided on yet"
    NOT_SUBSCRIBED = "this chat was not subscribed then"
    UNWANTED = "not wanted"  # the note says what was wanted
    BEING_WRITTEN = "its messages are being written"
    UNEXPLAINED = "no reason is on record"


@dataclass(frozen=True, slots=True)
class Finding:
    """One signal, the strongest of its kind and direction, and what became of it. `severity` is as judged, None while undecided.

    `step` is the message it led to, or had led to before. `as_today`: what was wanted then is not on record, so today's wishes were asked.
    """

    signal: Signal
    severity: Severity | None
    because: Because
    note: str = ""
    step: told.Step | None = None
    as_today: bool = False


def why_not(subscriber: Subscriber, asset: str, since: datetime, until: datetime) -> list[Finding]:
    """The strongest signals of an asset ("" all of them, the loudest stories only) between two times, the most severe first, each with what became of it."""
    found = [_finding(subscriber, _strongest(kind, fingerprint, since, until)) for kind, fingerprint in _stories(asset, since, until)]
    return sorted(found, key=lambda finding: (-(finding.severity or 0), finding.signal.received_at))


def _stories(asset: str, since: datetime, until: datetime) -> list[tuple[str, str]]:
    """Kind and fingerprint of what has signals then, the most severe first."""
    signals = Signal.objects.filter(received_at__gte=since, received_at__lte=until)
    if asset:
        signals = signals.filter(fingerprint__in=[fingerprint_of(kind, asset, side) for kind in Kind for side in Direction])
    loudest = signals.order_by().values("kind", "fingerprint").annotate(step=Max("decision__step")).order_by(F("step").desc(nulls_last=True), "fingerprint")
    return [(story["kind"], story["fingerprint"]) for story in loudest[:MOST]]


def _strongest(kind: str, fingerprint: str, since: datetime, until: datetime) -> Signal:
    """Of a story with signals then the most severe, among those the largest."""
    signals = Signal.objects.filter(fingerprint=fingerprint, kind=kind, received_at__gte=since, received_at__lte=until)
    return signals.order_by(F("decision__step").desc(nulls_last=True), "-value", "received_at")[0]


def _finding(subscriber: Subscriber, signal: Signal) -> Finding:
    decision = Decision.objects.filter(signal=signal).select_related("alert").first()
    if decision is None:
        return Finding(signal, None, Because.UNDECIDED)
    step = _step(subscriber, decision)
    if step is None:
        return _unsent(subscriber, decision)
    louder_and_untold = step.told_at is None and step.delivery.step > decision.step
    if louder_and_untold and (unsent := _unsent(subscriber, decision)).because in (Because.BELOW_LOW, Because.UNWANTED):
        return unsent  # whatever became of the higher step
    return Finding(signal, Severity(decision.severity), _because(step, decision), step=step)


def _step(subscriber: Subscriber, decision: Decision) -> told.Step | None:
    """The message at this signal's step or a higher one: the signal's own, or the one that took its place; else the first."""
    steps = told.steps(decision.alert, subscriber) if decision.alert is not None else []
    enough = [step for step in steps if step.delivery.step >= decision.step]
    own = [step for step in enough if step.delivery.received_at == decision.signal.received_at]
    step = next(iter(own or enough), None)
    if step is not None and step.delivery.state == Delivery.State.SUPERSEDED:
        return next((louder for louder in enough if louder.delivery.step > step.delivery.step and louder.told_at is not None), step)
    return step


def _because(step: told.Step, decision: Decision) -> Because:
    received_at = step.delivery.received_at
    if step.told_at is None:
        return Because.STEP
    if received_at is not None and received_at < decision.signal.received_at:
        return Because.TOLD_BEFORE
    return Because.TOLD_LOUDER if step.delivery.step > decision.step else Because.REACHED


def _unsent(subscriber: Subscriber, decision: Decision) -> Finding:
    """Nothing was written for this subscriber: because of the signal, or of what was wanted."""
    signal, severity = decision.signal, Severity(decision.severity)
    if SILENCED in decision.reason:
        return Finding(signal, severity, Because.SILENCED, decision.reason.partition(SILENCED)[2].partition(";")[0].strip())
    match decision.outcome:
        case Outcome.SWITCHED_OFF:
            return Finding(signal, severity, Because.SWITCHED_OFF)
        case Outcome.OUT_OF_ORDER:
            return Finding(signal, severity, Because.OUT_OF_ORDER)
    if subscriber.created_at > decision.decided_at:
        return Finding(signal, severity, Because.NOT_SUBSCRIBED)
    then = preferences_as_of(subscriber, decision.decided_at)
    wanted = then or preferences_of(subscriber)
    verdict = wish_for(wanted, signal.as_value(), severity, unconfirmed=decision.unconfirmed)
    as_today = then is None
    if severity is Severity.BELOW_LOW and verdict is Verdict.BELOW_LOWEST:
        return Finding(signal, severity, Because.BELOW_LOW, _low(decision))
    if verdict is not Verdict.WANTED:
        return Finding(signal, severity, Because.UNWANTED, _unwanted(verdict, wanted, signal), as_today=as_today)
    if FanOut.objects.filter(alert=decision.alert, done_at=None).exists():
        return Finding(signal, severity, Because.BEING_WRITTEN)
    return Finding(signal, severity, Because.UNEXPLAINED, as_today=as_today)


def _low(decision: Decision) -> str:
    return f"LOW was {threshold(rulefile.of_object(decision.rule).low, decision.signal.unit)}" if decision.rule else ""


def _unwanted(verdict: Verdict, wanted: Preferences, signal: Signal) -> str:
    """What was wanted instead: "below your threshold, $2,000,000"."""
    kind = Kind(signal.kind)
    own, usual = (wanted.choices.get((kind, asset)) for asset in (signal.asset, ""))
    custom, choice = custom_threshold(own, usual), own or usual
    match verdict:
        case Verdict.BELOW_CUSTOM if custom is not None:
            return f"{verdict.value}, {threshold(custom, UNIT_OF_KIND[kind])}"
        case Verdict.BELOW_LOWEST if choice is not None and choice.lowest_severity < OFF:
            return f"{verdict.value}, {Severity(choice.lowest_severity).name}"
        case Verdict.OTHER_DIRECTION if choice is not None:
            return f"{verdict.value}, {choice.direction}"
    return verdict.value
