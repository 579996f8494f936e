"""What can go wrong when a venue is asked? Each trouble with the name by which it is counted."""

from enum import StrEnum

from monitors.market import Venue


class Trouble(StrEnum):
    """Why an answer is missing, in the words of the status pages."""

    LIMIT = "limit reached"
    MAINTENANCE = "maintenance"
    TIME_OUT = "time-out"
    NETWORK = "network error"
    MALFORMED = "malformed answer"
    REFUSED = "refused"  # this one request: a contract that is gone
    NO_TIME = "no time left"
    NO_BUDGET = "no budget: Redis is away"


PASSING = frozenset({Trouble.REFUSED, Trouble.MALFORMED})  # of one contract: the others are asked all the same


class MarketDataError(Exception):
    """The venue did not answer, or not in a way that is understood; the text is one clear line."""

    def __init__(self, venue: Venue, trouble: Trouble, text: str) -> None:
        super().__init__(f"{venue.title} over REST: {text}")
        self.venue, self.trouble = venue, trouble


class LimitReached(MarketDataError):
    """The venue wants to be left alone for `pause_s`; `begun`: not told just now, the pause is in force already."""

    def __init__(self, venue: Venue, text: str, pause_s: float, begun: bool = False) -> None:
        super().__init__(venue, Trouble.LIMIT, f"{text}; nobody asks it for {pause_s:.0f} s")
        self.why, self.pause_s, self.begun = text, pause_s, begun


class NoTime(MarketDataError):
    """The budget has no room before the caller has to be done."""

    def __init__(self, venue: Venue, text: str) -> None:
        super().__init__(venue, Trouble.NO_TIME, text)
