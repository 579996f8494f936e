"""Which liquidations stand in one line of a recording? Written from the venues' documentation alone, without the project's parsers."""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Line = dict[str, Any]
# Multiplied contracts (1000PEPE, 1MBABYDOGE, SHIB1000) are the same asset; 1INCH is not one of them.
MULTIPLIED = re.compile(r"^(?:1000+|1M)(?=[A-Z])|(?<=[A-Z])1000+$")


@dataclass(frozen=True)
class Event:
    """One liquidation: `side` is the position's, times are epoch ms, `dollars` is unrounded."""

    venue: str
    symbol: str
    asset: str
    side: str
    time: int
    price: Decimal
    quantity: Decimal
    dollars: Decimal


class Broken(Exception):
    """This line is no data: it is reported by its number and skipped."""


def read_line(text: str) -> Line:
    """The line as an object with a whole-number `at`; Broken when it is not one."""
    try:
        line = json.loads(text)
    except ValueError as error:
        raise Broken("not JSON") from error
    if not isinstance(line, dict) or type(line.get("at")) is not int or not {"venue", "feed", "payload"} <= line.keys():
        raise Broken("not a line of a recording")
    return line


def events_of(line: Line, sizes: dict[str, Any]) -> list[Event]:
    """Every linear USDT or USDC perpetual in the frame; `sizes` is the header's OKX markets. Inverse and unknown contracts are left out."""
    if line["feed"] != "liquidations":
        if not line["payload"]:
            raise Broken("nothing of what the feed brings")
        return []
    try:
        return {"binance": binance, "bybit": bybit, "okx": okx}[line["venue"]](line["payload"], sizes)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise Broken(f"not a frame of {line['venue']}") from error


def binance(payload: Any, _sizes: dict[str, Any]) -> list[Event]:
    """Accumulated quantity `z` at the average price `ap`; `S` is the order's side, so SELL closed a long."""
    order = payload["o"]
    side = {"SELL": "LONG", "BUY": "SHORT"}[order["S"]]
    return [event("binance", order["s"], base_of(order["s"]), side, order["T"], order["ap"], order["z"])] if base_of(order["s"]) else []


def bybit(payload: Any, _sizes: dict[str, Any]) -> list[Event]:
    """`v` is coins and `S` the position's side: Buy means a long was closed. BTCPERP is the USDC contract."""
    found = []
    for row in payload["data"]:
        base = row["s"].removesuffix("PERP") if row["s"].endswith("PERP") else base_of(row["s"])
        side = {"Buy": "LONG", "Sell": "SHORT"}[row["S"]]
        found += [event("bybit", row["s"], base, side, row["T"], row["p"], row["v"])] if base else []
    return found


def okx(payload: Any, sizes: dict[str, Any]) -> list[Event]:
    """`sz` counts contracts; `posSide` decides, and where it is `net` the order's side does (sell closes a long)."""
    found = []
    for instrument in payload["data"]:
        name = instrument["instId"]
        base, _, rest = name.partition("-")
        for row in instrument["details"]:
            side = {"long": "LONG", "short": "SHORT"}.get(row["posSide"]) or {"sell": "LONG", "buy": "SHORT"}[row["side"]]
            if rest in ("USDT-SWAP", "USDC-SWAP") and name in sizes:
                coins = Decimal(row["sz"]) * Decimal(str(sizes[name]["contract_size"]))
                found.append(event("okx", name, base, side, row["ts"], row["bkPx"], coins))
    return found


def base_of(symbol: str) -> str:
    """BTC for BTCUSDT and BTCUSDC, nothing for what is no such perpetual (BTCUSDT_261225, BTCUSD)."""
    return symbol[:-4] if symbol.endswith(("USDT", "USDC")) else ""


def event(venue: str, symbol: str, base: str, side: str, time: Any, price: Any, quantity: Any) -> Event:
    """The row as a value, its asset without the contract's multiplier."""
    return Event(venue, symbol, MULTIPLIED.sub("", base), side, int(time), Decimal(price), Decimal(quantity), Decimal(price) * Decimal(quantity))
