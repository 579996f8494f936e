"""What does `manage.py replay` print of a recording?"""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from alertsystem.env import PROJECT_DIR
from monitors import rulefile
from monitors.market import Kind
from monitors.models import ThresholdRule
from monitors.thresholds import Rule
from tests.builders import NOW_MS, make_rule

HEADER = {"format": "alertsystem.recording", "version": 1, "markets": {"okx": {"BTC-USDT-SWAP": {"contract_size": 0.01}}}}
NAMES = ["at", "event", "kind", "asset", "direction", "severity", "value", "unit", "count", "venues", "text"]
RULES = (make_rule(Kind.LIQUIDATION), make_rule(Kind.CASCADE))
Row = dict[str, Any]


def bybit(after_ms: int, *dollars: float, asset: str = "BTC", side: str = "Buy", age_ms: int = 100) -> Row:
    """A frame that arrives `after_ms` after NOW_MS, its events stamped shortly before; Buy: longs."""
    at = NOW_MS + after_ms
    rows = [{"T": at - age_ms, "s": f"{asset}USDT", "S": side, "v": str(usd), "p": "1"} for usd in dollars]
    return {"at": at, "venue": "bybit", "feed": "liquidations", "payload": {"topic": f"allLiquidation.{asset}USDT", "ts": at, "data": rows}}


def okx(after_ms: int, contracts: float, symbol: str = "BTC-USDT-SWAP") -> Row:
    """One long at a price of 100,000."""
    at = NOW_MS + after_ms
    detail = {"side": "sell", "posSide": "long", "bkPx": "100000", "sz": str(contracts), "ts": str(at)}
    payload = {"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": [{"instId": symbol, "details": [detail]}]}
    return {"at": at, "venue": "okx", "feed": "liquidations", "payload": payload}


def tick(after_ms: int) -> Row:
    """A line that only moves the clock."""
    return {**bybit(after_ms), "feed": "liquidations"}


class Recording:
    """Writes a recording and replays it."""

    def __init__(self, folder: Path) -> None:
        self.path, self.rules = folder / "recording.jsonl", folder / "rules.json"
        self.use(*RULES)

    def use(self, *rules: Rule) -> None:
        """The rules of `--rules`."""
        self.rules.write_text(json.dumps([rulefile.as_object(rule) for rule in rules]))

    def output(self, *lines: Row | str, json_lines: bool = True) -> tuple[str, str]:
        """Standard output and standard error."""
        self.path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in (HEADER, *lines)))
        out, err = io.StringIO(), io.StringIO()
        options = ["--rules", str(self.rules), *(["--json"] if json_lines else [])]
        call_command("replay", str(self.path), *options, stdout=out, stderr=err)
        return out.getvalue(), err.getvalue()

    def rows(self, *lines: Row | str) -> list[Row]:
        """The objects printed."""
        return [json.loads(line) for line in self.output(*lines)[0].splitlines()]

    def events(self, *lines: Row | str) -> list[tuple[str, str, str, int]]:
        """Event, kind, severity and time after NOW_MS of each object."""
        return [(row["event"], row["kind"], row["severity"], row["at"] - NOW_MS) for row in self.rows(*lines)]


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """An empty one."""
    return Recording(tmp_path)


# The objects


def test_one_object_per_event_with_exactly_these_keys_in_this_order(recording: Recording) -> None:
    [row] = recording.rows(bybit(0, 600, 700.456))
    assert list(row) == NAMES
    assert {name: row[name] for name in NAMES[:-1]} == {
        "at": NOW_MS, "event": "opened", "kind": "cascade", "asset": "BTC", "direction": "LONG", "severity": "LOW",
        "value": 1300.46, "unit": "usd", "count": 2, "venues": {"bybit": 1300.46},
    }  # fmt: skip
    assert row["text"]


def test_dollars_are_rounded_to_cents_each_venue_too(recording: Recording) -> None:
    [row] = recording.rows(bybit(0, 600.111), okx(1, 0.6004))
    assert (row["value"], row["venues"]) == (1200.51, {"bybit": 600.11, "okx": 600.4})


def test_a_short_closed_by_force_is_told_apart(recording: Recording) -> None:
    assert [row["direction"] for row in recording.rows(bybit(0, 600, 600), bybit(0, 600, 600, side="Sell"))] == ["LONG", "SHORT"]


def test_standard_output_is_json_lines_only_and_warnings_go_to_standard_error(recording: Recording) -> None:
    out, err = recording.output(bybit(0, 600, 600), "{broken", okx(1, 1, "BTC-USD-SWAP"), okx(2, 1, "NEW-USDT-SWAP"), bybit(100_000, 5, age_ms=70_000))
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["opened"]
    assert "line 3" in err
    assert all(reason in err for reason in ("inverse", "unknown", "stale"))


