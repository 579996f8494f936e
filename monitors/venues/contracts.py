"""Which contract does a venue's symbol name? From the market rows, or, before there are any, from the name alone."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from monitors.market import Contract, Venue
from monitors.venues.wire import positive

# Bases that are a dollar or an index and not an asset whose price moves by itself.
STABLECOINS = frozenset(["USDT", "USDC", "BUSD", "TUSD", "FDUSD", "USDP", "USDE", "USDD", "USD1", "DAI", "PYUSD", "RLUSD", "XUSD", "BFUSD", "EURI", "EUR"])
INDICES = frozenset({"BTCDOM", "DEFI", "FOOTBALL", "BLUEBIRD"})
NOT_ASSETS = STABLECOINS | INDICES

LONGEST_NAME = 36  # characters of a venue's symbol; what is longer would not fit the database

# 1000PEPE, 10000SATS, 1000000MOG count 10^n coins; 1MBABYDOGE a million; SHIB1000 is Bybit's older spelling. 1INCH is a coin of its own.
_LEADING_ZEROS = re.compile(r"(10{3,8})([^\W\d_]\w*)")
_LEADING_MILLION = re.compile(r"1M([^\W\d_]{3,})")
_TRAILING_THOUSAND = re.compile(r"([^\W\d_]{2,})1000")


@dataclass(frozen=True, slots=True)
class Contracts:
    """The contracts of one venue by its own symbols; `venue` is set while names are read because nothing is known yet."""

    known: Mapping[str, Contract] = field(default_factory=dict)
    venue: Venue | None = None

    def find(self, venue_symbol: str) -> Contract | None:
        """The contract; None when it is not known, never a guess of its size."""
        contract = self.known.get(venue_symbol)
        if contract is None and self.venue is not None:
            return parse_name(self.venue, venue_symbol)
        return contract


def of_rows(venue: Venue, rows: Iterable[Contract]) -> Contracts:
    """The lookup from market rows; without any, Binance and Bybit contracts are read from their names."""
    known = {row.venue_symbol: row for row in rows}
    return Contracts(known, None if known else venue)


def of_recording(venue: Venue, markets: Mapping[str, Any]) -> Contracts:
    """The lookup from a recording header's `markets` (its part for this venue): OKX needs the `contract_size`, the others their names.

    Raises ValueError for a size that is not a positive number.
    """
    if venue is not Venue.OKX:
        return Contracts(venue=venue)
    sized = {symbol: okx_contract(symbol, positive(facts["contract_size"])) for symbol, facts in markets.items()}
    return Contracts({symbol: contract for symbol, contract in sized.items() if contract is not None})


def okx_contract(venue_symbol: str, contract_size: Decimal) -> Contract | None:
    """`BTC-USDT-SWAP` with its size in coins; None when it is no USDT or USDC perpetual."""
    base, _, rest = venue_symbol.partition("-")
    quote = {"USDT-SWAP": "USDT", "USDC-SWAP": "USDC"}.get(rest)
    return None if quote is None or not base else Contract(Venue.OKX, venue_symbol, f"{base}/{quote}:{quote}", base, contract_size)


@lru_cache(maxsize=10_000)
def parse_name(venue: Venue, venue_symbol: str) -> Contract | None:
    """The linear USDT or USDC perpetual that a Binance or Bybit symbol names; None for dated, other quotes, stablecoins, indices and OKX.

    OKX names never do: its sizes count contracts.
    """
    if venue is Venue.OKX or len(venue_symbol) > LONGEST_NAME or not venue_symbol.isalnum() or venue_symbol != venue_symbol.upper():
        return None
    base, quote = venue_symbol[:-4], venue_symbol[-4:]
    if venue is Venue.BYBIT and quote == "PERP":
        quote = "USDC"  # BTCPERP is Bybit's USDC perpetual
    if not base or quote not in ("USDT", "USDC"):
        return None
    asset, multiplier = split_multiplier(base)
    if asset in NOT_ASSETS:
        return None
    return Contract(venue, venue_symbol, f"{base}/{quote}:{quote}", asset, Decimal(1), Decimal(multiplier))


def split_multiplier(base: str) -> tuple[str, int]:
    """`1000PEPE` -> ("PEPE", 1000): the asset and how many of its coins one of the venue's base is."""
    if match := _LEADING_ZEROS.fullmatch(base):
        return match[2], int(match[1])
    if match := _LEADING_MILLION.fullmatch(base):
        return match[1], 1_000_000
    if match := _TRAILING_THOUSAND.fullmatch(base):
        return match[1], 1000
    return base, 1
