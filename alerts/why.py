"""Why did this alert come? The measurement that a subscriber was told of, the rule that decided, and the way of the message."""

from dataclasses import dataclass
from decimal import Decimal

from alerts import told
from alerts.models import Alert, Decision
from monitors import rulefile
from monitors.market import Kind, Signal
from monitors.thresholds import Rule, Severity
from subscribers.models import Subscriber
from subscribers.preferences import custom_threshold
from subscribers.selectors import preferences_as_of, preferences_of


@dataclass(frozen=True, slots=True)
class Why:
    """`decision` on the signal that a step told of, or, where the subscriber was told nothing, on the largest one.

    `rule` is the one of that decision. `own_threshold`: the custom threshold, in the kind's unit, that decided
    for this subscriber (None: none did).
    """

    alert: Alert
    decision: Decision
    rule: Rule
    step: told.Step | None = None
    own_threshold: Decimal | None = None

    @property
    def signal(self) -> Signal:
        """What was measured."""
        return self.decision.signal.as_value()

    @property
    def severity(self) -> Severity:
        """As it was judged."""
        return Severity(self.decision.severity)


def why(alert: Alert, subscriber: Subscriber | None) -> Why | None:
    """The answer for a subscriber (None: nobody in particular); None when the signals behind the alert are not kept any more."""
    steps = told.steps(alert, subscriber) if subscriber is not None else []
    step = next((step for step in reversed(steps) if step.told_at is not None), steps[-1] if steps else None)
    decision = _decision(alert, step)
    if decision is None:
        return None
    own = None
    if subscriber is not None and step is not None:
        then = preferences_as_of(subscriber, step.delivery.queued_at) or preferences_of(subscriber)
        own = custom_threshold(*(then.choices.get((Kind(decision.signal.kind), asset)) for asset in (alert.asset, "")))
    return Why(alert, decision, rulefile.of_object(decision.rule or alert.rule), step, own)


def _decision(alert: Alert, step: told.Step | None) -> Decision | None:
    """On the signal that the step told of; on the largest one without a step."""
    decisions = Decision.objects.filter(alert=alert).select_related("signal")
    if step is not None and step.delivery.received_at is not None:
        told_of = decisions.filter(signal__received_at=step.delivery.received_at).order_by("-step").first()
        if told_of is not None:
            return told_of
    return decisions.filter(signal=alert.peak_id).first()
