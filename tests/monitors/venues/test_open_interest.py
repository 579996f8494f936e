"""Do the venues' documented answers become one-sided coins of the asset, and never contracts, both sides or dollars?"""

import json
from decimal import Decimal
from typing import Any

import pytest

from monitors.market import Contract, Funding, OpenInterest, Venue
from monitors.venues.open_interest import Mark, read_binance, read_bybit, read_okx


def contract(venue: Venue, venue_symbol: str, asset: str, size: str = "1", multiplier: int = 1) -> Contract:
    return Contract(venue, venue_symbol, f"{asset}/USDT:USDT", asset, Decimal(size), Decimal(multiplier))


BINANCE_BTC = contract(Venue.BINANCE, "BTCUSDT", "BTC")
BYBIT_BTC = contract(Venue.BYBIT, "BTCUSDT", "BTC")
OKX_BTC = contract(Venue.OKX, "BTC-USDT-SWAP", "BTC", "0.01")

# https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Open-Interest
BINANCE_ANSWER: dict[str, Any] = json.loads('{"openInterest": "10659.509", "symbol": "BTCUSDT", "time": 1589437530011}')

# https://bybit-exchange.github.io/docs/v5/market/tickers
BYBIT_ANSWER: dict[str, Any] = json.loads(
    """{"retCode": 0, "retMsg": "OK", "result": {"category": "linear", "list": [{
        "symbol": "BTCUSDT", "lastPrice": "16597.00", "indexPrice": "16598.54", "markPrice": "16596.00", "prevPrice24h": "16464.50",
        "price24hPcnt": "0.008047", "highPrice24h": "30912.50", "lowPrice24h": "15700.00", "prevPrice1h": "16595.50", "openInterest": "37350.4107",
        "openInterestValue": "619867415.97", "singleOpenInterest": "18675.20535", "turnover24h": "2352.94950046", "volume24h": "49337318",
        "fundingRate": "-0.001034", "nextFundingTime": "1672387200000", "ask1Size": "1", "bid1Price": "16596.00", "ask1Price": "16597.50", "bid1Size": "1"}]},
        "retExtInfo": {}, "time": 1672376496682}"""
)

# https://www.okx.com/docs-v5/en/#public-data-rest-api-get-open-interest
OKX_ANSWER: dict[str, Any] = json.loads(
    """{"code": "0", "msg": "", "data": [
        {"instId": "BTC-USDT-SWAP", "instType": "SWAP", "oi": "2125419", "oiCcy": "21254.19", "oiUsd": "1303594834.92", "ts": "1743041250440"},
        {"instId": "BTC-USD-SWAP", "instType": "SWAP", "oi": "5000000", "oiCcy": "555.55", "oiUsd": "50000000", "ts": "1743041250440"}]}"""
)


def test_binance_counts_coins_of_one_side() -> None:
    assert read_binance(BINANCE_ANSWER, BINANCE_BTC, Mark(Decimal("8812.5"), Funding(0.0001))) == OpenInterest(
        Venue.BINANCE, "BTC/USDT:USDT", "BTC", Decimal("10659.509"), Decimal("8812.5"), 1589437530011, Funding(0.0001)
    )


def test_binances_multiplied_symbols_are_coins_of_the_asset_at_their_price() -> None:
    pepe = contract(Venue.BINANCE, "1000PEPEUSDT", "PEPE", multiplier=1000)
    reading = read_binance({"openInterest": "5", "symbol": "1000PEPEUSDT", "time": 1589437530011}, pepe, Mark(Decimal("0.0123")))
    assert (reading.oi_base, reading.mark_price) == (Decimal(5000), Decimal("0.0000123"))


def test_an_answer_for_another_symbol_is_refused() -> None:
    with pytest.raises(ValueError):
        read_binance({**BINANCE_ANSWER, "symbol": "ETHUSDT"}, BINANCE_BTC, None)


def test_bybits_open_interest_counts_both_sides_and_the_single_one_is_taken() -> None:
    assert read_bybit(BYBIT_ANSWER, {"BTCUSDT": BYBIT_BTC}) == {
        "BTCUSDT": OpenInterest(Venue.BYBIT, "BTC/USDT:USDT", "BTC", Decimal("18675.20535"), Decimal(16596), 1672376496682, Funding(-0.001034))
    }


@pytest.mark.parametrize("absent", [None, "", "missing"])
def test_without_the_single_one_half_is_taken(absent: str | None) -> None:
    row = dict(BYBIT_ANSWER["result"]["list"][0])
    row |= {"singleOpenInterest": absent}
    if absent == "missing":
        del row["singleOpenInterest"]
    answer = {**BYBIT_ANSWER, "result": {"list": [row]}}
    assert read_bybit(answer, {"BTCUSDT": BYBIT_BTC})["BTCUSDT"].oi_base == Decimal("37350.4107") / 2


def test_what_is_not_wanted_is_left_out() -> None:
    assert read_bybit(BYBIT_ANSWER, {}) == read_okx(OKX_ANSWER, {}) == {}


def test_okx_counts_contracts_and_coins_and_only_coins_are_taken() -> None:
    reading = read_okx(OKX_ANSWER, {"BTC-USDT-SWAP": OKX_BTC})["BTC-USDT-SWAP"]
    assert (reading.oi_base, reading.occurred_at_ms) == (Decimal("21254.19"), 1743041250440)
    assert reading.mark_price == pytest.approx(Decimal("61333.55"), abs=Decimal("0.01"))


def test_the_inverse_contract_of_the_same_answer_is_left_out() -> None:
    assert set(read_okx(OKX_ANSWER, {"BTC-USDT-SWAP": OKX_BTC})) == {"BTC-USDT-SWAP"}


def test_where_okx_gives_no_coins_they_are_contracts_times_their_size() -> None:
    row = {**OKX_ANSWER["data"][0], "oiCcy": "", "oiUsd": ""}
    reading = read_okx({"data": [row]}, {"BTC-USDT-SWAP": OKX_BTC})["BTC-USDT-SWAP"]
    assert (reading.oi_base, reading.mark_price) == (Decimal("21254.19"), None)


def test_one_malformed_row_costs_only_itself_unless_none_is_well() -> None:
    good, bad = OKX_ANSWER["data"][0], {**OKX_ANSWER["data"][0], "instId": "ETH-USDT-SWAP", "oiCcy": "NaN"}
    wanted = {"BTC-USDT-SWAP": OKX_BTC, "ETH-USDT-SWAP": contract(Venue.OKX, "ETH-USDT-SWAP", "ETH", "0.1")}
    assert set(read_okx({"data": [bad, good]}, wanted)) == {"BTC-USDT-SWAP"}
    with pytest.raises(ArithmeticError):
        read_okx({"data": [bad]}, wanted)


@pytest.mark.parametrize("amount", ["-1", "Infinity", "1e30", "abc", None])
def test_amounts_that_are_none_are_refused(amount: Any) -> None:
    with pytest.raises((ArithmeticError, ValueError, TypeError)):
        read_binance({**BINANCE_ANSWER, "openInterest": amount}, BINANCE_BTC, None)


def test_a_contract_that_settles_has_none_left() -> None:
    assert read_binance({**BINANCE_ANSWER, "openInterest": "0"}, BINANCE_BTC, None).oi_base == 0
