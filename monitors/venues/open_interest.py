"""How much open interest do a venue's contracts have now? One-sided, in coins of the asset, in as few requests as the venue allows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from monitors.market import Contract, Funding, OpenInterest, Venue
from monitors.venues import funding
from monitors.venues.clients import Client, understanding
from monitors.venues.wire import ODD, PLACES, positive, timestamp_ms

Json = Mapping[str, Any]
Readings = dict[str, OpenInterest]  # by the venue's own symbol
Wanted = Mapping[str, Contract]  # the same
MOST_COINS = Decimal("1e20")  # more than any market's: a broken number
MARKS_COST = 10  # weight of Binance's premiumIndex for all symbols


def fetch_all(client: Client, wanted: Wanted, patience_s: float) -> Readings:
    """Bybit and OKX: one call for all contracts; those that the answer lacks are left out. Raises MarketDataError."""
    if client.venue is Venue.BYBIT:
        answer, read = client.call("publicGetV5MarketTickers", {"category": "linear"}, patience_s=patience_s), read_bybit
    else:
        answer, read = client.call("publicGetPublicOpenInterest", {"instType": "SWAP"}, patience_s=patience_s), read_okx
    with understanding(client.venue):
        return read(answer, wanted)


@dataclass(frozen=True, slots=True)
class Mark:
    """Binance's mark of a symbol, dollars per coin of the venue's base, with the funding rate beside it."""

    price: Decimal
    funding: Funding | None = None


def fetch_marks(client: Client, patience_s: float) -> dict[str, Mark]:
    """Binance: the mark of every symbol; raises MarketDataError."""
    answer = client.call("fapiPublicGetPremiumIndex", cost=MARKS_COST, patience_s=patience_s)
    with understanding(client.venue):
        return dict(_marks(answer))


def fetch_one(client: Client, contract: Contract, mark: Mark | None, patience_s: float, spare: int = 0) -> OpenInterest:
    """Binance: one contract, for it has no call for all; raises MarketDataError."""
    answer = client.call("fapiPublicGetOpenInterest", {"symbol": contract.venue_symbol}, spare=spare, patience_s=patience_s)
    with understanding(client.venue):
        return read_binance(answer, contract, mark)


def read_binance(answer: Json, contract: Contract, mark: Mark | None) -> OpenInterest:
    """`{"symbol":"BTCUSDT","openInterest":"10659.509","time":1589437530011}`: coins of the venue's base, one side."""
    if answer["symbol"] != contract.venue_symbol:
        raise ValueError(f"asked for {contract.venue_symbol}, got {answer['symbol']}")
    price, rate = (mark.price, mark.funding) if mark is not None else (None, None)
    return of_coins(contract, amount(answer["openInterest"]), price, timestamp_ms(answer["time"]), rate)


def read_bybit(answer: Json, wanted: Wanted) -> Readings:
    """`{"retCode":0,"result":{"list":[{"symbol":"BTCUSDT","markPrice":"16596.00","openInterest":"373504","singleOpenInterest":"186752",...}]},"time":1672376496682}`.

    `openInterest` counts both sides; `singleOpenInterest` is one (where it is absent, half).
    """
    at_ms = timestamp_ms(answer["time"])

    def read(row: Json, contract: Contract) -> OpenInterest:
        return of_coins(contract, one_side(row), _price(row.get("markPrice")), at_ms, funding.of_bybit(row))

    return _each(answer["result"]["list"], "symbol", wanted, read)


def read_okx(answer: Json, wanted: Wanted) -> Readings:
    """`{"code":"0","data":[{"instType":"SWAP","instId":"BTC-USDT-SWAP","oi":"2904321.14","oiCcy":"29043.2114","oiUsd":"1864220000","ts":"1597026383085"}]}`.

    `oi` counts contracts, `oiCcy` coins; the mark is what one coin of them is worth in `oiUsd`. The same answer
    holds inverse contracts, whose `oi` counts dollars: none of them is wanted.
    """
    return _each(answer["data"], "instId", wanted, _of_okx)


def _each(rows: Sequence[Json], name: str, wanted: Wanted, read: Callable[[Json, Contract], OpenInterest]) -> Readings:
    """Each row that is wanted; one that is malformed costs only itself, unless none is well."""
    found: Readings = {}
    problem: Exception | None = None
    for row in rows:
        contract = wanted.get(row[name])
        if contract is None:
            continue
        try:
            found[contract.venue_symbol] = read(row, contract)
        except ODD as error:
            problem = error
    if problem is not None and not found:
        raise problem
    return found


def _of_okx(row: Json, contract: Contract) -> OpenInterest:
    coins = amount(row["oiCcy"]) if row.get("oiCcy") else amount(row["oi"]) * contract.contract_size
    usd = row.get("oiUsd")
    mark = amount(usd) / coins if usd and coins else None
    return of_coins(contract, coins, mark or None, timestamp_ms(row["ts"]))


def of_coins(contract: Contract, coins: Decimal, mark: Decimal | None, at_ms: int, rate: Funding | None = None) -> OpenInterest:
    """Coins of the venue's base as coins of the asset: 1000PEPE is a thousand PEPE at a thousandth of the price."""
    price = None if mark is None else round(mark / contract.multiplier, PLACES)
    return OpenInterest(contract.venue, contract.symbol, contract.asset, round(coins * contract.multiplier, PLACES), price, at_ms, rate)


def one_side(row: Json) -> Decimal:
    """Coins of the venue's base on one side, where an answer counts both."""
    single = row.get("singleOpenInterest")
    return amount(single) if single else amount(row["openInterest"]) / 2


def _marks(answer: Any) -> Iterator[tuple[str, Mark]]:
    for row in answer:
        if price := _price(row["markPrice"]):
            yield row["symbol"], Mark(price, funding.of_binance(row))


def _price(text: Any) -> Decimal | None:
    """None for an empty price and for 0, which a contract before its first trade has."""
    return positive(text) if text and Decimal(text) else None


def amount(text: Any) -> Decimal:
    """A number of coins or dollars, 0 too; raises ValueError or an ArithmeticError."""
    amount = Decimal(str(text))
    if not 0 <= amount <= MOST_COINS:  # NaN raises
        raise ValueError(f"{text!r} is not an amount")
    return amount
