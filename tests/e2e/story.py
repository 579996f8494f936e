"""What happens on the venues in an end-to-end test? Liquidations of one asset and side on all three, now."""

import re
import time
from collections import Counter
from decimal import Decimal

from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_server import Request
from tests.fakes.venue_frames import binance_force_order, bybit_liquidations, okx_liquidations
from tests.fakes.venue_markets import BINANCE, BYBIT, OKX
from tests.fakes.venues import FakeVenues

# Dollars which by themselves reach a rung of the seeded cascade ladders; the three of an asset together stay below EXTREME's double, a step of its own.
RUNGS = {
    "BTC": {"MODERATE": 2_000_000, "HIGH": 6_000_000, "EXTREME": 12_600_000},
    "ETH": {"MODERATE": 2_000_000, "HIGH": 6_000_000, "EXTREME": 10_600_000},
}
SHARES = {BINANCE: Decimal("0.40"), BYBIT: Decimal("0.35"), OKX: Decimal("0.25")}
EACH = 2  # events a venue
SEVERITY = re.compile(r"\b(LOW|MODERATE|HIGH|EXTREME)\b")


def pour(venues: FakeVenues, asset: str, usd: int, side: str = "LONG") -> None:
    """Liquidations of `usd` dollars in all, two events a venue; `side` is the position side."""
    long, now_ms = side == "LONG", int(time.time() * 1000)
    for number in range(EACH):
        price, coins = _part(venues, BINANCE, f"{asset}USDT", usd)
        venues.send(BINANCE, binance_force_order(f"{asset}USDT", "SELL" if long else "BUY", coins, price, now_ms - number))
    price, coins = _part(venues, BYBIT, f"{asset}USDT", usd)
    venues.send(BYBIT, bybit_liquidations([("Buy" if long else "Sell", coins, price, now_ms - number) for number in range(EACH)], f"{asset}USDT"))
    price, contracts = _part(venues, OKX, f"{asset}-USDT-SWAP", usd)
    order = ("sell", "long") if long else ("buy", "short")
    venues.send(OKX, okx_liquidations([(*order, contracts, price, now_ms - number) for number in range(EACH)], f"{asset}-USDT-SWAP"))


def _part(venues: FakeVenues, venue: str, symbol: str, usd: int) -> tuple[Decimal, Decimal]:
    listing = venues.markets.find(venue, symbol)
    assert listing is not None
    size = Decimal(listing.contract_size) if venue == OKX else Decimal(1)
    return listing.price, (usd * SHARES[venue] / EACH / listing.price / size).quantize(Decimal("0.001"))


def steps_sent(telegram: FakeTelegram, chat_id: int, asset: str, side: str = "LONG") -> Counter[str]:
    """How many new messages about this asset and side the chat received, by the severity they came with."""
    people = "longs" if side == "LONG" else "shorts"
    return Counter(_severity(request.text) for request in accepted(telegram, chat_id) if asset in request.text and people in request.text.lower())


def accepted(telegram: FakeTelegram, chat_id: int) -> list[Request]:
    """The chat's messages as they were sent (not as edited), in order."""
    return [request for request in telegram.requests("sendMessage") if request.accepted and int(request.chat_id or 0) == chat_id]


def _severity(text: str) -> str:
    found = SEVERITY.search(text)
    return found[1] if found else ""
