"""How severe is a signal? Its step on the ladder, one lower while too few venues confirm it."""

from dataclasses import dataclass

from monitors.detectors.confirmation import confirmed_step
from monitors.market import Signal
from monitors.thresholds import Rule, Severity


@dataclass(frozen=True, slots=True)
class Grade:
    """`step` as `Rule.step_of`, after the lowering; `unconfirmed` when fewer venues than the rule asks for confirm."""

    step: int
    unconfirmed: bool

    @property
    def severity(self) -> Severity:
        """The step without the doublings."""
        return severity_of_step(self.step)


def severity_of_step(step: int) -> Severity:
    """Steps beyond EXTREME are EXTREME."""
    return Severity(min(step, Severity.EXTREME))


def grade(signal: Signal, rule: Rule) -> Grade:
    """Severity by the rule's ladder, or a higher one by the asset's own history, or a lower one where the measurement caps it.

    Unconfirmed is one step lower (see confirmation.py).
    """
    step = max(rule.step_of(signal.value), int(signal.details.get("own_step") or 0))
    at_most = signal.details.get("at_most")
    step = min(step, int(at_most)) if at_most else step
    step, confirmed = confirmed_step(step, signal, rule)
    return Grade(step, unconfirmed=not confirmed)
