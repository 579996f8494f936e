r"""What does an OKX frame say? About one liquidation per contract per second, with a backlog in the first message after subscribing.

Liquidations, and a refused subscription (documented)::

    {"arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[{"instId":"BTC-USDT-SWAP","instFamily":"BTC-USDT","uly":"BTC-USDT",
     "instType":"SWAP","details":[{"side":"sell","posSide":"long","bkPx":"64183.1","sz":"13","bkLoss":"0","ccy":"","ts":"1783771514160"}]}]}
    {"event":"error","code":"60012","msg":"Invalid request: {...}","connId":"a4d3ae55"}

`posSide` decides the side; where it is `net`, the order's `side` does: a sell closes a long. `sz` counts CONTRACTS: coins = sz x contract size.
The same channel carries inverse contracts (BTC-USD-SWAP, 100 dollars each); they are dropped and counted. A pong is the bare text `pong`.
"""

from typing import Any

from monitors.market import Direction, Liquidation
from monitors.venues.contracts import Contracts
from monitors.venues.wire import INVERSE, PONG, UNKNOWN_CONTRACT, MalformedFrame, ParsedFrame, decode, liquidation, positive, read_rows, timestamp_ms

POSITION_SIDE = {"long": Direction.LONG, "short": Direction.SHORT}
ORDER_CLOSES = {"sell": Direction.LONG, "buy": Direction.SHORT}  # in net mode only the order's side is told
CHANNEL = "liquidation-orders"


def parse(raw: bytes | str, contracts: Contracts) -> ParsedFrame:
    """A raw frame; raises MalformedFrame."""
    return PONG if raw in (b"pong", "pong") else parse_payload(decode(raw), contracts)


def parse_payload(payload: Any, contracts: Contracts) -> ParsedFrame:
    """A decoded frame; raises MalformedFrame."""
    if payload == "pong":
        return PONG
    if not isinstance(payload, dict):
        raise MalformedFrame(payload)
    if "event" in payload:
        return _answer(payload)
    arg, instruments = payload.get("arg"), payload.get("data")
    if isinstance(arg, dict) and arg.get("channel") == CHANNEL and isinstance(instruments, list):
        return read_rows(_details(instruments), contracts, _event)
    raise MalformedFrame(payload)


def _answer(payload: dict[str, Any]) -> ParsedFrame:
    refused = payload["event"] in ("error", "channel-conn-count-error")
    return ParsedFrame(is_control=True, refused=str(payload.get("msg") or payload.get("code") or "refused")[:200] if refused else "")


def _details(instruments: list[Any]) -> list[Any]:
    """Each detail beside its instrument; an instrument without readable details is handed on as it is, to be counted as malformed."""
    rows: list[Any] = []
    for instrument in instruments:
        details = instrument.get("details") if isinstance(instrument, dict) else None
        if isinstance(details, list):
            rows += [(instrument, detail) for detail in details]
        else:
            rows.append(instrument)
    return rows


def _event(row: Any, contracts: Contracts) -> Liquidation | str:
    instrument, detail = row
    symbol = instrument["instId"]
    position_side = detail["posSide"]
    side = ORDER_CLOSES[detail["side"]] if position_side == "net" else POSITION_SIDE[position_side]
    price, size, occurred_at_ms = positive(detail["bkPx"]), positive(detail["sz"]), timestamp_ms(detail["ts"])
    contract = contracts.find(symbol)
    if contract is None:
        return INVERSE if symbol.endswith("-USD-SWAP") else UNKNOWN_CONTRACT
    return liquidation(contract, side, price, size * contract.contract_size, occurred_at_ms)
