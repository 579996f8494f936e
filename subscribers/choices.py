"""What does a change of one thing make of a choice? From what somebody wants and what was asked for to the new choice of a kind and asset; pure."""

from dataclasses import replace
from decimal import Decimal

from monitors.market import Kind
from subscribers.preferences import OFF, Choice, Preferences


def beginning(preferences: Preferences, kind: Kind, asset: str) -> Choice:
    """What a change starts from: the own choice of the asset, else what counts for any asset, which has no custom threshold to hand on; else off."""
    choices = preferences.choices
    if (own := choices.get((kind, asset))) is not None:
        return own
    return replace(choices.get((kind, "")) or Choice(OFF), custom_threshold=None)


def with_lowest(preferences: Preferences, kind: Kind, asset: str, lowest: int) -> Choice:
    """From a severity on (or OFF): an own threshold does not count any more."""
    return replace(beginning(preferences, kind, asset), lowest_severity=lowest, custom_threshold=None)


def with_threshold(preferences: Preferences, kind: Kind, asset: str, value: Decimal) -> Choice:
    """From an own threshold on, in the kind's unit."""
    return replace(beginning(preferences, kind, asset), custom_threshold=value)


def without_threshold(preferences: Preferences, kind: Kind, asset: str) -> Choice | None:
    """From the lowest severity on again; None where that says nothing else than what counts for any asset (or, for any asset, nothing at all)."""
    left = replace(beginning(preferences, kind, asset), custom_threshold=None)
    usual = preferences.choices.get((kind, "")) if asset else None
    same_as_usual = usual is not None and (left.lowest_severity, left.direction) == (usual.lowest_severity, usual.direction)
    return None if same_as_usual or (usual is None and left == Choice(OFF)) else left


def with_direction(preferences: Preferences, kind: Kind, asset: str, direction: str) -> Choice:
    """One direction only, or both ("")."""
    return replace(beginning(preferences, kind, asset), direction=direction)


def after(preferences: Preferences, kind: Kind, asset: str, choice: Choice | None) -> Preferences:
    """The preferences with this choice of the kind and asset (None: with none of its own)."""
    others = {key: each for key, each in preferences.choices.items() if key != (kind, asset)}
    return replace(preferences, choices=others if choice is None else {**others, (kind, asset): choice})
