"""What is watched now? The rules, contracts and assets in force, as one value that a running process exchanges whole."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from monitors import selectors
from monitors.market import Venue
from monitors.thresholds import Rulebook
from monitors.venues.contracts import Contracts


@dataclass(frozen=True, slots=True)
class Watch:
    """`assets` in their order (most turnover first), `listing` the venues of each asset as far as contracts are known."""

    rulebook: Rulebook
    contracts: Mapping[Venue, Contracts]
    assets: Mapping[str, None]
    listing: Mapping[str, frozenset[Venue]]

    def listed_on(self, live: Collection[Venue]) -> Callable[[str], int]:
        """How many of the `live` venues list an asset, at least one. A venue whose contracts are not known yet is taken to list it."""
        unknown = self._unknown()

        def count(asset: str) -> int:
            return max(1, len((self.listing.get(asset, frozenset()) | unknown) & set(live)))

        return count

    def missing(self, live: Collection[Venue]) -> Callable[[str], tuple[Venue, ...]]:
        """The venues that list an asset, or perhaps do, and are blind now: they could not confirm what they do not see."""
        unknown = self._unknown()
        return lambda asset: tuple(venue for venue in Venue if (venue in unknown or venue in self.listing.get(asset, ())) and venue not in live)

    def _unknown(self) -> frozenset[Venue]:
        return frozenset(venue for venue, contracts in self.contracts.items() if not contracts.known)


class WatchReader:
    """Reads the database; contracts, the larger part, only when they were refreshed."""

    def __init__(self) -> None:
        self._version: object = None
        self._contracts: Mapping[Venue, Contracts] = {}
        self._listing: Mapping[str, frozenset[Venue]] = {}

    def read(self) -> Watch:
        """What is in force now; raises DatabaseError."""
        version = selectors.markets_version()
        if version != self._version:
            self._contracts, self._listing = selectors.contracts(), selectors.venues_of_assets()
            self._version = version
        return Watch(selectors.rulebook(), self._contracts, dict.fromkeys(selectors.watched_assets()), self._listing)
