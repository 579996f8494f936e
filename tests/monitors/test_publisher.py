"""Hints: each waiting one once, alike ones apart, the last of them too."""

import threading
import time
from collections.abc import Iterator

import pytest

from monitors.publisher import APART_S, Hint, HintPublisher
from tests.harness import wait_until

BTC, ETH = ("decide", ("BTC:long",), 6), ("decide", ("ETH:long",), 6)


class Published:
    """What was published and when, seconds."""

    def __init__(self) -> None:
        self.hints: list[tuple[Hint, float]] = []
        self.publisher = HintPublisher(lambda hint: self.hints.append((hint, time.monotonic())))
        self.publisher.start()

    def add(self, hint: Hint) -> None:
        self.publisher.add(hint[0], *hint[1], priority=hint[2])

    def times(self, hint: Hint) -> list[float]:
        return [at for found, at in self.hints if found == hint]


@pytest.fixture
def published() -> Iterator[Published]:
    found = Published()
    yield found
    found.publisher.stop(5)


def test_alike_hints_are_apart_and_the_last_one_is_not_lost(published: Published) -> None:
    asked = 0
    until = time.monotonic() + 10 * APART_S
    while time.monotonic() < until:
        published.add(BTC)
        asked += 1
    last = time.monotonic()
    wait_until(lambda: published.times(BTC)[-1] >= last)
    times = published.times(BTC)
    assert asked > len(times) > 1
    assert all(after - before >= APART_S * 0.9 for before, after in zip(times, times[1:], strict=False))


def test_another_hint_does_not_wait_for_those(published: Published) -> None:
    published.add(BTC)
    wait_until(lambda: published.times(BTC))
    published.add(BTC)
    published.add(ETH)
    wait_until(lambda: len(published.times(BTC)) == 2)
    assert published.hints[1][0] == ETH


def test_the_end_publishes_all_that_waits_at_once(published: Published) -> None:
    published.add(BTC)
    wait_until(lambda: published.times(BTC))
    published.add(BTC)
    published.add(ETH)
    published.publisher.stop(5)
    assert sorted(hint for hint, _ in published.hints) == [BTC, BTC, ETH]
    assert not any(thread.name == "publisher" for thread in threading.enumerate())
