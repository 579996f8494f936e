"""How is a recording sent again? Each liquidation frame over its venue's socket, at its own pace, stamped as of now."""

import asyncio
import gzip
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.fakes.venue_frames import Json, shifted
from tests.fakes.venue_markets import BINANCE, BYBIT, Markets

FORMAT = "alertsystem.recording"
Send = Callable[[str, Any], Awaitable[object]]


def lines(recording: Path) -> Iterator[Json]:
    """The lines after the header; ValueError when it is no recording."""
    with gzip.open(recording, "rt") if recording.suffix == ".gz" else recording.open() as file:
        header = json.loads(next(file))
        if (header.get("format"), header.get("version")) != (FORMAT, 1):
            raise ValueError(f"{recording} is no recording of version 1")
        yield from (json.loads(line) for line in file if line.strip())


async def play(recording: Path, send: Send, markets: Markets, speed: float = 1.0) -> int:
    """Send every liquidation frame; returns how many.

    Venue times keep their distance to the arrival. `speed` 10 is ten times as fast. The marks follow the prices in the frames.
    """
    first_at: int | None = None
    began = time.time()
    count = 0
    for line in lines(recording):
        if line["feed"] != "liquidations":
            continue
        first_at = line["at"] if first_at is None else first_at
        due = began + (line["at"] - first_at) / 1000 / speed
        await asyncio.sleep(max(0.0, due - time.time()))
        follow(markets, line["venue"], line["payload"])
        await send(line["venue"], shifted(line["payload"], int(time.time() * 1000) - line["at"]))
        count += 1
    return count


def follow(markets: Markets, venue: str, payload: Json) -> None:
    """Move the asset's price on all venues to that of the frame, so that marks and liquidations tell one story."""
    for symbol, price in _prices(venue, payload):
        listing = markets.find(venue, symbol)
        if listing is not None and not listing.inverse:
            markets.set_price(listing.asset, Decimal(price) / listing.multiplier)


def _prices(venue: str, payload: Json) -> list[tuple[str, str]]:
    if venue == BINANCE:
        return [(payload["o"]["s"], payload["o"]["ap"])]
    if venue == BYBIT:
        return [(row["s"], row["p"]) for row in payload["data"][-1:]]
    return [(row["instId"], detail["bkPx"]) for row in payload["data"] for detail in row["details"][-1:]]
