"""What do the fake venues list? One table of assets, and the contracts that must not be taken for coins."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal

BINANCE, BYBIT, OKX = VENUES = ("binance", "bybit", "okx")

MINUTE_MS = 60_000
Ohlc = tuple[Decimal, Decimal, Decimal, Decimal]


@dataclass(frozen=True)
class Listing:
    """One contract of a venue.

    `price` and `open_interest` (one side) are for one coin of `base`, which is `multiplier` coins of `asset`;
    `turnover_usd` is that of 24 h. `contract_size` is OKX's ctVal. `kind` is what the venue says it is:
    coin, index, commodity, stock or premarket; `term` perpetual or dated.
    """

    venue: str
    symbol: str
    asset: str
    base: str
    quote: str
    price: Decimal
    turnover_usd: Decimal
    open_interest: Decimal
    multiplier: int = 1
    contract_size: str = "1"
    kind: str = "coin"
    term: str = "perpetual"
    trading: bool = True
    inverse: bool = False
    listed_ms: int = 1_600_000_000_000


# asset, price, turnover of 24 h in millions (Binance; Bybit half, OKX a third), OKX ctVal, symbols that differ
_ASSETS = """
BTC    64183     12500  0.01
ETH    1800.5    9800   0.1
SOL    78.43     2900   1
XRP    1.112     1400   100
DOGE   0.0754    900    1000
BNB    571.2     620    0.01
ADA    0.2415    310    100
AVAX   9.31      260    1
LINK   8.42      280    1
SUI    0.982     450    1
LTC    51.7      190    1
BCH    242.5     150    0.1
DOT    1.42      110    1
UNI    3.51      120    1
AAVE   96.4      170    0.1
TRX    0.2871    140    1000
TON    1.61      95     1
NEAR   1.31      130    10
APT    1.17      90     1
ARB    0.1212    105    10
OP     0.1705    70     1
FIL    0.921     60     0.1
HBAR   0.0813    75     100
ENA    0.1504    210    10
WIF    0.2113    160    1
ONDO   0.2904    80     10
1INCH  0.1011    15     1
PEPE   0.0000031 330    10000000 1000PEPEUSDT 1000PEPEUSDT 1000
SHIB   0.0000059 85     1000000  1000SHIBUSDT SHIB1000USDT 1000
BONK   0.0000062 65     100000   1000BONKUSDT 1000BONKUSDT 1000
"""


@dataclass
class Markets:
    """The listings of all venues; prices and open interest may move while the fakes run."""

    listings: list[Listing] = field(default_factory=lambda: [*_universe(), *_usdc(), *_traps()])
    pushes: dict[tuple[str, str, int], Decimal] = field(default_factory=dict)
    past_prices: dict[tuple[str, str], list[tuple[int, Decimal]]] = field(default_factory=dict)
    mark_candles: dict[tuple[str, str, int], Ohlc | None] = field(default_factory=dict)

    def of(self, venue: str) -> list[Listing]:
        """Everything a venue lists."""
        return [listing for listing in self.listings if listing.venue == venue]

    def find(self, venue: str, symbol: str) -> Listing | None:
        """One listing, None when the venue does not have it."""
        return next((listing for listing in self.listings if (listing.venue, listing.symbol) == (venue, symbol)), None)

    def add(self, listing: Listing) -> None:
        """List one more; a listing of the same venue and symbol is replaced."""
        self.listings = [old for old in self.listings if (old.venue, old.symbol) != (listing.venue, listing.symbol)] + [listing]

    def set_price(self, asset: str, price: Decimal, venue: str = "") -> None:
        """Move the price (dollars per coin of the asset) on one venue, or on all."""
        now_ms = int(time.time() * 1000)
        for old in self.listings:
            if old.asset == asset and venue in ("", old.venue):
                self.past_prices.setdefault((old.venue, old.symbol), [(0, old.price)]).append((now_ms, price * old.multiplier))
        self._change(asset, venue, lambda old: replace(old, price=price * old.multiplier))

    def set_mark_candle(self, asset: str, opened_at_ms: int, ohlc: Ohlc | None, venue: str = "") -> None:
        """Let the mark price candle of a minute be this (dollars per coin of the asset), or missing, on one venue or on all."""
        self.mark_candles |= {(asset, each, opened_at_ms): ohlc for each in VENUES if venue in ("", each)}

    def mark_candle(self, listing: Listing, opened_at_ms: int) -> Ohlc | None:
        """Open, high, low, close of a minute in dollars per coin of the contract's base: as set, else as the price went."""
        key = (listing.asset, listing.venue, opened_at_ms)
        if key in self.mark_candles:
            ohlc = self.mark_candles[key]
            return ohlc and tuple(price * listing.multiplier for price in ohlc)  # type: ignore[return-value]  # four of them
        past = self.past_prices.get((listing.venue, listing.symbol), [(0, listing.price)])
        before = [price for at, price in past if at <= opened_at_ms][-1]
        prices = [before, *(price for at, price in past if opened_at_ms < at < opened_at_ms + MINUTE_MS)]
        return prices[0], max(prices), min(prices), prices[-1]

    def set_open_interest(self, asset: str, coins: Decimal, venue: str = "") -> None:
        """Set the open interest, one side, in coins of the asset, of each contract of the asset."""
        self._change(asset, venue, lambda old: replace(old, open_interest=coins / old.multiplier))

    def push_volume(self, asset: str, times: Decimal, opened_at_ms: int, venue: str = "") -> None:
        """Let the candle that opens at `opened_at_ms` have so many times its usual dollars, on one venue or on all."""
        self.pushes |= {(asset, each, opened_at_ms): times for each in VENUES if venue in ("", each)}

    def pushed(self, listing: Listing, opened_at_ms: int) -> Decimal:
        """By what a candle's usual dollars are multiplied."""
        return self.pushes.get((listing.asset, listing.venue, opened_at_ms), Decimal(1))

    def add_assets(self, count: int) -> None:
        """List so many more assets, AAA, AAB..., on all venues, with ever less turnover."""
        for number in range(count):
            asset = "".join(chr(65 + number // power % 26) for power in (676, 26, 1)) + "X"
            listings = _three(asset, Decimal("1.5"), Decimal(200_000_000) / (number + 10), "1", f"{asset}USDT", f"{asset}USDT", 1)
            self.listings += [replace(listing, open_interest=Decimal(20_000_000)) for listing in listings]

    def _change(self, asset: str, venue: str, change: Callable[[Listing], Listing]) -> None:
        self.listings = [change(old) if old.asset == asset and venue in ("", old.venue) else old for old in self.listings]


def _universe() -> Iterator[Listing]:
    for line in _ASSETS.split("\n"):
        if line:
            asset, price, turnover, contract_size, *other = line.split()
            binance, bybit, times = other or (f"{asset}USDT", f"{asset}USDT", "1")
            yield from _three(asset, Decimal(price), Decimal(turnover) * 1_000_000, contract_size, binance, bybit, int(times))


def _three(asset: str, price: Decimal, turnover_usd: Decimal, contract_size: str, binance: str, bybit: str, times: int) -> Iterable[Listing]:
    usual = Listing(BINANCE, binance, asset, binance.removesuffix("USDT"), "USDT", price * times, turnover_usd, _coins(turnover_usd, price * times), times)
    yield usual
    yield replace(usual, venue=BYBIT, symbol=bybit, base=bybit.removesuffix("USDT"), turnover_usd=turnover_usd / 2, open_interest=usual.open_interest / 2)
    third = turnover_usd / 3
    yield Listing(OKX, f"{asset}-USDT-SWAP", asset, asset, "USDT", price, third, _coins(third, price), contract_size=contract_size)


def _usdc() -> Iterable[Listing]:
    for asset, price, turnover_usd, contract_size in (("BTC", "64180", 900_000_000, "0.0001"), ("ETH", "1800.4", 500_000_000, "0.001")):
        usual = Listing(BINANCE, f"{asset}USDC", asset, asset, "USDC", Decimal(price), Decimal(turnover_usd), _coins(Decimal(turnover_usd), Decimal(price)))
        yield usual
        yield replace(usual, venue=BYBIT, symbol=f"{asset}PERP", turnover_usd=usual.turnover_usd / 9)
        yield replace(usual, venue=OKX, symbol=f"{asset}-USDC-SWAP", turnover_usd=usual.turnover_usd / 9, contract_size=contract_size)


def _traps() -> Iterable[Listing]:
    """Contracts that are listed and must not be watched, and one ticker that is two coins."""

    def trap(venue: str, symbol: str, base: str, price: str, turnover: int, **more: object) -> Listing:
        dollars = Decimal(turnover) * 1_000_000
        listing = Listing(venue, symbol, base, base, "USDT", Decimal(price), dollars, _coins(dollars, Decimal(price)))
        return replace(listing, **more)  # type: ignore[arg-type]

    yield trap(OKX, "BTC-USD-SWAP", "BTC", "64190", 800, quote="USD", contract_size="100", inverse=True)
    yield trap(OKX, "ETH-USD-SWAP", "ETH", "1800.9", 300, quote="USD", contract_size="10", inverse=True)
    yield trap(OKX, "XAU-USDT-SWAP", "XAU", "4105.2", 400, contract_size="0.001", kind="commodity")
    yield trap(OKX, "USDC-USDT-SWAP", "USDC", "0.9998", 60, contract_size="10")
    yield trap(OKX, "LUNA-USDT-SWAP", "LUNA", "0.07", 9, trading=False)
    yield trap(BINANCE, "SRMUSDT", "SRM", "0.02", 0, trading=False)
    yield trap(BINANCE, "XAUUSDT", "XAU", "4105.1", 2_500, kind="commodity")
    yield trap(BINANCE, "TSLAUSDT", "TSLA", "391.4", 700, kind="stock")
    yield trap(BINANCE, "BTCDOMUSDT", "BTCDOM", "5104.3", 90, kind="index")
    yield trap(BINANCE, "SPCXUSDT", "SPCX", "412", 120, kind="premarket")
    yield trap(BINANCE, "USDCUSDT", "USDC", "0.9999", 300)
    yield trap(BINANCE, "BTCUSDT_261225", "BTC", "64410", 85, term="dated")
    yield trap(BYBIT, "BTCUSDT-25DEC26", "BTC", "64395", 40, term="dated")
    yield trap(BYBIT, "XAUUSDT", "XAU", "4104.9", 350, kind="commodity")
    yield trap(BYBIT, "NVDAUSDT", "NVDA", "171.3", 210, kind="stock")
    yield trap(BYBIT, "USDEUSDT", "USDE", "0.9995", 45)
    yield trap(BINANCE, "BEAMUSDT", "BEAM", "0.0031", 12)
    yield trap(BYBIT, "BEAMUSDT", "BEAM", "0.0202", 7)


def _coins(dollars: Decimal, price: Decimal) -> Decimal:
    return (dollars / 2 / price).quantize(Decimal("0.001"))
