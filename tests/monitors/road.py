"""What do the monitor's tests share? Short frames of each venue, stamped now, and what is stored."""

import time
from typing import Any

from monitors.models import FeedStatus, Liquidation, Signal
from tests.fakes.venue_frames import binance_force_order, bybit_liquidations, okx_liquidations


def now_ms() -> int:
    return int(time.time() * 1000)


def bybit(dollars: int, asset: str = "BTC", at_ms: int | None = None) -> Any:
    """A long of so many dollars."""
    return bybit_liquidations([("Buy", dollars, 1, at_ms or now_ms())], f"{asset}USDT")


def binance(dollars: int, asset: str = "BTC", at_ms: int | None = None) -> Any:
    """A long of so many dollars."""
    return binance_force_order(f"{asset}USDT", "SELL", dollars, 1, at_ms or now_ms())


def okx(contracts: int, asset: str = "BTC", at_ms: int | None = None) -> Any:
    """A long of so many contracts, at one dollar a coin."""
    return okx_liquidations([("sell", "long", contracts, 1, at_ms or now_ms())], f"{asset}-USDT-SWAP")


def saved_dollars() -> list[int]:
    return sorted(int(row.notional_usd) for row in Liquidation.objects.all())


def signals(kind: str) -> list[Signal]:
    return list(Signal.objects.filter(kind=kind).order_by("received_at", "id"))


def feed(venue: str) -> FeedStatus:
    """The venue's row; before the first report, one that says nothing."""
    return FeedStatus.objects.filter(venue=venue).first() or FeedStatus(venue=venue)
