"""How are preferences kept, so that a question can be answered as of then? As JSON and back; pure.

{"active": true, "confirmed_only": false, "capped": true, "time_zone": "Europe/Zurich",
 "choices": [{"kind": "cascade", "asset": "BTC", "lowest_severity": 2, "custom_threshold": "2000000", "direction": "LONG"}, ...],
 "quiet": {"from": "23:00", "until": "07:00", "lets_through": 4},
 "mutes": [{"kind": "", "asset": "BTC", "until": "2026-07-11T14:00:00+00:00"}, ...]}

Severities are numbers, 99 is off; a custom threshold is in the kind's unit, null where there is none; "" as asset is any other,
as direction both, as a mute's kind or asset every one; `quiet` is null without quiet hours.
"""

from datetime import datetime, time
from decimal import Decimal
from typing import Any

from monitors.market import Kind
from subscribers.preferences import Choice, Preferences, QuietHours


def as_json(preferences: Preferences) -> dict[str, Any]:
    """The JSON of preferences; equal preferences give equal JSON."""
    quiet = preferences.quiet
    return {
        "active": preferences.active,
        "confirmed_only": preferences.confirmed_only,
        "capped": preferences.capped,
        "time_zone": preferences.time_zone,
        "choices": [_choice_as_json(kind, asset, choice) for (kind, asset), choice in sorted(preferences.choices.items())],
        "quiet": quiet and {"from": f"{quiet.begin:%H:%M}", "until": f"{quiet.end:%H:%M}", "lets_through": int(quiet.lets_through)},
        "mutes": [{"kind": kind, "asset": asset, "until": until.isoformat()} for (kind, asset), until in sorted(preferences.mutes.items())],
    }


def of_json(kept: dict[str, Any]) -> Preferences:
    """The preferences that `as_json` wrote."""
    quiet = kept["quiet"]
    return Preferences(
        choices={(Kind(row["kind"]), row["asset"]): _choice_of_json(row) for row in kept["choices"]},
        active=kept["active"],
        confirmed_only=kept["confirmed_only"],
        capped=kept["capped"],
        time_zone=kept["time_zone"],
        quiet=QuietHours(time.fromisoformat(quiet["from"]), time.fromisoformat(quiet["until"]), quiet["lets_through"]) if quiet else None,
        mutes={(row["kind"], row["asset"]): datetime.fromisoformat(row["until"]) for row in kept["mutes"]},
    )


def _choice_as_json(kind: Kind, asset: str, choice: Choice) -> dict[str, Any]:
    custom = choice.custom_threshold
    return {
        "kind": kind.value,
        "asset": asset,
        "lowest_severity": int(choice.lowest_severity),
        "custom_threshold": None if custom is None else f"{custom.normalize():f}",
        "direction": choice.direction,
    }


def _choice_of_json(row: dict[str, Any]) -> Choice:
    custom = row["custom_threshold"]
    return Choice(row["lowest_severity"], None if custom is None else Decimal(custom), row["direction"])
