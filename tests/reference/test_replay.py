"""Does the product's replay say what a second, independent reader of the rules says?"""

import gzip
import io
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from . import recordings as random_recordings
from .replay import replay
from .rules import seeded


def product(recording: Path, rules: list[dict[str, Any]], folder: Path) -> tuple[list[dict[str, Any]], list[int]]:
    """The rows that `replay --json` prints, without their texts, and the lines that it calls broken."""
    (folder / "rules.json").write_text(json.dumps(rules))
    out, err = io.StringIO(), io.StringIO()
    call_command("replay", str(recording), "--json", "--rules", str(folder / "rules.json"), stdout=out, stderr=err)
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    broken = [int(line.removeprefix("line ").split(":")[0]) for line in err.getvalue().splitlines() if line.startswith("line ")]
    return [{name: value for name, value in row.items() if name != "text"} for row in rows], broken


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(seed=st.integers(0, 2**32), frames=st.sampled_from((5, 20, 60)))
def test_product_and_reference_agree_on_whatever_may_arrive(tmp_path_factory: pytest.TempPathFactory, seed: int, frames: int) -> None:
    random = Random(seed)
    rules, lines = random_recordings.rules(random), random_recordings.recording(random, frames)
    folder = tmp_path_factory.mktemp("replay")
    (folder / "recording.jsonl").write_text("\n".join(lines) + "\n")
    rows, broken = replay(lines, rules)
    assert product(folder / "recording.jsonl", rules, folder) == (rows, [number for number in broken if lines[number - 1]])


@pytest.mark.parametrize("name", ["liquidations_3venues_2026-07-11_1200-1800", "binance_force_orders_2025-06", "bybit_btc_2024-02-12_2024-03-08"])
def test_product_and_reference_agree_on_real_recordings(recordings: Path, tmp_path: Path, name: str) -> None:
    path = recordings / f"{name}.jsonl.gz"
    assert product(path, seeded(), tmp_path) == replay(lines_of(path), seeded())


def lines_of(path: Path) -> list[str]:
    """The recording's lines as text."""
    with gzip.open(path, "rt") as lines:
        return list(lines)
