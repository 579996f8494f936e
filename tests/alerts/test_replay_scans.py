"""What does a replay print of open interest and candles? Purpose-made recordings, and the real one of 39 days."""

import io
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.management import call_command

from alertsystem.env import PROJECT_DIR
from monitors import rulefile
from monitors.detectors.baseline import baseline_times
from monitors.thresholds import Rule
from tests.alerts.test_replay import HEADER, NAMES
from tests.monitors.detectors.series import FIVE_MINUTES_MS, MINUTE_MS, NOW_MS, OI_RULE, VOLUME_RULE

Row = dict[str, Any]
VENUES = ("binance", "bybit", "okx")
LONGEST_S = 60  # of processor time, for 39 days of three assets


def oi(minute: float, coins: float, venue: str = "binance", mark: float | None = 100, symbol: str = "SOL/USDT:USDT") -> Row:
    """A sample that arrives when the venue stamps it."""
    at = round(NOW_MS + minute * MINUTE_MS)
    price = None if mark is None else str(mark)
    return {"at": at, "venue": venue, "feed": "open_interest", "payload": {"symbol": symbol, "timestamp": at, "open_interest": str(coins), "mark_price": price}}


def candle(number: int, coins: float, venue: str = "okx", closes_at: float = 100.5, after_s: float = 300) -> Row:
    """The 5-minute candle that opens `number` candles after NOW_MS, as it stands `after_s` later; about $100 a coin."""
    opened_ms = NOW_MS + number * FIVE_MINUTES_MS
    payload = {"symbol": "SOL/USDT:USDT", "timeframe": "5m", "candle": [opened_ms, 100.0, 100.5, 100.0, closes_at, coins], "closed": after_s >= 300}
    return {"at": round(opened_ms + after_s * 1000), "venue": venue, "feed": "candles", "payload": payload}


