"""Which answer belongs to a REST request? The venues' own answers are beside."""

from collections.abc import Mapping
from typing import Any

from tests.fakes import venue_rest_binance, venue_rest_bybit, venue_rest_history, venue_rest_marks, venue_rest_okx
from tests.fakes.venue_markets import BINANCE, BYBIT, OKX, Markets
from tests.fakes.venue_rest_common import Answer, Query, UnknownSymbol

PRESENT: Mapping[str, Mapping[str, Answer]] = {BINANCE: venue_rest_binance.ANSWERS, BYBIT: venue_rest_bybit.ANSWERS, OKX: venue_rest_okx.ANSWERS}
ANSWERS: Mapping[str, Mapping[str, Answer]] = {
    venue: {**PRESENT[venue], **venue_rest_history.ANSWERS[venue], **venue_rest_marks.ANSWERS[venue]} for venue in PRESENT
}
UNKNOWN = {BINANCE: venue_rest_binance.unknown, BYBIT: venue_rest_bybit.unknown, OKX: venue_rest_okx.unknown}


def answer(venue: str, markets: Markets, path: str, query: Query) -> tuple[int, Any] | None:
    """Status and body for a request; None when the venue has nothing at the path. A path prefix is accepted."""
    found = next((answer for known, answer in ANSWERS[venue].items() if path.endswith(known)), None)
    if found is None:
        return None
    try:
        return 200, found(markets, query)
    except UnknownSymbol:
        return UNKNOWN[venue]()
    except venue_rest_history.Refused as refused:
        return refused.answer
