"""What does a scan of three venues with 300 assets each cost? Requests, time, CPU and memory; and detection beside writing.

`python -m tests.bench.scans` with the settings of a scratch installation in the environment; prints JSON.
"""

import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from statistics import median
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from alertsystem.env import PROJECT_DIR  # noqa: E402
from monitors import scan_open_interest, scan_volume, selectors, services  # noqa: E402
from monitors.budget import budget  # noqa: E402
from monitors.lease import Held  # noqa: E402
from monitors.market import TIMEFRAME_MS, Kind, Venue, epoch_ms, from_epoch_ms  # noqa: E402
from monitors.models import CandleRow, Market, OpenInterestSample, ScanStatus  # noqa: E402
from monitors.scan import SLICE_S, Slice  # noqa: E402
from monitors.venues.clients import client  # noqa: E402
from tests import harness  # noqa: E402
from tests.monitors.scanning import past_samples, sample  # noqa: E402

ASSETS, USUAL_ASSETS = 300, 30  # so many are scanned; so many of all venues the fakes list anyway
PAST_MINUTES = 26  # of samples: the window and what is loaded beyond it
ROUNDS = 3
LONGEST_S = 120.0
SCANS = {Kind.OPEN_INTEREST: (scan_open_interest.scan_open_interest, ""), Kind.VOLUME: (scan_volume.scan_volume, "candles")}
Run = dict[str, Any]


@contextmanager
def fake_venues() -> Iterator[dict[str, str]]:
    """The fakes in a process of their own, so that their work is not counted as ours; yields the settings that lead there."""
    command = [sys.executable, "-m", "tests.fakes.venues", "--more-assets", str(ASSETS - USUAL_ASSETS)]
    fakes = harness.spawn(command, cwd=PROJECT_DIR, stdout=subprocess.PIPE)
    try:
        assert fakes.stdout is not None
        yield dict(line.decode().strip().split("=", 1) for line in iter(fakes.stdout.readline, b"ready\n"))
    finally:
        fakes.terminate()
        fakes.wait()


def measure() -> Run:
    """One scan of each kind and venue, as after a week of running; then detection beside writing."""
    call_command("migrate", verbosity=0)
    services.refresh_markets(timezone.now())
    for venue in Venue:
        client(venue).now_ms()  # asked for once in ten minutes
    _last_candles()
    client_mb = _peak_mb()
    scans = [_scan(venue, kind) for kind in SCANS for venue in Venue]
    return {"database": connection.vendor, "assets": ASSETS, "scans": scans, "client_mb": client_mb, **_detection()}


def _scan(venue: Venue, kind: Kind) -> Run:
    """One whole scan, however long; live it is cut into slices."""
    scan, bucket = SCANS[kind]
    contracts, requests = len(selectors.scanned_markets(venue)), client(venue).requests
    started, cpu = time.perf_counter(), time.process_time()
    scan(venue, LONGEST_S)
    took_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    status = ScanStatus.objects.get(venue=venue, kind=kind)
    assert status.contracts == contracts and not status.failed, (status.contracts, status.note, status.failed)
    sent, single = client(venue).requests - requests, kind is Kind.OPEN_INTEREST and venue is not Venue.BINANCE
    return {
        "venue": venue, "kind": kind, "contracts": contracts, "sent": sent, "least": 1 if single else contracts, "slices": math.ceil(took_s / SLICE_S),
        "took_s": took_s, "pace_s": 0 if single else sent / budget().per_second(venue, bucket), "cpu_s": cpu_s, "peak_mb": _peak_mb(),
    }  # fmt: skip


def _last_candles() -> None:
    """The newest closed candle of each contract, so that a scan asks only for what came after it."""
    opened_at = from_epoch_ms((epoch_ms(timezone.now()) // TIMEFRAME_MS - 1) * TIMEFRAME_MS)
    CandleRow.objects.bulk_create(
        CandleRow(market=market, opened_at=opened_at, open=1, close=1, volume_usd=market.turnover_usd / 288, closed=True, received_at=opened_at)
        for market in Market.objects.all()
    )


def _detection() -> Run:
    """Seconds to write a fresh sample of every contract, and to judge every asset over them; medians."""
    past_samples(PAST_MINUTES)
    markets = [market for venue in Venue for market in selectors.scanned_markets(venue).values()]
    newest = {market.pk: OpenInterestSample.objects.filter(market=market).order_by("-occurred_at")[0] for market in markets}
    writes, judged = [], []
    for _ in range(ROUNDS):
        now = timezone.now()
        rows = [sample(market, newest[market.pk].oi_base, newest[market.pk].mark_price, now) for market in markets]
        started = time.perf_counter()
        OpenInterestSample.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
        writes.append(time.perf_counter() - started)
        ScanStatus.objects.update(started_at=now, succeeded_at=now + timedelta(seconds=1), duration_ms=0)  # all see, none is about to come
        piece = Slice(Venue.BINANCE, Kind.OPEN_INTEREST, Held("bench"), SLICE_S)
        started = time.perf_counter()
        scan_open_interest._judge(piece)
        judged.append(time.perf_counter() - started)
        assert not piece.unjudged, piece.unjudged
    return {"fresh": len(markets), "rounds": ROUNDS, "write_s": median(writes), "judge_s": median(judged)}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    with harness.valkey(), fake_venues() as found:
        for name, value in found.items():
            setattr(settings, name, value)
        settings.MAX_ASSETS = ASSETS
        print(json.dumps(measure()))


if __name__ == "__main__":
    main()