def week(*venues: str) -> list[Row]:
    """What is asked for of seven days: candles of about 100 coins."""
    random = Random(3)
    times = baseline_times(NOW_MS, FIVE_MINUTES_MS).all_ms | baseline_times(NOW_MS - FIVE_MINUTES_MS, FIVE_MINUTES_MS).all_ms
    numbers = sorted((at_ms - NOW_MS) // FIVE_MINUTES_MS for at_ms in times)
    return [candle(number, 100 * random.uniform(0.9, 1.1), venue) for number in numbers for venue in venues]


def flat(*venues: str, until: int = 0, coins: float = 1000) -> list[Row]:
    """A sample each minute for 20 minutes until NOW_MS, and on `until` that minute."""
    return [oi(minute, coins, venue) for minute in range(-20, until + 1) for venue in venues]


class Recording:
    """Writes a recording and replays it."""

    def __init__(self, folder: Path) -> None:
        self.path, self.rules = folder / "recording.jsonl", folder / "rules.json"

    def output(self, *lines: Row, rules: tuple[Rule, ...] = (OI_RULE, VOLUME_RULE)) -> tuple[str, str]:
        """Standard output and standard error."""
        self.rules.write_text(json.dumps([rulefile.as_object(rule) for rule in rules]))
        self.path.write_text("".join(f"{json.dumps(line)}\n" for line in (HEADER, *lines)))
        out, err = io.StringIO(), io.StringIO()
        call_command("replay", str(self.path), "--json", "--rules", str(self.rules), stdout=out, stderr=err)
        return out.getvalue(), err.getvalue()

    def rows(self, *lines: Row) -> list[Row]:
        """The objects printed."""
        return [json.loads(line) for line in self.output(*lines)[0].splitlines()]

    def events(self, *lines: Row) -> list[tuple[str, str, str, float]]:
        """Event, direction, severity and minutes after NOW_MS of each object."""
        return [(row["event"], row["direction"], row["severity"], (row["at"] - NOW_MS) / MINUTE_MS) for row in self.rows(*lines)]


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """An empty one."""
    return Recording(tmp_path)


# Open interest


def test_an_open_interest_event_has_the_keys_in_their_order_and_percent_as_in_the_rules(recording: Recording) -> None:
    [row] = recording.rows(*flat(*VENUES), *(oi(1, 1051.23456789, venue) for venue in VENUES))
    assert list(row) == NAMES
    assert {name: row[name] for name in NAMES[:-1]} == {
        "at": NOW_MS + MINUTE_MS, "event": "opened", "kind": "open_interest", "asset": "SOL", "direction": "UP", "severity": "HIGH",
        "value": 5.1235, "unit": "percent", "count": 3, "venues": dict.fromkeys(VENUES, 5.1235),
    }  # fmt: skip
    assert "3 of 3 venues" in row["text"]


def test_all_that_arrives_at_one_moment_is_one_scan(recording: Recording) -> None:
    """Else the first venue alone would open it unconfirmed."""
    [row] = recording.rows(*flat(*VENUES), *(oi(1, 1030, venue) for venue in VENUES))
    assert (row["severity"], row["value"]) == ("MODERATE", 3)


def test_an_open_interest_incident_escalates_and_closes_after_its_cooldown(recording: Recording) -> None:
    lines = [*flat(*VENUES)]
    for minute, coins in ((1, 1015), (2, 1025), (3, 1090), *((minute, 1090) for minute in range(4, 45))):
        lines += [oi(minute, coins, venue) for venue in VENUES]
    opened, moderate, extreme, closed = recording.events(*lines)
    assert (opened, moderate, extreme) == (("opened", "UP", "LOW", 1), ("escalated", "UP", "MODERATE", 2), ("escalated", "UP", "EXTREME", 3))
    # The sample of minute 2 is the window's other end at minute 17, and is left at minute 18: the last value over LOW is that of minute 17
    assert closed == ("closed", "UP", "EXTREME", 17 + 15)


def test_a_fall_is_a_story_of_its_own(recording: Recording) -> None:
    lines = [*flat(*VENUES), *(oi(1, 1015, venue) for venue in VENUES), *(oi(2, 985, venue) for venue in VENUES)]
    assert recording.events(*lines) == [("opened", "UP", "LOW", 1), ("opened", "DOWN", "LOW", 2)]


def test_a_venue_that_went_blind_is_named_and_counts_no_more(recording: Recording) -> None:
    quiet = [oi(minute, 1000, venue) for minute in range(1, 6) for venue in VENUES[:2]]
    [row] = recording.rows(*flat(*VENUES), *quiet, *(oi(6, 1030, venue) for venue in VENUES[:2]))
    assert "2 of 2 venues; OKX missing" in row["text"]


def test_one_venue_of_three_is_unconfirmed_and_a_step_lower(recording: Recording) -> None:
    lines = [*flat(*VENUES), oi(1, 1090), oi(1, 1000, "bybit"), oi(1, 1000, "okx")]
    [row] = recording.rows(*lines)
    assert (row["value"], row["severity"]) == (3, "LOW")
    assert "1 of 3 venues, unconfirmed" in row["text"]


def test_venues_that_are_scanned_one_after_the_other_are_told_together_as_they_are_live(recording: Recording) -> None:
    """Else the first one would open it alone, unconfirmed and a step lower, and the others escalate it."""
    apart = [
        [oi(minute + number / 30, coins, venue) for number, venue in enumerate(VENUES)] for minute, coins in [*((m, 1000) for m in range(-20, 1)), (1, 1030)]
    ]
    [row] = recording.rows(*(row for of_minute in apart for row in of_minute))
    assert (row["severity"], row["count"], row["at"]) == ("MODERATE", 3, NOW_MS + MINUTE_MS + 4_000)
    silent = [oi(2 + number / 30, 1030, venue) for number, venue in enumerate(VENUES[:2])]
    [row] = recording.rows(*(row for of_minute in apart[:-1] for row in of_minute), *apart[-1][:2], *silent)
    assert (row["severity"], row["at"]) == ("MODERATE", NOW_MS + 2 * MINUTE_MS + 2_000), "the third has missed its turn"


def test_what_only_one_venue_lists_is_not_unconfirmed(recording: Recording) -> None:
    [row] = recording.rows(*flat("okx"), oi(1, 1030, "okx"))
    assert (row["severity"], "Listed on one venue only" in row["text"]) == ("MODERATE", True)


def test_a_multiplied_contract_is_the_same_asset_in_its_coins(recording: Recording) -> None:
    lines = [oi(minute, 1000, "bybit", 0.1, "1000PEPE/USDT:USDT") for minute in range(-20, 1)] + [oi(1, 1030, "bybit", 0.1, "1000PEPE/USDT:USDT")]
    [row] = recording.rows(*lines)
    assert row["asset"] == "PEPE" and "1M to 1.03M" in row["text"] and "$100 to $103" in row["text"]


def test_malformed_samples_are_counted_and_the_rest_goes_on(recording: Recording) -> None:
    payloads: tuple[Any, ...] = ({}, [], {"symbol": "BTC/USD:BTC"}, {"symbol": "SOL/USDT:USDT", "open_interest": "NaN"})
    broken = [oi(0.5, 1000) | {"payload": payload} for payload in payloads]
    out, err = recording.output(*flat(*VENUES), *broken, *(oi(1, 1030, venue) for venue in VENUES))
    assert len(out.splitlines()) == 1
    assert "malformed open_interest" in err


# Volume


def test_a_volume_event_has_the_keys_in_their_order_and_no_direction(recording: Recording) -> None:
    [row] = recording.rows(*week(*VENUES), *(candle(0, 1_100, venue) for venue in VENUES))
    assert list(row) == NAMES
    assert (row["at"], row["event"], row["kind"], row["direction"], row["unit"], row["count"]) == (
        NOW_MS + FIVE_MINUTES_MS, "opened", "volume", "", "percent", 3,
    )  # fmt: skip
    assert row["severity"] == "MODERATE" and 950 < row["value"] < 1050 and list(row["venues"]) == list(VENUES)
    assert "usual (+" in row["text"] and "Price +0.50 % in the candle" in row["text"]


def test_an_open_candle_opens_the_incident_and_the_closed_one_escalates_it(recording: Recording) -> None:
    still_open = [candle(0, 600, venue, after_s=190) for venue in VENUES]
    closed = [candle(0, 1_100, venue) for venue in VENUES]
    later = [candle(number, 100, venue) for number in range(1, 5) for venue in VENUES]
    lines = [*week(*VENUES), *still_open, *closed, *later]
    assert recording.events(*lines) == [("opened", "", "LOW", 190 / 60), ("escalated", "", "MODERATE", 5), ("closed", "", "MODERATE", 15)]
    assert "still open, 3:10 in" in recording.rows(*lines)[0]["text"]


def test_an_ended_candle_waits_a_moment_for_all_venues_as_it_does_live(recording: Recording) -> None:
    """Their scans come one after the other; until then a venue's candle is what it was while it was open, and no measurement."""
    still_open = [candle(0, 200, venue, after_s=250) for venue in VENUES]
    ended = [candle(0, 1_100, venue, after_s=306 + 3 * number) for number, venue in enumerate(VENUES)]
    later = [candle(1, 10, venue, after_s=50) for venue in VENUES]
    [row] = recording.rows(*week(*VENUES), *still_open, *ended)
    assert (row["at"], row["severity"], row["count"]) == (NOW_MS + 312_000, "MODERATE", 3)
    [row] = recording.rows(*week(*VENUES), *still_open, *ended[:2], *later)
    assert (row["at"], row["severity"], row["count"]) == (NOW_MS + 350_000, "MODERATE", 2)
    assert "2 of 3 venues; OKX not compared" in row["text"]


def test_a_candle_in_the_first_days_gives_nothing(recording: Recording) -> None:
    few = [row for row in week(*VENUES) if row["at"] > NOW_MS - 5 * 86_400_000]
    assert recording.rows(*few, *(candle(0, 9_000, venue) for venue in VENUES)) == []


# Both


def test_feeds_of_one_moment_are_printed_by_kind_asset_and_direction(recording: Recording) -> None:
    moment = [*(candle(-1, 1_100, venue) for venue in VENUES), *(oi(0, 1030, venue) for venue in VENUES)]
    ordered = sorted([*(row for row in week(*VENUES) if row["at"] < NOW_MS), *(row for row in flat(*VENUES) if row["at"] < NOW_MS)], key=lambda row: row["at"])
    rows = recording.rows(*ordered, *moment)
    assert [(row["at"], row["kind"]) for row in rows] == [(NOW_MS, "open_interest"), (NOW_MS, "volume")]


def test_the_same_recording_gives_the_same_output_byte_for_byte(recording: Recording) -> None:
    random = Random(5)
    lines = [oi(minute, 1000 * random.uniform(0.9, 1.1), venue) for minute in range(200) for venue in VENUES]
    first = recording.output(*lines)
    assert first == recording.output(*lines) and len(first[0].splitlines()) > 5


def test_the_39_days_replay_byte_for_byte_and_in_under_a_minute(recordings: Path, tmp_path: Path) -> None:
    [path] = recordings.glob("oi_and_candles_*.jsonl.gz")
    rules = tmp_path / "rules.json"
    rules.write_text(_seeded())
    used_before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    command = [sys.executable, "manage.py", "replay", str(path), "--json", "--rules", str(rules)]
    runs = [
        subprocess.Popen(command, cwd=PROJECT_DIR, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONHASHSEED": seed})
        for seed in ("1", "2")
    ]
    first, second = (run.communicate(timeout=300)[0] for run in runs)
    assert first == second
    rows = [json.loads(line) for line in first.splitlines()]
    assert {(row["kind"], row["asset"]) for row in rows} == {(kind, asset) for kind in ("open_interest", "volume") for asset in ("BTC", "SOL", "DOGE")}
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    assert (resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - used_before) / len(runs) < LONGEST_S


def _seeded() -> str:
    """The rules that a new database starts with."""
    return subprocess.run([sys.executable, "manage.py", "thresholds", "--json"], cwd=PROJECT_DIR, check=True, capture_output=True, text=True).stdout
