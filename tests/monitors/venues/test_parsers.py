"""Do the parsers say what the venues' documentation says?"""

from decimal import Decimal
from typing import Any

import pytest

from monitors.market import Direction, Venue
from monitors.venues import binance, bybit, okx
from monitors.venues.contracts import Contracts, of_recording, of_rows, okx_contract
from monitors.venues.wire import MalformedFrame

T = 1789672235690
BINANCE = of_rows(Venue.BINANCE, [])
BYBIT = of_rows(Venue.BYBIT, [])
OKX = of_recording(Venue.OKX, {"BTC-USDT-SWAP": {"contract_size": 0.01}, "BTC-USD-SWAP": {"contract_size": 100}})

BINANCE_DOCUMENTED = b"""{"stream":"!forceOrder@arr","data":{"e":"forceOrder","E":1789672236702,"o":{"s":"COTIUSDT","S":"BUY","o":"LIMIT","f":"IOC",
"q":"288183","p":"0.0220482","ap":"0.0219120","X":"FILLED","l":"288183","z":"288183","T":1789672235690}}}"""
BYBIT_DOCUMENTED = """{"topic":"allLiquidation.ROSEUSDT","type":"snapshot","ts":1739502303204,
"data":[{"T":1739502302929,"s":"ROSEUSDT","S":"Sell","v":"20000","p":"0.04499"}]}"""
OKX_DOCUMENTED = """{"arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[{"instId":"BTC-USDT-SWAP","instFamily":"BTC-USDT","uly":"BTC-USDT",
"instType":"SWAP","details":[{"side":"sell","posSide":"long","bkPx":"64183.1","sz":"13","bkLoss":"0","ccy":"","ts":"1783771514160"}]}]}"""


def force_order(**over: Any) -> dict[str, Any]:
    order = {"s": "BTCUSDT", "S": "SELL", "q": "9", "p": "60000", "ap": "61000", "l": "1", "z": "2", "T": T}
    return {"e": "forceOrder", "E": T + 5, "o": {key: value for key, value in (order | over).items() if value is not None}}


def bybit_frame(*rows: dict[str, Any]) -> dict[str, Any]:
    row = {"T": T, "s": "BTCUSDT", "S": "Buy", "v": "2", "p": "61000"}
    return {"topic": "allLiquidation.BTCUSDT", "type": "snapshot", "ts": T, "data": [row | over for over in rows]}


def okx_frame(*details: Any, symbol: str = "BTC-USDT-SWAP") -> dict[str, Any]:
    detail = {"side": "sell", "posSide": "long", "bkPx": "61000", "sz": "13", "ts": str(T)}
    rows = [detail | over if isinstance(over, dict) else over for over in details]
    return {"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": [{"instId": symbol, "instType": "SWAP", "details": rows}]}


def test_binance_takes_the_accumulated_fill_at_the_average_price_and_turns_the_order_side_around() -> None:
    (event,) = binance.parse(BINANCE_DOCUMENTED, BINANCE).liquidations
    assert (event.symbol, event.asset, event.position_side) == ("COTI/USDT:USDT", "COTI", Direction.SHORT)
    assert (event.price, event.quantity_base, event.occurred_at_ms) == (Decimal("0.021912"), Decimal(288183), T)
    assert event.notional_usd == Decimal("0.0219120") * 288183
    (partly,) = binance.parse_payload(force_order(), BINANCE).liquidations
    assert (partly.notional_usd, partly.position_side) == (Decimal(122_000), Direction.LONG)


