"""What could a bad minute on the market look like? A synthetic recording: seeded, so the same seed gives the same file.

`python -m tests.synthetic FILE [--seed N]` writes it (`.gz`: compressed). Only frames of venues are made up here; what
they mean is decided by whoever reads them.
"""

import argparse
import gzip
import json
import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.fakes.venue_frames import Json, binance_force_order, bybit_liquidations, okx_liquidations
from tests.fakes.venue_markets import BINANCE, BYBIT, OKX

SEED = 20261122
START_MS = 1_795_348_800_000  # 2026-11-22 12:00 UTC; players move it to the present
LENGTH_S = 52
CONTRACT_SIZES = {"BTC": "0.01", "ETH": "0.1", "SOL": "1", "XRP": "100", "DOGE": "1000", "ADA": "100", "AVAX": "1", "LINK": "1"}  # OKX
PRICES = {"BTC": 64183.0, "ETH": 1800.5, "SOL": 78.43, "XRP": 1.112, "DOGE": 0.0754, "ADA": 0.2415, "AVAX": 9.31, "LINK": 8.42}
BACKGROUND_PER_S = 2.5  # events on all assets and venues together
BACKGROUND_MEDIAN_USD, BACKGROUND_SIGMA, BACKGROUND_MOST_USD = 900.0, 1.1, 9_000.0
VENUE_SHARE = {BINANCE: 0.42, BYBIT: 0.36, OKX: 0.22}  # of a cascade's dollars


@dataclass(frozen=True)
class Cascade:
    """Longs of one asset that fall one after the other: dollars in all grow like e^x up to `peak_usd`, then it ebbs away."""

    asset: str
    starts_s: float
    grows_s: float
    first_usd: float
    peak_usd: float
    falls: float  # part of the price that is lost

    def total_usd(self, at_s: float) -> float:
        """Dollars liquidated until `at_s`; the ebb adds an eighth."""
        if at_s <= self.starts_s:
            return 0.0
        grown, ebb = min(at_s - self.starts_s, self.grows_s), max(at_s - self.starts_s - self.grows_s, 0.0)
        growth = math.log(self.peak_usd / self.first_usd) / self.grows_s
        return self.first_usd * math.exp(growth * grown) + self.peak_usd / 8 * (1 - math.exp(-ebb / 2))


# They start late enough for the mark prices of half a minute earlier to be known: a message says how far the price has moved.
CASCADES = (
    Cascade("BTC", starts_s=8.0, grows_s=21.0, first_usd=50_000, peak_usd=14_500_000, falls=0.031),
    Cascade("ETH", starts_s=16.0, grows_s=17.0, first_usd=40_000, peak_usd=4_700_000, falls=0.037),
)
SINGLE = (6.0, "SOL", 640_000.0)  # second, asset, dollars: one long that goes at once


class Market:
    """Prices that follow the dollars of the cascades, with a little noise."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def price(self, asset: str, at_s: float) -> float:
        """Dollars per coin at a second of the story."""
        fallen = sum(c.falls * math.sqrt(min(c.total_usd(at_s) / c.peak_usd, 1.0)) for c in CASCADES if c.asset == asset)
        drift = 0.0 if any(c.asset == asset for c in CASCADES) else 0.008 * at_s / LENGTH_S
        return PRICES[asset] * (1 - fallen - drift) * (1 + self._dice.gauss(0, 0.00015))


@dataclass(frozen=True)
class Event:
    """One liquidation before it is put in a venue's words; `long`: a long was closed."""

    at_s: float
    venue: str
    asset: str
    usd: float
    long: bool
    price: float


def recording(seed: int = SEED) -> Iterator[str]:
    """The lines of the recording, the header first."""
    header = {
        "format": "alertsystem.recording",
        "version": 1,
        "markets": {OKX: {f"{asset}-USDT-SWAP": {"contract_size": float(size)} for asset, size in CONTRACT_SIZES.items()}},
        "source": f"made by tests/synthetic.py, seed {seed}",
        "note": "synthetic: no venue ever sent this",
    }
    yield json.dumps(header)
    dice = random.Random(seed)
    events = [*_background(dice), *_cascades(dice), _single(dice)]
    arrivals = sorted(_arrivals(events, dice), key=lambda arrival: arrival[0])
    for at_ms, venue, payload in arrivals:
        yield json.dumps({"at": START_MS + at_ms, "venue": venue, "feed": "liquidations", "payload": payload}, separators=(",", ":"))


