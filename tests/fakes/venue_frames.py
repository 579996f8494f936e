"""What does a liquidation look like on each venue's wire? Builders of the documented payloads."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

Json = dict[str, Any]
Number = Decimal | int | str

DEFAULT_LAST_FILL = Decimal("0.3")  # of the quantity: recorded rows show the last fill as about a third of the order


def binance_force_order(symbol: str, side: str, quantity: Number, price: Number, at_ms: int, **over: object) -> Json:
    """A `forceOrder` event. `side` is the ORDER side (SELL: a long was liquidated), `quantity` in the contract's coins.

    `over` replaces fields of the inner order; the last fill `l` and the bankruptcy price `p` differ from `z` and `ap`.
    """
    last_fill = Decimal(quantity) * DEFAULT_LAST_FILL
    limit = Decimal(price) * (Decimal("0.995") if side == "SELL" else Decimal("1.005"))
    order: Json = {"s": symbol, "S": side, "o": "LIMIT", "f": "IOC", "q": str(quantity), "p": _text(limit), "ap": str(price), "X": "FILLED"}
    order |= {"l": _text(last_fill), "z": str(quantity), "T": at_ms}
    return {"e": "forceOrder", "E": at_ms + 5, "o": order | over}


def bybit_liquidations(entries: Sequence[tuple[str, Number, Number, int]], symbol: str = "BTCUSDT", ts_ms: int | None = None) -> Json:
    """An `allLiquidation` frame of one symbol; entries are (POSITION side Buy or Sell, coins, bankruptcy price, time in ms)."""
    rows = [{"T": at_ms, "s": symbol, "S": side, "v": str(quantity), "p": str(price)} for side, quantity, price, at_ms in entries]
    newest = max(at_ms for *_, at_ms in entries)
    return {"topic": f"allLiquidation.{symbol}", "type": "snapshot", "ts": ts_ms if ts_ms is not None else newest + 100, "data": rows}


def okx_liquidations(entries: Sequence[tuple[str, str, Number, Number, int]], inst_id: str = "BTC-USDT-SWAP") -> Json:
    """A `liquidation-orders` frame of one instrument; entries are (order side, posSide, CONTRACTS, bankruptcy price, time in ms)."""
    details = [
        {"side": side, "posSide": position, "bkPx": str(price), "sz": str(size), "bkLoss": "0", "ccy": "", "ts": str(at_ms)}
        for side, position, size, price, at_ms in entries
    ]
    family = inst_id.removesuffix("-SWAP")
    row = {"instId": inst_id, "instFamily": family, "uly": family, "instType": "SWAP", "details": details}
    return {"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": [row]}


def binance_mark(symbol: str, price: Decimal, at_ms: int) -> Json:
    """One element of the `!markPrice@arr` array."""
    next_funding_ms = at_ms - at_ms % 28_800_000 + 28_800_000
    return {
        "e": "markPriceUpdate", "E": at_ms, "s": symbol, "p": _text(price), "ap": _text(price), "i": _text(price), "P": _text(price),
        "r": "0.00010000", "T": next_funding_ms,
    }  # fmt: skip


def shifted(frame: Any, by_ms: int) -> Any:
    """The frame with every venue time in it (E, T, ts; number or text) moved by `by_ms`."""
    if isinstance(frame, list):
        return [shifted(item, by_ms) for item in frame]
    if not isinstance(frame, dict):
        return frame
    return {key: _later(value, by_ms) if key in ("E", "T", "ts") else shifted(value, by_ms) for key, value in frame.items()}


def _later(value: int | str, by_ms: int) -> int | str:
    return str(int(value) + by_ms) if isinstance(value, str) else value + by_ms


def _text(number: Decimal) -> str:
    return f"{number.quantize(Decimal('0.00000001')).normalize():f}"
