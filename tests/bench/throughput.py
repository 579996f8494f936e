"""How many frames a second does the monitor take? Beside a bare websocket-client loop, both fed by the same server process.

`python -m tests.bench.throughput` with the settings of a scratch installation in the environment; prints JSON.
"""

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import django
import orjson
import websocket

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from monitors.detectors.intake import Admission  # noqa: E402
from monitors.liquidation_monitor import LiquidationMonitor  # noqa: E402
from monitors.market import Venue  # noqa: E402
from monitors.models import Liquidation as LiquidationRow  # noqa: E402
from monitors.models import Market  # noqa: E402
from monitors.venues.connection import BufferedWebSocket  # noqa: E402
from tests import harness  # noqa: E402
from tests.fakes.venue_markets import Listing, Markets  # noqa: E402

FRAMES, ROUNDS, GIVE_UP_S = 40_000, 3, 120


class CountingMonitor(LiquidationMonitor):
    """The real monitor, which notes when the first and the last frame was judged."""

    def __init__(self, frames: int) -> None:
        super().__init__()
        self.first = self.last = 0.0
        self.over = threading.Event()
        self._left = frames

    def _detect_frames(self, venue: Venue, frames: Sequence[bytes], received_at_ms: int) -> None:
        self.first = self.first or time.perf_counter()
        super()._detect_frames(venue, frames, received_at_ms)
        self._left -= len(frames)
        if not self._left:
            self.last = time.perf_counter()
            self.over.set()


class NoRows:
    """Saving switched off."""

    def start(self) -> None:
        """Nothing to start."""

    def add(self, admission: Admission, at_ms: int) -> None:
        """Nothing is kept."""

    def stop(self, timeout_s: float) -> int:
        """Nothing is left."""
        return 0


def bare(port: int, plain: bool) -> float:
    """Frames a second of a loop that receives and decodes; `plain`: the library's own socket, else with our read buffer."""
    receiver = websocket.WebSocket(skip_utf8_validation=True) if plain else BufferedWebSocket()
    receiver.connect(f"ws://127.0.0.1:{port}/", timeout=30)  # type: ignore[no-untyped-call]  # the library's own
    orjson.loads(receiver.recv())
    first = time.perf_counter()
    for _ in range(FRAMES - 1):
        orjson.loads(receiver.recv())
    last = time.perf_counter()
    receiver.close(timeout=0)
    return (FRAMES - 1) / (last - first)


@dataclass(frozen=True)
class Run:
    """`rate`: frames a second up to detection. With saving: rows a second up to the last saved one, and the part that was left out."""

    rate: float
    saved_rate: float = 0.0
    unsaved: float = 0.0


def monitor(venue: str, port: int, saving: bool) -> Run:
    """The real pipeline, from the first judged frame to the last."""
    setattr(settings, f"{venue.upper()}_WS_URL", f"ws://127.0.0.1:{port}")
    settings.VENUES = [Venue(venue)]
    LiquidationRow.objects.all().delete()
    running = CountingMonitor(FRAMES)
    if not saving:
        running._saver = NoRows()  # type: ignore[assignment]  # stands in for it
    running.start()
    try:
        assert running.over.wait(GIVE_UP_S), f"{running._left} frames were not judged in {GIVE_UP_S} s"
        rate = (FRAMES - 1) / (running.last - running.first)
        if not saving:
            return Run(rate)
        harness.wait_until(lambda: not running._saver._rows, GIVE_UP_S, "all rows saved")
        took_s = time.perf_counter() - running.first
        return Run(rate, LiquidationRow.objects.count() / took_s, sum(feed.unsaved for feed in running.feeds.values()) / FRAMES)
    finally:
        running.stop()


@contextmanager
def blaster(venue: str) -> Iterator[int]:
    """The server process; its port."""
    server = subprocess.Popen([sys.executable, "-m", "tests.bench.blaster", venue, str(FRAMES)], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield int(server.stdout.readline())
    finally:
        server.kill()
        server.wait()


def measure(venue: str) -> dict[str, Any]:
    """All receivers in turn, `ROUNDS` times; medians, and the ratio of each round."""
    rounds = []
    with blaster(venue) as port:
        for _ in range(ROUNDS):
            plain, buffered = bare(port, plain=True), bare(port, plain=False)
            rounds.append((plain, buffered, monitor(venue, port, saving=False).rate))
        saving = monitor(venue, port, saving=True)
    plain, buffered, ours = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratios = [ours / plain for plain, _, ours in rounds]
    return {
        "venue": venue,
        "bare": plain,
        "bare_buffered": buffered,
        "monitor": ours,
        "ratio": statistics.median(ratios),
        "ratio_buffered": statistics.median(ours / buffered for _, buffered, ours in rounds),
        "monitor_saving": saving.rate,
        "rows_saved": saving.saved_rate,
        "unsaved": saving.unsaved,
    }


def _market(listing: Listing, now: datetime) -> Market:
    return Market(
        venue=listing.venue,
        venue_symbol=listing.symbol,
        symbol=f"{listing.base}/{listing.quote}:{listing.quote}",
        asset=listing.asset,
        contract_size=Decimal(listing.contract_size),
        multiplier=Decimal(listing.multiplier),
        turnover_usd=float(listing.turnover_usd),
        refreshed_at=now,
    )


def main() -> None:
    """Measure each venue; print JSON."""
    call_command("migrate", verbosity=0)
    now = timezone.now()
    listed = [one for one in Markets().listings if one.kind == "coin" and one.term == "perpetual" and not one.inverse and one.trading]
    Market.objects.bulk_create([_market(listing, now) for listing in listed])
    with harness.valkey():
        results = [measure(venue) for venue in Venue]
    print(json.dumps({"database": connection.vendor, "frames": FRAMES, "rounds": ROUNDS, "venues": results}))


if __name__ == "__main__":
    main()
