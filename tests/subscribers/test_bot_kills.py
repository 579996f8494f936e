"""A bot that is killed with SIGKILL loses no conversation: the real process, the real database, a person who goes on typing."""

from pathlib import Path

import pytest

from subscribers.models import Dialogue, Subscriber
from tests.fakes.telegram import FakeTelegram
from tests.harness import Process, Processes, wait_until
from tests.subscribers.test_bot import ANN, answers, bot, log, says, start_bot, telegram

__all__ = ["bot", "log", "telegram"]


def zone() -> str:
    return Subscriber.objects.get(chat_id=ANN).time_zone


def open_questions() -> int:
    return Dialogue.objects.filter(answered_by=None).count()


def is_asked_for_the_zone(telegram: FakeTelegram) -> None:
    """Ann has subscribed, wants another time zone, and has read the question."""
    says(telegram, ANN, "/start")
    says(telegram, ANN, "/zone")
    telegram.user_presses(ANN, "zi")
    answers(telegram, ANN, 3)
    wait_until(lambda: not telegram.updates.waiting, what="the confirmation of the tap")
    assert Dialogue.objects.get().name == "zone"


def test_a_dialogue_goes_on_where_the_killed_bot_left_it(telegram: FakeTelegram, processes: Processes, bot: Process, log: Path) -> None:
    is_asked_for_the_zone(telegram)
    processes.kill(bot)
    telegram.user_says(ANN, "Mars/Olympus")  # while nobody is there
    again = start_bot(telegram, processes, log)
    answers(telegram, ANN, 4, timeout_s=30)
    wait_until(lambda: not telegram.updates.waiting, what="the confirmation of what was typed")
    assert zone() == "UTC" and Dialogue.objects.get().name == "zone", "it asks again"
    processes.kill(again)
    start_bot(telegram, processes, log)
    assert "Europe/Zurich" in says(telegram, ANN, "Europe/Zurich")
    assert zone() == "Europe/Zurich" and not open_questions()


@pytest.mark.parametrize("polls", [0, 1])
def test_what_is_typed_as_the_bot_is_killed_is_taken_by_the_next(telegram: FakeTelegram, processes: Processes, bot: Process, log: Path, polls: int) -> None:
    """Before it has the update, and when it has it: it was not confirmed, so it comes again."""
    is_asked_for_the_zone(telegram)
    telegram.hang_next(30, times=10, methods=["sendMessage", "answerCallbackQuery"])
    telegram.user_says(ANN, "Asia/Tokyo")
    if polls:
        wait_until(lambda: zone() == "Asia/Tokyo", what="the change")
    processes.kill(bot)
    telegram.faults.clear()
    before = len(telegram.sent_to(ANN))
    start_bot(telegram, processes, log)
    wait_until(lambda: zone() == "Asia/Tokyo", 30, "the change")
    assert "Asia/Tokyo" in answers(telegram, ANN, before + 1, timeout_s=30)[-1].plain
    assert not open_questions()
