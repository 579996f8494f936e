r"""What does a Bybit linear frame say? Every liquidation of the subscribed contracts, each 500 ms.

Liquidations, and the answers to a ping and to a subscription (documented)::

    {"topic":"allLiquidation.ROSEUSDT","type":"snapshot","ts":1739502303204,"data":[{"T":1739502302929,"s":"ROSEUSDT","S":"Sell","v":"20000","p":"0.04499"}]}
    {"success":true,"ret_msg":"pong","conn_id":"0970e817-426e-429a-a679-ff7f55e0b16a","op":"ping"}
    {"success":false,"ret_msg":"error:handler not found,topic:allLiquidation.X","conn_id":"e0e10eee","req_id":"3","op":"subscribe"}

`S` is the POSITION side: Buy means that a long was liquidated. `v` is coins, `p` the bankruptcy price.
"""

from typing import Any

from monitors.market import Direction, Liquidation
from monitors.venues.contracts import Contracts
from monitors.venues.wire import INVERSE, UNKNOWN_CONTRACT, MalformedFrame, ParsedFrame, decode, liquidation, positive, read_rows, timestamp_ms

POSITION_SIDE = {"Buy": Direction.LONG, "Sell": Direction.SHORT}  # S is the position side
TOPIC = "allLiquidation."


def parse(raw: bytes | str, contracts: Contracts) -> ParsedFrame:
    """A raw frame; raises MalformedFrame."""
    return parse_payload(decode(raw), contracts)


def parse_payload(payload: Any, contracts: Contracts) -> ParsedFrame:
    """A decoded frame; raises MalformedFrame."""
    if not isinstance(payload, dict):
        raise MalformedFrame(payload)
    topic, rows = payload.get("topic"), payload.get("data")
    if isinstance(topic, str) and topic.startswith(TOPIC) and isinstance(rows, list):
        return read_rows(rows, contracts, _event)
    if topic is None and "op" in payload:
        return _answer(payload)
    raise MalformedFrame(payload)


def _answer(payload: dict[str, Any]) -> ParsedFrame:
    refused = str(payload.get("ret_msg") or "refused")[:200] if payload.get("success") is False else ""
    return ParsedFrame(is_control=True, refused=refused, request_id=str(payload.get("req_id", "")))


def _event(row: Any, contracts: Contracts) -> Liquidation | str:
    side = POSITION_SIDE[row["S"]]
    price, coins, occurred_at_ms = positive(row["p"]), positive(row["v"]), timestamp_ms(row["T"])
    contract = contracts.find(row["s"])
    if contract is None:
        return INVERSE if row["s"].endswith("USD") else UNKNOWN_CONTRACT
    return liquidation(contract, side, price, coins, occurred_at_ms)
