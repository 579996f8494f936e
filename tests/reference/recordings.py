"""What could arrive? Random recordings that keep to the edges: rungs, windows, cooldowns, odd clocks, repeats and broken lines."""

import json
from decimal import Decimal
from random import Random
from typing import Any

from .rules import rule

Row = dict[str, Any]
START_MS = 1_783_771_200_000
ASSETS = ("BTC", "ETH", "PEPE")
SIZES = {"BTC-USDT-SWAP": 0.01, "ETH-USDT-SWAP": 0.1, "PEPE-USDT-SWAP": 1000, "BTC-USD-SWAP": 100}
NAMES = {
    "binance": {"BTC": ("BTCUSDT", "BTCUSDC"), "ETH": ("ETHUSDT", "ETHUSDT_261225"), "PEPE": ("1000PEPEUSDT",)},
    "bybit": {"BTC": ("BTCUSDT", "BTCPERP", "BTCUSD"), "ETH": ("ETHUSDT",), "PEPE": ("1000PEPEUSDT",)},
    "okx": {"BTC": ("BTC-USDT-SWAP", "BTC-USD-SWAP", "BTC-USDC-SWAP"), "ETH": ("ETH-USDT-SWAP",), "PEPE": ("PEPE-USDT-SWAP",)},
}
GAPS_MS = (0, 1, 100, 249, 250, 251, 500, 1000, 4_000, 9_750, 9_999, 10_000, 10_001, 19_999, 20_000, 20_001, 30_000, 61_000)
AGES_MS = (0, 0, 0, 0, 1, 200, 1000, 9_999, 10_000, 10_001, 29_999, 30_000, 59_999, 60_000, 60_001, -100, -5_000, -5_001)
DOLLARS = (1, 9.99, 10, 100, 400, 499.99, 500, 600, 900, 999.99, 1000, 1000.01, 1500, 1999, 2000, 3000, 4000, 8000, 16_000, 31_999.99, 32_000, 64_000)
BROKEN = (
    "",
    "{",
    "[]",
    '{"at": "soon", "venue": "bybit", "feed": "liquidations", "payload": {}}',
    '{"at": 1, "venue": "ftx", "feed": "liquidations", "payload": {}}',
)


def rules(random: Random) -> list[Row]:
    """A rule file: small ladders with rungs that sums can hit, some rules off, some that want two venues."""
    made = []
    for asset in (*random.sample(ASSETS, random.randint(0, 2)), ""):
        for kind, ladder in (("liquidation", (1000, 2000, 4000, 8000)), ("cascade", (1000, 2000, 4000, 16_000))):
            times = random.choice((1, 1, 2))
            changed = {"cooldown_s": random.choice((1, 10, 20)), "enabled": random.random() > 0.08, "window_s": random.choice((10, 30))}
            if kind == "cascade" or random.random() < 0.2:  # for a liquidation the admin refuses them; a file may hold them
                changed |= {"min_events": random.choice((1, 2, 3)), "min_venues": random.choice((1, 1, 2, 3))}
            made.append(rule(kind, asset, tuple(rung * times for rung in ladder), **changed))
    return made


def recording(random: Random, frames: int) -> list[str]:
    """The lines of a recording with its header; whole frames may come again, and lines may be broken."""
    markets = {"okx": {name: {"contract_size": size} for name, size in SIZES.items() if random.random() > 0.2}}
    lines = [json.dumps({"format": "alertsystem.recording", "version": 1, "markets": markets})]
    at, payloads = START_MS, [("binance", force_order(random, "BTC", "LONG", START_MS))]
    burst = False
    for _ in range(frames):
        burst = random.random() < (0.9 if burst else 0.15)
        at += random.choice(GAPS_MS[:6] if burst else GAPS_MS)
        if random.random() < 0.04:
            lines.append(random.choice(BROKEN))
        if random.random() < 0.04:
            lines.append(json.dumps({"at": at, "venue": "okx", "feed": "candles", "payload": {}}))
        if random.random() > 0.12:
            payloads.append(frame(random, at))
        venue, payload = payloads[-1] if random.random() > 0.1 else random.choice(payloads)
        lines.append(json.dumps({"at": at, "venue": venue, "feed": "liquidations", "payload": payload}))
    return lines


def frame(random: Random, at: int) -> tuple[str, Row]:
    """One venue's frame with one event or a few, mostly of one asset and side."""
    venue = random.choice(("binance", "bybit", "bybit", "okx"))
    asset, side = random.choice(("BTC", "BTC", "ETH", "PEPE")), random.choice(("LONG", "LONG", "LONG", "SHORT"))
    if venue == "binance":
        return venue, force_order(random, asset, side, at)
    count = random.choice((1, 1, 2, 3, 6))
    rows = [bybit_row(random, asset, side, at) if venue == "bybit" else okx_row(random, asset, side, at) for _ in range(count)]
    rows += [rows[0]] if random.random() < 0.2 else []
    if random.random() < 0.2:
        rows.append(bybit_row(random, "ETH", "SHORT", at) if venue == "bybit" else okx_row(random, "ETH", "SHORT", at))
    if venue == "bybit":
        return venue, {"topic": f"allLiquidation.{rows[0]['s']}", "type": "snapshot", "ts": at, "data": rows}
    return venue, {"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": rows}


def force_order(random: Random, asset: str, side: str, at: int) -> Row:
    """Binance: the accumulated fill counts, the last one and the limit price do not."""
    price, coins = amount(random)
    order = {
        "s": random.choice(NAMES["binance"][asset]),
        "S": {"LONG": "SELL", "SHORT": "BUY"}[side],
        "q": "999999",
        "p": "999",
        "ap": price,
        "z": coins,
        "l": "1",
    }
    return {"e": "forceOrder", "E": at, "o": {**order, "X": "FILLED", "T": at - random.choice(AGES_MS)}}


def bybit_row(random: Random, asset: str, side: str, at: int) -> Row:
    """Bybit: one row of a frame."""
    price, coins = amount(random)
    return {"T": at - random.choice(AGES_MS), "s": random.choice(NAMES["bybit"][asset]), "S": {"LONG": "Buy", "SHORT": "Sell"}[side], "v": coins, "p": price}


def okx_row(random: Random, asset: str, side: str, at: int) -> Row:
    """OKX: one instrument with one or two details, some of them in net mode."""
    name = random.choice(NAMES["okx"][asset])
    details = []
    for _ in range(random.choice((1, 1, 2))):
        price, coins = amount(random)
        contracts = Decimal(coins) / Decimal(str(SIZES.get(name, 1)))
        order = {"LONG": "sell", "SHORT": "buy"}[side]
        position = random.choice((side.lower(), "net"))
        details.append({"side": order, "posSide": position, "bkPx": price, "sz": f"{contracts:f}", "ccy": "", "ts": str(at - random.choice(AGES_MS))})
    return {"instId": name, "instFamily": name[:-5], "uly": name[:-5], "instType": "SWAP", "details": details}


def amount(random: Random) -> tuple[str, str]:
    """A price and an amount of coins whose product is one of the dollars above."""
    price = random.choice(("1", "2", "0.5", "100"))
    return price, f"{Decimal(str(random.choice(DOLLARS))) / Decimal(price):f}"
