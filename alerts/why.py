"""Why did this alert come? The measurement that a subscriber was told of, the rule that decided, and the way of the message."""

from dataclasses import dataclass
from decimal import Decimal

from alerts import told
from alerts.models import Alert, Decision
from monitors import rulefile
from monitors.market import Kind, Signal
from monitors.thresholds import Rule, Severity
from subscribers.models import Subscriber
from subscribers.preferences import Preferences, Verdict, custom_threshold, wish_for
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
    then = preferences_as_of(subscriber, step.delivery.queued_at) or preferences_of(subscriber) if subscriber is not None and step is not None else None
    decision = _decision(alert, step, then)
    if decision is None:
        return None
    own = None if then is None else custom_threshold(*(then.choices.get((Kind(decision.signal.kind), asset)) for asset in (alert.asset, "")))
    return Why(alert, decision, rulefile.of_object(decision.rule or alert.rule), step, own)


def _decision(alert: Alert, step: told.Step | None, then: Preferences | None) -> Decision | None:
    """On the signal that the step told of; on the largest one without a step.

    A frame may bring a cascade and a single liquidation of the same step: the first of them that was wanted `then` told.
    """
    decisions = Decision.objects.filter(alert=alert).select_related("signal")
    if step is not None and step.delivery.received_at is not None:
        at_once = list(decisions.filter(signal__received_at=step.delivery.received_at, step=step.delivery.step).order_by("pk"))
        wanted = (each for each in at_once if then is not None and _is_wanted(each, then))
        if at_once:
            return next(wanted, at_once[0])
    return decisions.filter(signal=alert.peak_id).first()


def _is_wanted(decision: Decision, then: Preferences) -> bool:
    wish = wish_for(then, decision.signal.as_value(), Severity(decision.severity), unconfirmed=decision.unconfirmed)
    return wish is Verdict.WANTED