@pytest.mark.parametrize(
    "over",
    [{"ap": "0"}, {"z": "0"}, {"ap": None}, {"z": None}, {"ap": "NaN"}, {"ap": "sNaN"}, {"z": "Infinity"}, {"z": "-1"}, {"ap": "1e999"}, {"z": True}]
    + [{"T": str(T) + "x"}, {"T": T // 1000}, {"T": True}, {"T": None}, {"T": float(T)}, {"S": "Sell"}, {"S": ["SELL"]}, {"S": None}, {"s": 5}, {"s": ["a"]}],
)
def test_a_binance_row_without_a_usable_number_is_malformed(over: dict[str, Any]) -> None:
    frame = binance.parse_payload(force_order(**over), BINANCE)
    assert (frame.liquidations, frame.malformed) == ((), 1)
    assert frame.sample


def test_a_mark_price_frame_gives_dollars_per_coin_of_each_asset() -> None:
    marks = [("BTCUSDT", "62310.5"), ("BTCUSDC", "62300"), ("1000PEPEUSDT", "0.01"), ("OLDUSDT", "0"), ("BTCUSDT_261225", "63000"), (7, None)]
    events = [{"e": "markPriceUpdate", "E": T, "s": symbol, "p": price} for symbol, price in marks]
    frame = binance.parse_payload({"stream": "!markPrice@arr", "data": [*events, "odd"]}, BINANCE)
    assert frame.marks == {"BTC": Decimal("62310.5"), "PEPE": Decimal("0.00001")}
    assert (frame.malformed, frame.liquidations) == (0, ())


def test_bybit_side_is_the_position_s_and_every_row_of_a_frame_is_read() -> None:
    (event,) = bybit.parse(BYBIT_DOCUMENTED, BYBIT).liquidations
    assert (event.position_side, event.notional_usd, event.symbol) == (Direction.SHORT, Decimal("899.8"), "ROSE/USDT:USDT")
    frame = bybit.parse_payload(bybit_frame({}, {"S": "Sell"}, {"v": "3"}), BYBIT)
    assert [row.position_side for row in frame.liquidations] == [Direction.LONG, Direction.SHORT, Direction.LONG]


def test_one_bad_row_never_drops_its_neighbours() -> None:
    frame = bybit.parse_payload(bybit_frame({"v": "1"}, {"v": "nonsense"}, {"v": "2"}), BYBIT)
    assert [row.quantity_base for row in frame.liquidations] == [1, 2]
    assert (frame.malformed, "nonsense" in frame.sample) == (1, True)
    frame = okx.parse_payload(okx_frame({"sz": "1"}, {"sz": None}, "odd", {"sz": "2"}), OKX)
    assert [row.quantity_base for row in frame.liquidations] == [Decimal("0.01"), Decimal("0.02")]
    assert frame.malformed == 2


def test_equal_rows_of_one_frame_are_two_events() -> None:
    frame = bybit.parse_payload(bybit_frame({}, {"v": "3"}, {}, {}), BYBIT)
    assert [row.occurrence for row in frame.liquidations] == [0, 0, 1, 2]


def test_okx_sizes_are_contracts_and_all_details_are_read() -> None:
    (event,) = okx.parse(OKX_DOCUMENTED, OKX).liquidations
    assert (event.symbol, event.quantity_base, event.position_side) == ("BTC/USDT:USDT", Decimal("0.13"), Direction.LONG)
    assert event.notional_usd == Decimal("8343.803")
    assert len(okx.parse_payload(okx_frame({}, {"ts": str(T + 1)}, {"posSide": "short", "side": "buy"}), OKX).liquidations) == 3


@pytest.mark.parametrize(
    ("position_side", "side", "expected"),
    [("long", "sell", "LONG"), ("short", "buy", "SHORT"), ("net", "sell", "LONG"), ("net", "buy", "SHORT"), ("long", "buy", "LONG")],
)
def test_okx_position_side_decides_and_where_it_is_net_the_order_side_does(position_side: str, side: str, expected: str) -> None:
    (event,) = okx.parse_payload(okx_frame({"posSide": position_side, "side": side}), OKX).liquidations
    assert event.position_side == expected


def test_inverse_and_unknown_contracts_are_dropped_and_counted_never_guessed() -> None:
    assert okx.parse_payload(okx_frame({}, {}, symbol="BTC-USD-SWAP"), OKX).dropped == {"inverse": 2}
    assert okx.parse_payload(okx_frame({}, symbol="NEW-USDT-SWAP"), OKX).dropped == {"unknown_contract": 1}
    assert okx.parse_payload(okx_frame({}), of_rows(Venue.OKX, [])).dropped == {"unknown_contract": 1}
    assert bybit.parse_payload(bybit_frame({"s": "BTCUSD"}), BYBIT).dropped == {"inverse": 1}
    for symbol in ("BTCUSDT_261225", "BTCBUSD", "ETHBTC", "BTCDOMUSDT", "USDCUSDT"):
        assert binance.parse_payload(force_order(s=symbol), BINANCE).dropped == {"unknown_contract": 1}, symbol
    known = Contracts({"BTCUSDT": BINANCE.find("BTCUSDT")})  # type: ignore[dict-item]  # BTCUSDT is found
    assert binance.parse_payload(force_order(s="ETHUSDT"), known).dropped == {"unknown_contract": 1}


def test_multiplied_contracts_become_coins_of_the_asset_and_the_dollars_stay() -> None:
    (event,) = binance.parse_payload(force_order(s="1000PEPEUSDT", ap="0.0123", z="5000"), BINANCE).liquidations
    assert (event.symbol, event.asset) == ("1000PEPE/USDT:USDT", "PEPE")
    assert (event.price, event.quantity_base, event.notional_usd) == (Decimal("0.0000123"), Decimal(5_000_000), Decimal("61.5"))


@pytest.mark.parametrize(
    ("venue", "name", "symbol", "asset", "multiplier"),
    [
        (Venue.BINANCE, "10000SATSUSDT", "10000SATS/USDT:USDT", "SATS", 10_000),
        (Venue.BINANCE, "1000000MOGUSDT", "1000000MOG/USDT:USDT", "MOG", 1_000_000),
        (Venue.BINANCE, "1MBABYDOGEUSDT", "1MBABYDOGE/USDT:USDT", "BABYDOGE", 1_000_000),
        (Venue.BINANCE, "1INCHUSDT", "1INCH/USDT:USDT", "1INCH", 1),
        (Venue.BINANCE, "BTCUSDC", "BTC/USDC:USDC", "BTC", 1),
        (Venue.BYBIT, "SHIB1000USDT", "SHIB1000/USDT:USDT", "SHIB", 1000),
        (Venue.BYBIT, "1000000BABYDOGEUSDT", "1000000BABYDOGE/USDT:USDT", "BABYDOGE", 1_000_000),
        (Venue.BYBIT, "BTCPERP", "BTC/USDC:USDC", "BTC", 1),
    ],
)
def test_names_are_read_before_there_are_market_rows(venue: Venue, name: str, symbol: str, asset: str, multiplier: int) -> None:
    contract = of_rows(venue, []).find(name)
    assert contract is not None
    assert (contract.symbol, contract.asset, contract.multiplier) == (symbol, asset, Decimal(multiplier))


@pytest.mark.parametrize("name", ["", "USDT", "USDC", "btcusdt", "BTCUSD", "BTCPERP", "BTC-USDT-SWAP", "BTCUSDT-27NOV26"])
def test_other_names_are_no_binance_contract(name: str) -> None:
    assert of_rows(Venue.BINANCE, []).find(name) is None


def test_a_contract_size_of_a_recording_must_be_a_positive_number() -> None:
    assert okx_contract("BTC-USD-SWAP", Decimal(100)) is None
    with pytest.raises(ValueError, match="out of range"):
        of_recording(Venue.OKX, {"BTC-USDT-SWAP": {"contract_size": 0}})


def test_answers_of_the_venues_are_control_frames_and_a_refusal_is_told() -> None:
    assert okx.parse(b"pong", OKX).is_control
    assert okx.parse('{"event":"subscribe","arg":{"channel":"liquidation-orders"},"connId":"a"}', OKX).refused == ""
    assert okx.parse('{"event":"error","code":"60012","msg":"Invalid request"}', OKX).refused == "Invalid request"
    assert bybit.parse('{"success":true,"ret_msg":"pong","conn_id":"0970e817","op":"ping"}', BYBIT).is_control
    refused = bybit.parse('{"success":false,"ret_msg":"error:handler not found,topic:x","req_id":"3","op":"subscribe"}', BYBIT)
    assert (refused.is_control, refused.refused, refused.request_id) == (True, "error:handler not found,topic:x", "3")
    assert binance.parse('{"result":null,"id":1}', BINANCE).is_control
    assert binance.parse('{"error":{"code":2,"msg":"Invalid request"},"id":1}', BINANCE).refused == "Invalid request"


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", "null", "[]", "3", '"pong"x', "{}", '{"data":{}}', '{"e":"trade"}', "[" * 900 + "]" * 900])
def test_a_frame_that_is_not_understood_is_refused_with_a_sample(raw: bytes | str) -> None:
    for parser, contracts in ((binance, BINANCE), (bybit, BYBIT), (okx, OKX)):
        with pytest.raises(MalformedFrame) as caught:
            parser.parse(raw, contracts)
        assert len(caught.value.sample) <= 1000
