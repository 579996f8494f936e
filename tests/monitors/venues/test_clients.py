"""Does a process speak to each venue through one client, whoever asks first?"""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from monitors.market import Venue
from monitors.venues.clients import TIMEOUT_MS, client, client_of


@pytest.mark.parametrize("venue", list(Venue))
def test_threads_that_ask_first_together_get_one_client(venue: Venue) -> None:
    client_of.cache_clear()
    together = Barrier(4)

    def ask(_: int) -> Any:
        together.wait(20)
        return client(venue)

    with ThreadPoolExecutor(4) as pool:
        found = {id(each) for each in pool.map(ask, range(4))}
    assert len(found) == 1
    assert client(venue)._exchange.timeout == TIMEOUT_MS
    assert not client(venue)._exchange.enableRateLimit, "the budget of all processes paces, not each instance"


def test_ccxt_retries_nothing_by_itself() -> None:
    assert all(not client(venue)._exchange.options.get("maxRetriesOnFailure") for venue in Venue)