def test_a_line_that_holds_something_malformed_is_named_by_its_number(recording: Recording) -> None:
    half = bybit(1, 7)
    half["payload"]["data"] = [*half["payload"]["data"], {"T": "soon"}]
    sample = {**tick(2), "feed": "open_interest", "payload": {"symbol": 5}}
    _, err = recording.output(bybit(0, 5), "{", {**tick(1), "payload": ["none"]}, half, sample, tick(3))
    said = err.splitlines()
    assert [line.split(":")[0] for line in said[:4]] == ["line 3", "line 4", "line 5", "line 6"]
    assert "malformed liquidations of bybit" in said[2] and "soon" in said[2] and "malformed open_interest of bybit" in said[3]
    assert said[4:] == ["not counted: 2 x bybit: malformed liquidations", "not counted: 1 x bybit: malformed open_interest"]


def test_the_same_recording_gives_the_same_output_byte_for_byte(recording: Recording) -> None:
    lines = [bybit(second * 700, 400 + second, 300, asset="BTC" if second % 3 else "ETH") for second in range(60)]
    assert recording.output(*lines) == recording.output(*lines)


def test_without_json_the_messages_are_printed(recording: Recording) -> None:
    [row] = recording.rows(bybit(0, 600, 600))
    assert recording.output(bybit(0, 600, 600), json_lines=False)[0].strip() == row["text"]


# The story


def test_at_is_the_arrival_of_the_deciding_frame_and_for_closed_last_seen_and_cooldown(recording: Recording) -> None:
    assert recording.events(bybit(0, 600, 600), bybit(1_000, 900), tick(301_000)) == [
        ("opened", "cascade", "LOW", 0), ("escalated", "cascade", "MODERATE", 1_000), ("closed", "cascade", "MODERATE", 301_000),
    ]  # fmt: skip


def test_closed_shows_the_values_of_the_peak_and_the_kind_of_the_incident(recording: Recording) -> None:
    lines = (bybit(0, 5_000), bybit(1_000, 600, 600), tick(400_000))
    opened, became, closed = recording.rows(*lines)
    assert (opened["kind"], became["event"], became["value"], closed["kind"]) == ("liquidation", "became_cascade", 6_200, "cascade")
    assert (closed["value"], closed["count"], closed["venues"]) == (6_200, 3, {"bybit": 6_200})


def test_incidents_that_are_not_due_at_the_end_of_the_file_stay_open(recording: Recording) -> None:
    assert recording.events(bybit(0, 600, 600), tick(299_999)) == [("opened", "cascade", "LOW", 0)]
    assert len(recording.events(bybit(0, 600, 600), tick(300_000))) == 2


def test_a_signal_at_the_very_end_of_the_cooldown_opens_a_new_incident(recording: Recording) -> None:
    assert [event[0] for event in recording.events(bybit(0, 600, 600), bybit(299_999, 600, 600))] == ["opened"]
    assert [event[0] for event in recording.events(bybit(0, 600, 600), bybit(300_000, 600, 600))] == ["opened", "closed", "opened"]


def test_an_incident_closed_during_silence_is_printed_at_its_own_time(recording: Recording) -> None:
    assert recording.events(bybit(0, 600, 600), bybit(900_000, 600, 600))[1] == ("closed", "cascade", "LOW", 300_000)


def test_each_doubling_beyond_extreme_is_printed_as_escalated(recording: Recording) -> None:
    assert recording.events(bybit(0, 4_000, 4_000), bybit(10, 7_000), bybit(20, 1_000)) == [
        ("opened", "cascade", "EXTREME", 0), ("escalated", "cascade", "EXTREME", 20),
    ]  # fmt: skip


def test_what_only_a_custom_threshold_would_open_is_not_printed(recording: Recording) -> None:
    assert recording.rows(bybit(0, 300, 300)) == []


def test_several_at_one_time_are_printed_by_kind_asset_and_direction(recording: Recording) -> None:
    lines = (bybit(0, 5_000), bybit(0, 5_000, asset="ETH", side="Sell"), bybit(0, 600, 600, asset="SOL"), bybit(0, 5_000, asset="ETH"), bybit(0, 500, 500))
    printed = [(row["kind"], row["asset"], row["direction"]) for row in recording.rows(*lines)]
    assert printed == sorted(printed)
    assert len(printed) == 5


def test_every_asset_of_the_file_is_looked_at(recording: Recording) -> None:
    assert [row["asset"] for row in recording.rows(bybit(0, 5_000, asset="NEWCOIN"), bybit(1, 5_000, asset="1000PEPE"))] == ["NEWCOIN", "PEPE"]