def write(path: Path, seed: int = SEED) -> None:
    """Write the recording; `.gz` is compressed."""
    text = "".join(f"{line}\n" for line in recording(seed))
    path.write_bytes(gzip.compress(text.encode(), mtime=0) if path.suffix == ".gz" else text.encode())


def _background(dice: random.Random) -> Iterator[Event]:
    market, at_s = Market(dice), 0.0
    while (at_s := at_s + dice.expovariate(BACKGROUND_PER_S)) < LENGTH_S - 1:
        asset = dice.choice(list(PRICES))
        usd = min(dice.lognormvariate(math.log(BACKGROUND_MEDIAN_USD), BACKGROUND_SIGMA), BACKGROUND_MOST_USD)
        yield Event(at_s, dice.choice(list(VENUE_SHARE)), asset, usd, dice.random() < 0.7, market.price(asset, at_s))


def _cascades(dice: random.Random) -> Iterator[Event]:
    """Each second the dollars of that second, shared by the venues; Bybit tells every order, the others the largest of the second."""
    market = Market(dice)
    for cascade in CASCADES:
        for step in range(int(cascade.starts_s), LENGTH_S - 5):
            usd = cascade.total_usd(step + 1) - cascade.total_usd(step)
            if usd < cascade.peak_usd / 2000:
                continue
            for venue, share in VENUE_SHARE.items():
                orders = dice.randint(2, 6) if venue == BYBIT else 1
                for part in _parts(usd * share, orders, dice):
                    at_s = step + dice.uniform(0.05, 0.95)
                    yield Event(at_s, venue, cascade.asset, part, True, market.price(cascade.asset, at_s))


def _single(dice: random.Random) -> Event:
    at_s, asset, usd = SINGLE
    return Event(at_s, BYBIT, asset, usd, True, Market(dice).price(asset, at_s))


def _parts(total: float, count: int, dice: random.Random) -> list[float]:
    weights = [dice.uniform(0.3, 1.0) for _ in range(count)]
    return [total * weight / sum(weights) for weight in weights]


def _arrivals(events: list[Event], dice: random.Random) -> Iterator[tuple[int, str, Json]]:
    """Arrival in ms of the story, venue, frame. Bybit packs half a second of one contract into a frame."""
    packs: dict[tuple[str, int], list[Event]] = {}
    for event in sorted(events, key=lambda event: event.at_s):
        if event.venue == BYBIT:
            packs.setdefault((event.asset, int(event.at_s * 2)), []).append(event)
        else:
            yield int(event.at_s * 1000) + dice.randint(40, 160), event.venue, _FRAMES[event.venue](event)
    for (asset, half), pack in packs.items():
        rows = [("Buy" if event.long else "Sell", *_amounts(event), _ms(event)) for event in pack]
        yield (half + 1) * 500 + dice.randint(20, 90), BYBIT, bybit_liquidations(rows, f"{asset}USDT", START_MS + (half + 1) * 500)


def _binance(event: Event) -> Json:
    quantity, price = _amounts(event)
    return binance_force_order(f"{event.asset}USDT", "SELL" if event.long else "BUY", quantity, price, _ms(event))


def _okx(event: Event) -> Json:
    size = Decimal(CONTRACT_SIZES[event.asset])
    price = _price(event)
    contracts = max((Decimal(event.usd) / price / size).quantize(Decimal("0.01")), Decimal("0.01"))
    side = ("sell", "long") if event.long else ("buy", "short")
    return okx_liquidations([(*side, contracts, price, _ms(event))], f"{event.asset}-USDT-SWAP")


_FRAMES: Mapping[str, Any] = {BINANCE: _binance, OKX: _okx}


def _amounts(event: Event) -> tuple[Decimal, Decimal]:
    """Coins and price as a venue writes them."""
    price = _price(event)
    places = Decimal("0.001") if price > 1000 else Decimal("0.1") if price > 1 else Decimal(1)
    return max((Decimal(event.usd) / price).quantize(places), places), price


def _price(event: Event) -> Decimal:
    return Decimal(event.price).quantize(Decimal("0.1") if event.price > 1000 else Decimal("0.01") if event.price > 5 else Decimal("0.00001"))


def _ms(event: Event) -> int:
    return START_MS + int(event.at_s * 1000)


def main() -> None:
    """Write the recording to a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    write(options.file, options.seed)


if __name__ == "__main__":
    main()
