"""Do the other venues show it by now? Before something new is told that not all of them confirm, the silent ones are asked once more.

A change that comes while the venues are scanned one after the other would else be told of some of them first, and corrected a minute
later. Until the second look nothing is stored of the assets that were put off: should the process die, the next scan judges them.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from monitors.detectors.confirmation import silent_venues
from monitors.judging import Round
from monitors.market import Signal, Venue
from monitors.models import Market
from monitors.scan import Slice
from monitors.sight import Sight
from monitors.venues.troubles import MarketDataError

log = logging.getLogger(__name__)
Markets = Mapping[str, Market]  # of one venue, by its own symbol
T = TypeVar("T")


class SecondLook:
    """What a slice may ask once more, while it has time for it: each venue once for an asset."""

    def __init__(self, piece: Slice, seen: Sight) -> None:
        self._piece, self._seen = piece, seen
        self._wanted: dict[Venue, set[str]] = defaultdict(set)
        self._asked: set[tuple[Venue, str]] = set()

    @property
    def assets(self) -> list[str]:
        """Those that are put off now."""
        return sorted(set().union(*self._wanted.values()))

    def puts_off(self, some: Round, asset: str, signals: Sequence[Signal], settled: Collection[Venue] = ()) -> bool:
        """Whether these signals of an asset wait for the second look; `settled` venues would say the same again."""
        if not some.climbs(asset) or not self._piece.second_look_s:
            return False
        silent = {venue for signal in signals for venue in silent_venues(signal) if (venue, asset) not in self._asked} - set(settled)
        for venue in silent:
            self._wanted[venue].add(asset)
        if silent:
            some.undo(asset)
        return bool(silent)

    def take(self, ask: Callable[[Venue, Markets, float], T]) -> list[tuple[Markets, T]]:
        """What the silent venues say now, each asked by `ask` in a thread; one that fails is judged by what it said before.

        Nothing is put off any more then, until it is judged again: by then a venue may be silent that was not before.
        """
        self._piece.renew()
        markets = {venue: self._markets(venue) for venue in self._wanted}
        self._asked |= {(venue, asset) for venue, assets in self._wanted.items() for asset in assets}
        self._wanted.clear()
        with ThreadPoolExecutor(max(1, len(markets))) as pool:
            answers = {venue: pool.submit(ask, venue, markets[venue], self._piece.second_look_s) for venue in markets}
        found = []
        for venue, answer in answers.items():
            try:
                found.append((markets[venue], answer.result()))
            except MarketDataError as error:
                log.info("%s: no second look", error)
        return found

    def _markets(self, venue: Venue) -> Markets:
        keys = [pk for pk, contract in self._seen.contracts.items() if contract.venue is venue and contract.asset in self._wanted[venue]]
        return {row.venue_symbol: row for row in Market.objects.filter(pk__in=keys)}


def one_by_one(markets: Markets, left_s: float, ask: Callable[[Market, float], T]) -> dict[str, T]:
    """What a venue that has no call for all says of each contract, by its symbol there; of as many as it answers within `left_s`."""
    until, found = time.monotonic() + left_s, dict[str, T]()
    for symbol, market in markets.items():
        if (left_s := until - time.monotonic()) <= 0:
            break
        try:
            found[symbol] = ask(market, left_s)
        except MarketDataError as error:
            log.info("%s: no second look at %s", error, symbol)
    return found
