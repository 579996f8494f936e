"""Do live and replay judge alike? The same frames through the live pipeline's functions and rows, and through a replay."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from alerts import replay, trigger
from alerts.models import Alert, Decision
from alerts.rules import incident
from monitors.detection import Detection
from monitors.detectors import intake, liquidation_cascade
from monitors.market import Venue, epoch_ms
from monitors.recording import RecordingReader
from monitors.thresholds import Rule, Rulebook
from monitors.watch import Watch
from tests.alerts.recorded import arrivals, play, put_in_force, recorded
from tests.reference import recordings as random_recordings

PRINTED = ("opened", "escalated", "became_cascade")
Told = tuple[int, str, str, str, str, str, float]  # at, event, kind, asset, direction, severity, value


def by_replay(path: Path, rules: list[Rule]) -> list[Told]:
    """What a replay prints. Every venue lists every asset: what live assumes before contracts are known."""
    header = RecordingReader(path).header
    listed = {("liquidations", asset): set(Venue) for asset in random_recordings.ASSETS}
    events = [event.as_json() for event in replay.Replay(header, Rulebook.of(rules), listed).run(arrivals(path))]
    return [(row["at"], row["event"], row["kind"], row["asset"], row["direction"], row["severity"], row["value"]) for row in events]


def by_live(path: Path, rules: list[Rule], random: Random) -> list[Told]:
    """What the rows say after the frames went the live way."""
    put_in_force(rules)
    play(path, random)
    return sorted([*decided(), *closed()], key=lambda told: (told[0], *told[2:5]))


def decided() -> list[Told]:
    """The decisions that a replay would print."""
    rows = Decision.objects.filter(outcome__in=PRINTED).select_related("signal").order_by("signal_id")
    return [told(epoch_ms(row.signal.received_at), row.outcome, row.signal.kind, row.signal, row.get_severity_display()) for row in rows]


def closed() -> list[Told]:
    """The incidents that are over."""
    rows = Alert.objects.exclude(closed_at=None).select_related("peak").order_by("id")
    return [told(epoch_ms(row.closed_at), "closed", row.kind, row.peak, row.get_severity_display()) for row in rows if row.closed_at]


def told(at_ms: int, event: str, kind: str, measured: Any, severity: str) -> Told:
    """One event as both ways tell it."""
    return at_ms, event, kind, measured.asset, measured.direction, severity, round(float(measured.value), 2)


def in_one_order(events: list[Told]) -> list[Told]:
    """Closed and opened at one time and of one kind: the rows do not say which was first."""
    return sorted(events, key=lambda event: (event[0], *event[2:5], event[1], *event[5:]))


@pytest.mark.django_db
@pytest.mark.usefixtures("valkey")
@pytest.mark.parametrize("seed", range(12))
def test_live_and_replay_open_escalate_and_close_the_same(tmp_path: Path, seed: int) -> None:
    path, rules = recorded(tmp_path, seed)
    live = by_live(path, rules, Random(seed))
    assert in_one_order(live) == in_one_order(by_replay(path, rules))
    assert len(live) > 3


@pytest.mark.parametrize("seed", range(3))
def test_a_change_of_the_common_decision_changes_what_a_replay_prints(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    path, rules = recorded(tmp_path, seed)
    before = by_replay(path, rules)
    monkeypatch.setattr(incident.Incident, "closes_at_ms", property(lambda state: state.last_seen_ms + 3_333))
    assert by_replay(path, rules) != before


def test_live_and_replay_hold_the_very_same_functions() -> None:
    assert vars(replay)["decide"] is vars(trigger)["decide"] is incident.decide
    live = Detection(Watch(Rulebook.of([]), {}, {}, {}))
    assert type(live.detector) is vars(replay)["LiquidationDetector"] is liquidation_cascade.LiquidationDetector
    assert type(live.intake) is vars(replay)["Intake"] is intake.Intake
