"""What has to be known to talk to each venue's liquidation feed? One table; every number is the venue's own, with its reason."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from monitors.market import Venue
from monitors.venues import binance, bybit, okx
from monitors.venues.contracts import Contracts
from monitors.venues.wire import ParsedFrame

HANDSHAKE_TIMEOUT_S = 10.0  # connect and handshake; a venue that accepts and says nothing would hang for ever
BYBIT_ARGS_LIMIT = 21_000  # characters of all args of one connection
BYBIT_ARGS_A_REQUEST = 50  # so that one refused topic does not cost all of them


class Parser(Protocol):
    """A venue's parser module."""

    def parse(self, raw: bytes | str, contracts: Contracts) -> ParsedFrame:
        """A raw frame; raises MalformedFrame."""

    def parse_payload(self, payload: Any, contracts: Contracts) -> ParsedFrame:
        """A decoded frame, as recordings hold it; raises MalformedFrame."""


@dataclass(frozen=True, slots=True)
class FeedSpec:
    """How one venue's feed is opened and kept alive; seconds.

    `proves(raw)`: whether a frame shows that the route delivers; without one for `silent_limit_s` the connection is dead.
    `is_control(raw)`: whether it looks like an answer (cheap; the parser decides). `ping` is sent every `ping_every_s`.
    """

    route: str
    proves: Callable[[bytes], bool]
    is_control: Callable[[bytes], bool]
    silent_limit_s: float
    silence: str
    ping: str = ""
    ping_every_s: float = 0.0
    subscribe: str = ""
    handshake_timeout_s: float = HANDSHAKE_TIMEOUT_S


FEEDS: Mapping[Venue, FeedSpec] = {
    Venue.BINANCE: FeedSpec(
        # The /market route: the old /ws and /stream connect, answer pings and send no force orders since 2026-04-23. Mark prices of all
        # symbols come every 3 s on the same connection and prove that the route delivers. The server pings every 3 min (the library answers)
        # and ends the connection after 24 h, an ordinary reconnect.
        route="/market/stream?streams=!forceOrder@arr/!markPrice@arr",
        proves=lambda raw: b"markPriceUpdate" in raw,
        is_control=lambda raw: b'"stream"' not in raw and (b'"result"' in raw or b'"error"' in raw),
        silent_limit_s=10,
        silence="no mark prices",
    ),
    Venue.BYBIT: FeedSpec(
        route="/v5/public/linear",
        proves=lambda raw: True,
        is_control=lambda raw: b'"op"' in raw and b'"topic"' not in raw,
        silent_limit_s=30,
        silence="neither pong nor data",
        ping='{"op":"ping"}',
        ping_every_s=20,  # the venue asks for one every 20 s
    ),
    Venue.OKX: FeedSpec(
        route="/ws/v5/public",
        proves=lambda raw: True,
        is_control=lambda raw: raw == b"pong" or b'"event"' in raw,
        silent_limit_s=30,
        silence="neither pong nor data",
        ping="ping",  # text: protocol pings do not keep OKX alive
        ping_every_s=15,  # it closes after 30 s of silence, and ours counts as well as its own; half of it leaves time for the answer
        subscribe='{"op":"subscribe","args":[{"channel":"liquidation-orders","instType":"SWAP"}]}',
    ),
}

_PARSERS: Mapping[Venue, Parser] = {Venue.BINANCE: binance, Venue.BYBIT: bybit, Venue.OKX: okx}


def parser_for(venue: Venue) -> Parser:
    """The pure parser of the venue's frames."""
    return _PARSERS[venue]


def socket_url(venue: Venue, base_url: str) -> str:
    """Where to connect: the route is appended, so a base URL with a path prefix works."""
    return base_url.rstrip("/") + FEEDS[venue].route
