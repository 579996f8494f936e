"""Can any JSON, or any real frame, surprise the parsers?"""

import gzip
import json
import os
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.market import Direction, Venue
from monitors.venues.contracts import Contracts, of_recording, of_rows, okx_contract
from monitors.venues.registry import parser_for
from monitors.venues.wire import LARGEST, MalformedFrame, ParsedFrame

CONTRACTS = {venue: of_rows(venue, []) for venue in Venue} | {Venue.OKX: Contracts({"BTC-USDT-SWAP": okx_contract("BTC-USDT-SWAP", Decimal("0.01"))})}  # type: ignore[dict-item]  # it is one
NUMBERS = st.sampled_from(["1", "0", "-1", "NaN", "sNaN", "Infinity", "1e999", "1e-30", "", " 1", "٣", 1, 0.5, 1e400, -0.0, True, None]) | st.text(max_size=5)
TIMES = st.sampled_from([1789672235690, "1789672235690", 1789672235, "²", -5, 1e12, None, True])
NAMES = st.sampled_from(["BTCUSDT", "BTC-USDT-SWAP", "BTC-USD-SWAP", "1000PEPEUSDT", "", 5, None])
SIDES = st.sampled_from(["BUY", "SELL", "Buy", "Sell", "long", "short", "net", "buy", "sell", "", None, 3])
KEYS = st.sampled_from(["e", "o", "s", "S", "z", "ap", "T", "data", "topic", "arg", "event", "op"])
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | KEYS, inner, max_size=5),
    max_leaves=12,
)  # fmt: skip
ORDERS = st.fixed_dictionaries({}, optional={"s": NAMES, "S": SIDES, "z": NUMBERS, "ap": NUMBERS, "T": TIMES})
BINANCE = st.fixed_dictionaries(
    {"e": st.sampled_from(["forceOrder", "markPriceUpdate", "trade", None])}, optional={"o": ORDERS | ANY_JSON, "s": NAMES, "p": NUMBERS}
)
BYBIT_ROWS = st.lists(st.fixed_dictionaries({}, optional={"s": NAMES, "S": SIDES, "v": NUMBERS, "p": NUMBERS, "T": TIMES}) | ANY_JSON, max_size=4)
BYBIT = st.fixed_dictionaries({"topic": st.sampled_from(["allLiquidation.BTCUSDT", "x", None, 3]), "data": BYBIT_ROWS | ANY_JSON})
OKX_DETAILS = st.lists(
    st.fixed_dictionaries({}, optional={"side": SIDES, "posSide": SIDES, "bkPx": NUMBERS, "sz": NUMBERS, "ts": TIMES}) | ANY_JSON, max_size=4
)
OKX_ROWS = st.lists(st.fixed_dictionaries({"instId": NAMES, "details": OKX_DETAILS | ANY_JSON}) | ANY_JSON, max_size=3)
OKX = st.fixed_dictionaries({"arg": st.just({"channel": "liquidation-orders"}) | ANY_JSON, "data": OKX_ROWS | ANY_JSON})
FRAMES = (
    ANY_JSON
    | BINANCE
    | st.lists(BINANCE, max_size=3)
    | st.builds(lambda data: {"stream": "x", "data": data}, BINANCE | st.lists(BINANCE, max_size=3))
    | BYBIT
    | OKX
)


@settings(max_examples=600, deadline=None)
@given(FRAMES)
def test_any_json_is_either_understood_or_malformed_and_every_event_is_sane(payload: Any) -> None:
    for venue in Venue:
        for read, frame in ((parser_for(venue).parse_payload, payload), (parser_for(venue).parse, json.dumps(payload))):
            try:
                parsed = read(frame, CONTRACTS[venue])
            except MalformedFrame:
                continue
            assert isinstance(parsed, ParsedFrame)
            for event in parsed.liquidations:
                assert event.price > 0 and event.quantity_base > 0 and 0 < event.notional_usd <= LARGEST
                assert event.position_side in (Direction.LONG, Direction.SHORT)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_are_either_understood_or_malformed(raw: bytes) -> None:
    for venue in Venue:
        try:
            parser_for(venue).parse(raw, CONTRACTS[venue])
        except MalformedFrame:
            continue


@pytest.mark.skipif(not os.environ.get("RECORDINGS_DIR"), reason="RECORDINGS_DIR is not set")
def test_every_recorded_frame_is_read_without_loss() -> None:
    seen: Counter[str] = Counter()
    for path in sorted(Path(os.environ["RECORDINGS_DIR"]).glob("*.jsonl.gz")):
        with gzip.open(path, "rt") as lines:
            header = json.loads(next(lines))
            contracts = {venue: of_recording(venue, header["markets"].get(venue.value, {})) for venue in Venue}
            for entry in map(json.loads, lines):
                if entry["feed"] == "liquidations":
                    venue = Venue(entry["venue"])
                    frame = parser_for(venue).parse_payload(entry["payload"], contracts[venue])
                    seen.update({"events": len(frame.liquidations), "malformed": frame.malformed, **frame.dropped})
    assert seen["events"] > 10_000
    assert seen["malformed"] == 0
    print(dict(seen))