def test_a_venue_that_only_the_header_or_an_event_shows_lists_the_asset(recording: Recording) -> None:
    recording.use(make_rule(Kind.CASCADE, min_venues=2))
    [listed_twice] = recording.rows(bybit(0, 2_000, 2_000))
    [listed_once] = recording.rows(bybit(0, 2_000, 2_000, asset="ETH"))
    assert (listed_twice["severity"], listed_once["severity"]) == ("MODERATE", "HIGH")
    assert ("unconfirmed" in listed_twice["text"], "unconfirmed" in listed_once["text"]) == (True, False)


# The rules


def test_the_rules_of_a_file_are_used(recording: Recording) -> None:
    recording.use(*(replace(rule, low=Decimal(100)) for rule in RULES))
    assert [row["severity"] for row in recording.rows(bybit(0, 60, 60))] == ["LOW"]


def test_whatever_the_numbers_of_a_rule_file_are_it_is_used_as_long_as_its_ladders_rise(recording: Recording) -> None:
    """The admin refuses some that a replay may try: guards that a liquidation can never fulfil, and whole numbers written with a point."""
    odd = {"min_events": 7.0, "min_venues": 2, "min_usd": -1, "window_s": 30.0, "cooldown_s": 0}
    recording.rules.write_text(json.dumps([{**rulefile.as_object(rule), **odd} for rule in RULES if rule.kind is Kind.LIQUIDATION]))
    [row] = recording.rows(bybit(0, 5_000))
    assert (row["event"], row["severity"]) == ("opened", "MODERATE"), "on one venue of two: unconfirmed, a step lower"


def test_a_rule_file_that_cannot_be_used_is_refused_in_one_line(recording: Recording) -> None:
    falling = json.dumps([{**rulefile.as_object(RULES[0]), "low": 9_999_999}])
    for text in ("{", "{}", "[1]", '[{"kind": "cascade"}]', falling):
        recording.rules.write_text(text)
        with pytest.raises(CommandError) as refused:
            recording.output(bybit(0, 1))
        assert "\n" not in str(refused.value)


@pytest.mark.django_db
def test_without_a_file_the_databases_rules_are_read_and_nothing_is_written(recording: Recording) -> None:
    ThresholdRule.objects.filter(kind="cascade", asset="BTC").update(low=1_000, moderate=2_000, high=3_000, extreme=4_000, min_events=2)
    recording.output()
    recording.path.write_text("".join(json.dumps(line) + "\n" for line in (HEADER, bybit(0, 900, 900), bybit(1, 900))))
    out = io.StringIO()
    with connection.execute_wrapper(_reads_only):
        call_command("replay", str(recording.path), "--json", stdout=out)
    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["opened", "escalated"]


def _reads_only(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    assert sql.lstrip().upper().startswith("SELECT"), sql
    return execute(sql, params, many, context)


# The command as a process


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A data folder that does not exist yet; afterwards no database is in it."""
    folder = tmp_path / "data"
    yield folder
    assert not list(folder.glob("*sqlite*"))


def run(data_dir: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`manage.py replay` without any database."""
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "alertsystem.settings", "DATA_DIR": str(data_dir), "DATABASE_URL": "", "PYTHONUTF8": "1"}
    return subprocess.run([sys.executable, "manage.py", "replay", *words], cwd=PROJECT_DIR, env=env, capture_output=True, text=True, timeout=60)


def test_without_a_database_the_seeded_rules_are_used_and_none_is_created(recording: Recording, data_dir: Path) -> None:
    recording.path.write_text("".join(json.dumps(line) + "\n" for line in (HEADER, bybit(0, 400_000), bybit(1, 60_000, asset="XRP"), bybit(2, 399_999))))
    done = run(data_dir, str(recording.path), "--json")
    assert [(row["asset"], row["severity"]) for row in map(json.loads, done.stdout.splitlines())] == [("BTC", "LOW"), ("XRP", "LOW")]
    assert (done.returncode, done.stderr) == (0, "")


def test_an_unknown_version_is_refused_with_one_clear_line_and_exit_code_1(recording: Recording, data_dir: Path) -> None:
    recording.path.write_text(json.dumps({**HEADER, "version": 9}) + "\n")
    done = run(data_dir, str(recording.path), "--json")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert "version 9" in done.stderr


def test_a_file_that_is_not_there_is_named_in_one_line(recording: Recording, data_dir: Path) -> None:
    done = run(data_dir, str(recording.path) + ".nowhere")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert done.stderr.endswith(".nowhere: No such file or directory\n")
