"""Does the demo show what it promises? The synthetic recording, and the demo itself as a process."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from alertsystem.env import PROJECT_DIR
from monitors import rulefile
from monitors.recording import RecordingReader
from monitors.thresholds import Rule, Severity
from tests import demo, synthetic
from tests.harness import wait_until
from tests.machine import free_port

WITHIN_S = 60  # of the start, as the README promises
LOUDER = ["LOW", "MODERATE", "HIGH", "EXTREME"]


def severities(path: Path, rules: Sequence[Rule], asset: str) -> list[str]:
    """What a replay prints of the asset, under these rules."""
    in_force = path.with_suffix(".rules.json")
    in_force.write_text(json.dumps([rulefile.as_object(rule) for rule in rules]))
    output = StringIO()
    call_command("replay", str(path), "--json", "--rules", str(in_force), stdout=output)
    return [event["severity"] for event in map(json.loads, output.getvalue().splitlines()) if event["asset"] == asset]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("synthetic") / "synthetic.jsonl"
    synthetic.write(path)
    return path


def test_the_same_seed_gives_the_same_recording_and_another_seed_another(tmp_path: Path, recording: Path) -> None:
    synthetic.write(tmp_path / "again.jsonl")
    synthetic.write(tmp_path / "other.jsonl", seed=1)
    assert (tmp_path / "again.jsonl").read_bytes() == recording.read_bytes() != (tmp_path / "other.jsonl").read_bytes()


def test_the_recording_says_that_it_is_synthetic_and_names_no_severity(recording: Path) -> None:
    assert "synthetic" in RecordingReader(recording).header.note
    assert "tests/synthetic.py" in RecordingReader(recording).header.source
    words = [severity.name for severity in Severity]
    for module in (synthetic.__file__, demo.__file__, str(recording)):
        assert not any(word in Path(module).read_text() for word in words)


def test_under_the_seeded_rules_a_cascade_climbs_every_rung(recording: Path) -> None:
    seeded = list(rulefile.seeded())
    assert severities(recording, seeded, "BTC") == LOUDER
    assert severities(recording, seeded, "ETH") == LOUDER[:3]
    assert severities(recording, seeded, "SOL") == ["MODERATE"]


def test_other_thresholds_show_something_else(recording: Path) -> None:
    doubled = [replace(rule, extreme=rule.extreme * 2) for rule in rulefile.seeded()]
    assert severities(recording, doubled, "BTC") == LOUDER[:3]


def test_a_folder_with_something_else_in_it_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    with pytest.raises(SystemExit, match="not a folder of the demo"):
        demo.fresh_folder(tmp_path)
    assert (tmp_path / "precious").exists()


def test_the_demo_grows_from_low_to_extreme_within_a_minute_and_ends_on_ctrl_c(tmp_path: Path) -> None:
    log = tmp_path / "output"
    command = [sys.executable, "-m", "tests.demo", "--port", str(free_port()), "--folder", str(tmp_path / "demo")]
    with log.open("wb") as output:
        running = subprocess.Popen(command, cwd=PROJECT_DIR, stdout=output, stderr=output, env={**os.environ, "TELEGRAM_BOT_TOKEN": "1:never-used"})
    try:
        wait_until(lambda: seen(log, "BTC") == LOUDER, WITHIN_S, f"{LOUDER} in the output")
        running.send_signal(signal.SIGINT)
        assert running.wait(10) == 0
    finally:
        running.kill()
        running.wait()


def seen(log: Path, asset: str) -> list[str]:
    """The severities of the asset's messages in the output, in order."""
    return re.findall(rf"\b({'|'.join(LOUDER)}):? {asset}\b", log.read_text(errors="replace"))
