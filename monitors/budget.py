"""May one more request go to this venue now? One budget per venue for all processes, kept in Redis; a pause stops them all."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import ceil

from django.conf import settings
from redis import Redis, RedisError

from alertsystem.broker import PAUSE, key, redis_client
from monitors.market import Venue

USUAL = ""
BURST_SHARE = 0.1  # of the budget may go at once; the rest flows evenly, so that no window of the venue's length ever holds more than the budget


class BudgetAway(Exception):
    """Redis does not answer: without the shared budget nobody asks."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What the venue allows from one address: `units` (requests or weight) in `window_s` seconds."""

    units: int
    window_s: int


# The venues' public limits. Bybit counts everything together; Binance all but its statistics; OKX each endpoint for itself.
LIMITS: Mapping[Venue, Mapping[str, Limit]] = {
    Venue.BINANCE: {USUAL: Limit(2_400, 60), "statistics": Limit(1_000, 300)},  # weight; /futures/data/*: requests
    Venue.BYBIT: {USUAL: Limit(600, 5)},
    Venue.OKX: {
        USUAL: Limit(20, 2),
        "candles": Limit(40, 2),
        "history": Limit(20, 2),
        "statistics": Limit(5, 2),
        "marks": Limit(20, 2),
        "old marks": Limit(10, 2),
    },
}  # fmt: skip

# Units of the burst that whoever may wait leaves to the scans; OKX counts what they ask for apart
SPARE: Mapping[Venue, int] = {Venue.BINANCE: 80, Venue.BYBIT: 20, Venue.OKX: 0}

# Of what may go at once, the units that long rows of requests leave to single ones: a second look, and the marks of all symbols, which cost many.
FOR_SINGLE_ONES: Mapping[Venue, int] = {Venue.BINANCE: 20, Venue.BYBIT: 10, Venue.OKX: 0}


def bucket_of(venue: Venue, bucket: str) -> str:
    """The bucket in which the venue counts; the usual one where it has none of that name."""
    return bucket if bucket in LIMITS[venue] else USUAL


@dataclass(frozen=True, slots=True)
class Turn:
    """The budget's answer: asking is allowed when `wait_s` is 0; `paused` when the venue itself told us to stay away so long."""

    wait_s: float
    paused: bool


# GCRA on the server's clock: the time at which the budget would be whole again; a request is allowed while that is no more than the burst away.
TAKE = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local pause = tonumber(redis.call('GET', KEYS[1]) or 0)
if pause > now then return {pause - now, 1} end
local interval, burst, cost, spare = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local whole = math.max(tonumber(redis.call('GET', KEYS[2]) or 0), now) + cost * interval
local wait = whole - math.max(burst - spare, cost) * interval - now
if wait > 0 then return {wait, 0} end
redis.call('SET', KEYS[2], string.format('%.0f', whole), 'PX', 600000)
return {0, 0}
"""


class Budget:
    """The budgets of all venues: `share` of each limit. Every method raises BudgetAway without a server."""

    def __init__(self, client: "Redis", share: float) -> None:
        self._share = share
        self._client = client
        self._take, self._pause = client.register_script(TAKE), client.register_script(PAUSE)

    def take(self, venue: Venue, cost: int = 1, bucket: str = USUAL, spare: int = 0) -> Turn:
        """Take `cost` units if they are there now; whoever may wait leaves `spare` units to others."""
        name = bucket_of(venue, bucket)
        interval_us, burst = self._pace(LIMITS[venue][name])
        try:
            wait_us, paused = self._take(keys=[_pause_key(venue), key("budget", venue, name)], args=[interval_us, burst, cost, spare])
        except RedisError as error:
            raise BudgetAway(type(error).__name__) from error
        return Turn(wait_us / 1_000_000, bool(paused))

    def pause(self, venue: Venue, seconds: float, why: str) -> None:
        """Nobody asks the venue for `seconds`; a longer pause in force stays, and so does its reason."""
        wait_ms = max(1, round(seconds * 1000))
        try:
            self._pause(keys=[_pause_key(venue)], args=[wait_ms])
            self._client.set(key("pause_reason", venue), why, px=wait_ms, nx=True)
        except RedisError as error:
            raise BudgetAway(type(error).__name__) from error

    def pause_reason(self, venue: Venue) -> str:
        """Why nobody asks the venue now, in the words of whoever was told; "" when that is not known."""
        try:
            found = self._client.get(key("pause_reason", venue))
        except RedisError as error:
            raise BudgetAway(type(error).__name__) from error
        return found.decode() if isinstance(found, bytes) else ""

    def per_second(self, venue: Venue, bucket: str = USUAL) -> float:
        """The pace in units a second that a long row of requests gets."""
        return 1_000_000 / self._pace(LIMITS[venue][bucket_of(venue, bucket)])[0]

    def _pace(self, limit: Limit) -> tuple[int, int]:
        """Microseconds a unit, and the units that may go at once."""
        units = limit.units * self._share
        burst = max(1, int(units * BURST_SHARE))
        return ceil(limit.window_s * 1_000_000 / max(units - burst, units / 2)), burst


@cache
def budget() -> Budget:
    """This process's access to the shared budgets, by the settings."""
    return Budget(redis_client(), settings.VENUE_BUDGET_PERCENT / 100)


def _pause_key(venue: Venue) -> str:
    return key("pause", venue)
