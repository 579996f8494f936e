"""Of which incidents would somebody have been told? Signals through the live `decide`, each judged against what is wanted; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.rules.incident import Incident, decide
from monitors.market import Kind, Signal, from_epoch_ms
from monitors.thresholds import Rulebook, Severity
from subscribers.preferences import Preferences, Verdict, is_held_by_quiet_hours, wish_for


@dataclass(frozen=True, slots=True)
class Told:
    """An incident and its first message for one subscriber."""

    at: datetime
    severity: Severity


def told(signals: Iterable[Signal], rulebook: Rulebook, kind: Kind, wishes: Sequence[Preferences]) -> list[list[Told]]:
    """The incidents of which signals of `kind` would have told, by the rules and custom thresholds of `rulebook`; for each of `wishes` a list.

    `signals` are all of the kind's stories, in their order. Mutes and the hourly cap play no part: they end.
    """
    newest: dict[str, Incident] = {}
    first: list[dict[tuple[str, int], Told]] = [{} for _ in wishes]  # by incident: its fingerprint and when it opened
    for signal in signals:
        rule, custom_floor = rulebook.rule(signal.kind, signal.asset), rulebook.custom_floor(signal.kind, signal.asset)
        decision = decide(newest.get(signal.fingerprint), signal, rule, custom_floor)
        if decision.incident is None:
            continue
        newest[signal.fingerprint] = decision.incident
        if not decision.tells or signal.kind is not kind:
            continue
        incident, grade = (signal.fingerprint, decision.incident.opened_at_ms), decision.grade
        for wish, found in zip(wishes, first, strict=True):
            if incident not in found and wish_for(wish, signal, grade.severity, unconfirmed=grade.unconfirmed) is Verdict.WANTED:
                found[incident] = Told(from_epoch_ms(signal.received_at_ms), grade.severity)
    return [list(found.values()) for found in first]


def in_quiet_hours(found: Sequence[Told], preferences: Preferences) -> int:
    """How many of them would have waited for the end of the quiet hours."""
    return sum(is_held_by_quiet_hours(preferences, each.severity, each.at) for each in found)
