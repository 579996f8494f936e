r"""What does a Binance USD-M frame say? Force orders (the largest per symbol per second only) and every symbol's mark price.

A force order, and a mark price frame (documented; newer payloads carry more keys; keys differ by case only)::

    {"stream":"!forceOrder@arr","data":{"e":"forceOrder","E":1789672236702,"o":{"s":"COTIUSDT","S":"BUY","o":"LIMIT","f":"IOC","q":"288183",
     "p":"0.0220482","ap":"0.0219120","X":"FILLED","l":"288183","z":"288183","T":1789672235690}}}
    {"stream":"!markPrice@arr","data":[{"e":"markPriceUpdate","E":1562305380000,"s":"BTCUSDT","p":"11794.15","i":"11784.62","P":"11784.25",
     "r":"0.00038167","T":1562306400000}]}

`S` is the ORDER side: a SELL closes a long. The amount is the accumulated fill `z` at the average price `ap`; `l` is only the last fill.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from monitors.market import Direction, Liquidation
from monitors.venues.contracts import Contracts
from monitors.venues.wire import ODD, UNKNOWN_CONTRACT, MalformedFrame, ParsedFrame, decode, liquidation, positive, read_rows, timestamp_ms

POSITION_SIDE = {"SELL": Direction.LONG, "BUY": Direction.SHORT}  # S is the order side


def parse(raw: bytes | str, contracts: Contracts) -> ParsedFrame:
    """A raw frame of the combined stream; raises MalformedFrame."""
    return parse_payload(decode(raw), contracts)


def parse_payload(payload: Any, contracts: Contracts) -> ParsedFrame:
    """A decoded frame, with or without the combined stream's wrapper; raises MalformedFrame."""
    if not isinstance(payload, dict):
        raise MalformedFrame(payload)
    if "stream" not in payload and ("error" in payload or "result" in payload):
        return _answer(payload)
    data = payload.get("data", payload)
    events = data if isinstance(data, list) else [data]
    kinds = [event.get("e") if isinstance(event, dict) else None for event in events]
    if "markPriceUpdate" in kinds or payload.get("stream") == "!markPrice@arr" and not events:
        return ParsedFrame(marks=_marks(events, contracts))
    if "forceOrder" not in kinds:
        raise MalformedFrame(payload)
    return read_rows(events, contracts, _force_order)


def _answer(payload: dict[str, Any]) -> ParsedFrame:
    error = payload.get("error")
    message = error.get("msg", error) if isinstance(error, dict) else error
    return ParsedFrame(is_control=True, refused=str(message)[:200] if error else "", request_id=str(payload.get("id", "")))


def _force_order(event: Any, contracts: Contracts) -> Liquidation | str:
    order = event["o"]
    side = POSITION_SIDE[order["S"]]
    price, coins, occurred_at_ms = positive(order["ap"]), positive(order["z"]), timestamp_ms(order["T"])
    contract = contracts.find(order["s"])
    return UNKNOWN_CONTRACT if contract is None else liquidation(contract, side, price, coins, occurred_at_ms)


def _marks(events: Sequence[Any], contracts: Contracts) -> dict[str, Decimal]:
    """Dollars per coin by asset; the USDT contract's where there are two. A settling contract's zero mark is passed over."""
    marks: dict[str, Decimal] = {}
    for event in events:
        try:
            contract = contracts.find(event["s"])
            if contract is not None and (contract.asset not in marks or contract.symbol.endswith(":USDT")):
                marks[contract.asset] = positive(event["p"]) / contract.multiplier
        except ODD:
            continue
    return marks
