"""Which topics does Bybit have to be asked for? One for each contract of a watched asset, split under the venue's limit."""

from collections.abc import Iterable, Sequence

from monitors.venues.bybit import TOPIC
from monitors.venues.contracts import Contracts, parse_name
from monitors.venues.registry import BYBIT_ARGS_LIMIT


def topics_of(assets: Iterable[str], contracts: Contracts) -> list[str]:
    """The topics of the assets' contracts, in the assets' order; while no contract is known, of the USDT perpetual that each would have."""
    by_asset: dict[str, list[str]] = {}
    for contract in contracts.known.values():
        by_asset.setdefault(contract.asset, []).append(contract.venue_symbol)
    if contracts.venue is not None:
        by_asset = {asset: [f"{asset}USDT"] for asset in assets if parse_name(contracts.venue, f"{asset}USDT")}
    return [f"{TOPIC}{symbol}" for asset in assets for symbol in sorted(by_asset.get(asset, []))]


def split(topics: Sequence[str], limit: int = BYBIT_ARGS_LIMIT) -> list[tuple[str, ...]]:
    """The topics of each connection, at least one connection; `limit` is characters of the topics as a JSON array."""
    parts: list[list[str]] = [[]]
    length = 2  # the brackets
    for topic in topics:
        if parts[-1] and length + len(topic) + 3 > limit:
            parts.append([])
            length = 2
        parts[-1].append(topic)
        length += len(topic) + 3  # quotes and a comma
    return [tuple(part) for part in parts]
