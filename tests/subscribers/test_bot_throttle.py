"""How often a chat is answered."""

import pytest

from subscribers.bot import throttle
from subscribers.bot.throttle import Throttle

PRIVATE, GROUP = 7, -7


def answered(chat_id: int, questions: int, every_s: float) -> int:
    limits = Throttle()
    return sum(limits.allows(chat_id, number * every_s) for number in range(questions))


def test_a_short_burst_is_answered_and_the_rest_of_it_is_not() -> None:
    assert answered(PRIVATE, 30, every_s=0.01) == 5


def test_a_chat_that_asks_all_the_time_gets_its_share_of_a_minute() -> None:
    assert answered(PRIVATE, 59, every_s=1) == 20
    assert answered(GROUP, 59, every_s=1) == 10


def test_a_minute_later_everything_is_as_at_first() -> None:
    limits = Throttle()
    assert [limits.allows(PRIVATE, at) for at in (0, 0, 0, 0, 0, 1, 5.1)] == [True] * 5 + [False, True]


def test_chats_do_not_share_their_limits() -> None:
    limits = Throttle()
    assert all(limits.allows(chat_id, 0) for chat_id in range(1, 100))


def test_the_longest_quiet_chat_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MAX_CHATS", 2)
    limits = Throttle()
    for chat_id in (1, 2, 1, 3):
        limits.allows(chat_id, 0)
    assert set(limits._answers) == {1, 3}
