"""How do the numbers of the scans read? Their sections of docs/benchmarks.md."""

from collections.abc import Mapping, Sequence
from typing import Any

Numbers = Mapping[str, Any]
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
VENUES = 3
SAMPLES_A_DAY, CANDLES_A_DAY = 1_440, 288
FULL_DAYS, POINTS_DAYS, CANDLE_DAYS = 8, 90, 90  # the defaults of the settings
KINDS = {"open_interest": "open interest", "volume": "volume"}

SCANS = """## A scan of three venues with {assets} assets each

The product's own scan functions in one process, one after the other, against fake venues in a process of their own; SQLite, half of each venue's limit.
*Least* is one request for all contracts (open interest at Bybit and OKX) or one a contract. *Pace* is what the requests take at the budget's even pace;
the burst that may go at once makes a scan shorter than that. Live, a slice ends after 24 s and the next minute's begins where it ended; here a scan
runs through, and *slices* is how many it would be. CPU is ours, judging included.

| venue | scan of | contracts | requests | least | ratio | wall | pace | ratio | slices | CPU | memory, peak |
|---|---|---|---|---|---|---|---|---|---|---|---|
{rows}

The one request more at Binance brings all marks. The process had {client_mb:.0f} MB with all three venues' markets loaded, before the first scan.

Writing {fresh} fresh samples took {write_s:.2f} s. Judging all {assets} assets over them, past samples read and states stored, took {judge_s:.2f} s:
{ratio:.1f} times as long. Medians of {rounds} rounds, in turn.
"""

ROWS = """## Rows of the scans a day, and their size

A sample a minute and a candle every five minutes of each contract on {venues} venues. Bytes a row are measured, with indexes, on {rows:,} rows
in the order in which scans write them; the rest is multiplied. *Kept* is after {points} days with the default retention: samples as they came for
{full} days, then 5-minute points up to {points} days; candles for {candles} days.

| database | assets | samples a day | bytes each | candles a day | bytes each | a day | kept |
|---|---|---|---|---|---|---|---|
{table}
"""

MEMORY = """## Memory of each process of `up`

{assets} assets scanned on {venues} fake venues, backfill under way, {up_s:.0f} s after all processes were ready ({samples:,} samples stored;
`make bench BENCH_UP_S=600` looks after ten minutes). Proportional: what processes share is counted once.

| process | processes | MB |
|---|---|---|
{rows}
| **together** | {count} | {mb:.0f} |
"""


def scans(found: Numbers) -> str:
    """What scans cost, and detection beside writing."""
    return SCANS.format(**found, rows="\n".join(map(_scan, found["scans"])), ratio=found["judge_s"] / found["write_s"])


def rows(found: Sequence[Numbers]) -> str:
    """How much the database grows."""
    table = "\n".join(_growth(one, assets) for one in found for assets in (50, 300))
    return ROWS.format(venues=VENUES, rows=found[0]["rows"], full=FULL_DAYS, points=POINTS_DAYS, candles=CANDLE_DAYS, table=table)


def memory(found: Numbers) -> str:
    """What each process takes."""
    processes = found["processes"]
    lines = "\n".join(f"| {one['name']} | {one['count']} | {one['mb']:.0f} |" for one in processes)
    return MEMORY.format(**found, venues=VENUES, rows=lines, count=sum(one["count"] for one in processes), mb=sum(one["mb"] for one in processes))


def _scan(one: Numbers) -> str:
    pace = f"{one['pace_s']:.1f} s | {one['took_s'] / one['pace_s']:.2f}" if one["pace_s"] else "- | -"
    requests = f"{one['contracts']} | {one['sent']} | {one['least']} | {one['sent'] / one['least']:.2f}"
    cost = f"{one['slices']} | {one['cpu_s']:.1f} s | {one['peak_mb']:.0f} MB"
    return f"| {one['venue']} | {KINDS[one['kind']]} | {requests} | {one['took_s']:.1f} s | {pace} | {cost} |"


def _growth(one: Numbers, assets: int) -> str:
    contracts = assets * VENUES
    sample, candle = one["sample"], one["candle"]
    a_day = contracts * (SAMPLES_A_DAY * sample + CANDLES_A_DAY * candle)
    points = SAMPLES_A_DAY // 5 * (POINTS_DAYS - FULL_DAYS)
    kept = contracts * ((SAMPLES_A_DAY * FULL_DAYS + points) * sample + CANDLES_A_DAY * CANDLE_DAYS * candle)
    samples, candles = f"{contracts * SAMPLES_A_DAY:,} | {sample:.0f}", f"{contracts * CANDLES_A_DAY:,} | {candle:.0f}"
    return f"| {DATABASES[one['database']]} | {assets} | {samples} | {candles} | {a_day / 1e6:,.0f} MB | {kept / 1e9:.1f} GB |"
