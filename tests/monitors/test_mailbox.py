"""What the bounded queue between sockets and detection promises."""

import threading

from monitors.mailbox import Mailbox
from monitors.market import Venue
from tests.harness import wait_until


def frames(number: int) -> list[bytes]:
    return [b"{}"] * number


def test_what_arrived_together_comes_out_together_and_in_order() -> None:
    box = Mailbox(limit=10)
    box.put(Venue.OKX, [b"1", b"2"], 5)
    box.put(Venue.BYBIT, [b"3"], 6)
    assert [box.take(0), box.take(0), box.take(0)] == [(Venue.OKX, [b"1", b"2"], 5), (Venue.BYBIT, [b"3"], 6), None]


def test_whoever_adds_to_a_full_box_waits_for_room() -> None:
    box = Mailbox(limit=10)
    box.put(Venue.OKX, frames(10), 1)
    waiting = threading.Thread(target=box.put, args=(Venue.BYBIT, frames(1), 2), daemon=True)
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    assert box.take(0) == (Venue.OKX, frames(10), 1)
    wait_until(lambda: not waiting.is_alive())
    assert box.take(0) == (Venue.BYBIT, frames(1), 2)


def test_a_closed_box_lets_nobody_wait_and_nothing_in() -> None:
    box = Mailbox(limit=1)
    box.put(Venue.OKX, frames(2), 1)
    box.close()
    box.put(Venue.BYBIT, frames(1), 2)
    assert [box.take(0), box.take(0)] == [(Venue.OKX, frames(2), 1), None]


def test_it_is_crowded_while_over_half_full_of_frames() -> None:
    box = Mailbox(limit=10)
    box.put(Venue.OKX, frames(5), 1)
    assert not box.crowded
    box.put(Venue.OKX, frames(1), 1)
    assert box.crowded
    box.take(0)
    assert not box.crowded
