"""Does ccxt read the fake venues as it reads the real ones?"""

import re
from collections.abc import Iterator
from typing import Any

import ccxt
import pytest
import requests

from tests.fakes.venues import FakeVenues

OPTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "binance": ("binanceusdm", {}),
    "bybit": ("bybit", {"fetchMarkets": {"types": ["linear"]}}),
    "okx": ("okx", {"defaultType": "swap", "fetchMarkets": {"types": ["swap"]}}),
}


@pytest.fixture(scope="module")
def running() -> Iterator[FakeVenues]:
    with FakeVenues() as venues:
        yield venues


@pytest.fixture
def venues(running: FakeVenues) -> FakeVenues:
    for server in running.servers.values():
        server.faults.clear()
        server.requests.clear()
    return running


def client(venues: FakeVenues, venue: str) -> Any:
    """The real ccxt with its addresses replaced, keeping each path."""
    name, options = OPTIONS[venue]
    opened = getattr(ccxt, name)({"options": options, "enableRateLimit": False, "timeout": 2000})
    here = venues.env[f"{venue.upper()}_REST_URL"]

    def replaced(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: replaced(item) for key, item in value.items()}
        return re.sub(r"^https?://[^/]+", here, value)

    opened.urls["api"] = replaced(opened.urls["api"])
    opened.hostname = here.removeprefix("http://")
    return opened


@pytest.mark.parametrize("venue", ["binance", "bybit", "okx"])
def test_ccxt_loads_the_markets_and_the_tickers(venues: FakeVenues, venue: str) -> None:
    opened = client(venues, venue)
    markets = opened.load_markets()
    assert len(markets) > 30
    bitcoin = markets["BTC/USDT:USDT"]
    assert (bitcoin["linear"], bitcoin["active"], bitcoin["contractSize"]) == (True, True, 0.01 if venue == "okx" else 1)
    assert markets["BTC/USDC:USDC"]["quote"] == "USDC"
    ticker = opened.fetch_tickers()["BTC/USDT:USDT"]
    assert ticker["last"] == 64183
    turnover = ticker["quoteVolume"] if venue != "okx" else float(ticker["info"]["volCcy24h"]) * ticker["last"]
    assert turnover == pytest.approx({"binance": 12.5e9, "bybit": 6.25e9, "okx": 12.5e9 / 3}[venue])


def test_the_traps_are_listed(venues: FakeVenues) -> None:
    binance, bybit, okx = (client(venues, venue).load_markets() for venue in ("binance", "bybit", "okx"))
    inverse = okx["BTC/USD:BTC"]
    assert (inverse["inverse"], inverse["contractSize"], inverse["info"]["ctValCcy"]) == (True, 100, "USD")
    assert okx["XAU/USDT:USDT"]["info"]["instCategory"] == "4"
    assert binance["SRM/USDT:USDT"]["info"]["status"] == "SETTLING"
    assert [binance[f"{base}/USDT:USDT"]["info"]["underlyingType"] for base in ("XAU", "TSLA", "BTCDOM", "SPCX", "USDC")] == [
        "COMMODITY", "EQUITY", "INDEX", "PREMARKET", "COIN",
    ]  # fmt: skip
    assert binance["BTC/USDT:USDT-261225"]["info"]["contractType"] == "CURRENT_QUARTER"
    assert bybit["BTC/USDT:USDT-261225"]["info"]["contractType"] == "LinearFutures"
    assert bybit["NVDA/USDT:USDT"]["info"]["symbolType"] == "stock"
    assert (binance["1000PEPE/USDT:USDT"]["id"], bybit["SHIB1000/USDT:USDT"]["id"], okx["PEPE/USDT:USDT"]["contractSize"]) == (
        "1000PEPEUSDT", "SHIB1000USDT", 10_000_000,
    )  # fmt: skip


@pytest.mark.parametrize(("venue", "coins"), [("binance", 100_000), ("bybit", 200_000), ("okx", 10_000_000)])
def test_open_interest_is_in_each_venues_unit(venues: FakeVenues, venue: str, coins: float) -> None:
    """Binance coins, Bybit both sides (ccxt asks for the last full hour's, which moves a little), OKX contracts of 0.01."""
    venues.set_open_interest("BTC", "100000")
    assert client(venues, venue).fetch_open_interest("BTC/USDT:USDT")["openInterestAmount"] == pytest.approx(coins, rel=0.002)


@pytest.mark.parametrize("venue", ["binance", "bybit", "okx"])
def test_candles_come_oldest_first_and_the_newest_is_unfinished(venues: FakeVenues, venue: str) -> None:
    opened = client(venues, venue)
    candles = opened.fetch_ohlcv("SOL/USDT:USDT", "5m", limit=10)
    times = [candle[0] for candle in candles]
    assert [later - earlier for earlier, later in zip(times, times[1:], strict=False)] == [300_000] * 9
    assert times[-1] + 300_000 > opened.milliseconds()
    assert candles[0][5] == pytest.approx({"binance": 1, "bybit": 1 / 2, "okx": 1 / 3}[venue] * 2.9e9 / 78.43 / 288, rel=0.21)


def test_marks_follow_the_price(venues: FakeVenues) -> None:
    venues.set_price("WIF", "0.25")
    assert client(venues, "okx").fetch_mark_price("WIF/USDT:USDT")["markPrice"] == 0.25
    assert client(venues, "binance").fetch_funding_rates()["WIF/USDT:USDT"]["markPrice"] == 0.25


def test_limits_are_answered_on_request(venues: FakeVenues) -> None:
    venues.rest_answers("binance", 429, {"code": -1003, "msg": "Too many requests"}, {"Retry-After": "7"}, path="exchangeInfo")
    opened = client(venues, "binance")
    with pytest.raises(ccxt.DDoSProtection):
        opened.load_markets()
    assert opened.last_response_headers["Retry-After"] == "7"
    opened.load_markets()
    venues.rest_answers("binance", 418, "", times=2)
    with pytest.raises(ccxt.DDoSProtection):
        opened.fetch_tickers()
    venues.rest_answers("okx", 200, {"code": "50011", "msg": "Too Many Requests", "data": []})
    with pytest.raises(ccxt.RateLimitExceeded):
        client(venues, "okx").load_markets()
    assert [request.answered for request in venues.requests("binance", "exchangeInfo")] == [429, 200]


def test_a_hanging_answer_times_out(venues: FakeVenues) -> None:
    opened = client(venues, "bybit")
    opened.timeout = 300
    venues.rest_hangs("bybit", 2)
    with pytest.raises(ccxt.RequestTimeout):
        opened.fetch_time()
    assert venues.requests("bybit")[0].answered == 0


def test_an_unknown_symbol_is_refused(venues: FakeVenues) -> None:
    answer = requests.get(f"{venues.env['BINANCE_REST_URL']}/fapi/v1/openInterest", {"symbol": "NOPE"}, timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (400, -1121)
