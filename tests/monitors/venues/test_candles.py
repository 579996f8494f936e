"""Do the venues' documented candles become dollars, oldest first, and closed by the clock?"""

from decimal import Decimal
from typing import Any

import pytest

from monitors.market import TIMEFRAME_MS, Candle, Contract, Venue
from monitors.venues.candles import READERS, read_binance, read_bybit, read_okx

# https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Kline-Candlestick-Data
BINANCE_ANSWER = [[
    1499040000000, "0.01634790", "0.80000000", "0.01575800", "0.01577100", "148976.11427815", 1499040299999, "2434.19055334", 308,
    "1756.87402397", "28.46694368", "0",
]]  # fmt: skip
# https://bybit-exchange.github.io/docs/v5/market/kline
BYBIT_ANSWER: dict[str, Any] = {
    "retCode": 0, "retMsg": "OK",
    "result": {"symbol": "BTCUSDT", "category": "linear", "list": [
        ["1670608800000", "17071", "17073", "17027", "17055.5", "268.611", "4580000.25"],
        ["1670608500000", "17071.5", "17071.5", "17061", "17071", "4.177", "71300.5"],
    ]},
    "retExtInfo": {}, "time": 1672025956592,
}  # fmt: skip
# https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-candlesticks
OKX_ANSWER: dict[str, Any] = {"code": "0", "msg": "", "data": [
    ["1597026383085", "3.721", "3.743", "3.677", "3.708", "8422410", "22698348.04828491", "84162045.5", "0"],
    ["1597026083085", "3.731", "3.799", "3.494", "3.72", "24912403", "67632347.24399722", "250239684.8", "1"],
]}  # fmt: skip
ONE = Decimal(1)
OF = {venue: Contract(venue, "X", "X/USDT:USDT", "X", Decimal("0.01") if venue is Venue.OKX else ONE) for venue in Venue}
LATER_MS = 1_700_000_000_000


def test_binance_dollars_are_the_quote_volume() -> None:
    (candle,) = read_binance(BINANCE_ANSWER, OF[Venue.BINANCE], LATER_MS)
    assert candle == Candle(Venue.BINANCE, "X/USDT:USDT", "X", 1499040000000, 0.0163479, 0.015771, 2434.19055334, True)


def test_bybit_dollars_are_the_turnover() -> None:
    newest, older = read_bybit(BYBIT_ANSWER, OF[Venue.BYBIT], LATER_MS)
    assert (newest.opened_at_ms, newest.volume_usd, older.volume_usd) == (1670608800000, 4580000.25, 71300.5)


def test_okx_dollars_are_neither_contracts_nor_coins() -> None:
    newest, older = read_okx(OKX_ANSWER, OF[Venue.OKX], LATER_MS)
    assert (newest.volume_usd, older.volume_usd, newest.open, newest.close) == (84162045.5, 250239684.8, 3.721, 3.708)


def test_without_dollars_coins_count_at_the_typical_price() -> None:
    row = [*BINANCE_ANSWER[0][:7], "0", *BINANCE_ANSWER[0][8:]]
    (candle,) = read_binance([row], OF[Venue.BINANCE], LATER_MS)
    assert candle.volume_usd == pytest.approx(148976.11427815 * (0.8 + 0.015758 + 0.015771) / 3)


def test_a_candle_without_trades_is_zero_dollars() -> None:
    row = ["1597026083085", "3.7", "3.7", "3.7", "3.7", "0", "0", "0", "1"]
    assert read_okx({"data": [row]}, OF[Venue.OKX], LATER_MS)[0].volume_usd == 0


def test_multiplied_contracts_have_prices_of_one_coin_and_the_same_dollars() -> None:
    pepe = Contract(Venue.BINANCE, "1000PEPEUSDT", "1000PEPE/USDT:USDT", "PEPE", ONE, Decimal(1000))
    (candle,) = read_binance(BINANCE_ANSWER, pepe, LATER_MS)
    assert (candle.asset, candle.volume_usd) == ("PEPE", 2434.19055334)
    assert candle.open == pytest.approx(0.0000163479)


@pytest.mark.parametrize(("venue", "answer", "opened_at_ms"), [
    (Venue.BINANCE, BINANCE_ANSWER, 1499040000000), (Venue.BYBIT, BYBIT_ANSWER, 1670608800000), (Venue.OKX, OKX_ANSWER, 1597026383085),
])  # fmt: skip
def test_a_candle_is_closed_by_the_venues_clock_and_no_flag(venue: Venue, answer: Any, opened_at_ms: int) -> None:
    end_ms = opened_at_ms + TIMEFRAME_MS
    assert [READERS[venue](answer, OF[venue], now_ms)[0].closed for now_ms in (end_ms - 1, end_ms)] == [False, True]


@pytest.mark.parametrize("broken", [{"data": None}, {}, {"data": [["x"]]}, {"data": [["1597026083085", "-1", "1", "1", "1", "0", "0", "0", "1"]]}])
def test_what_is_not_understood_raises(broken: Any) -> None:
    with pytest.raises((ArithmeticError, LookupError, TypeError, ValueError)):
        read_okx(broken, OF[Venue.OKX], LATER_MS)
