"""Many chats ask more than can be answered: the bot stays up, small, and out of the way of alerts. Counted, not timed: machines differ."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from pytest_django import Settings

from alerts import dispatcher
from alerts.channels.telegram import telegram_channel
from monitors.thresholds import Severity
from tests.alerts.builders import make_delivery, make_subscriber
from tests.fakes import telegram_updates as updates
from tests.fakes.telegram import FakeTelegram
from tests.harness import Process, Processes, wait_until
from tests.subscribers.conftest import forget_channel
from tests.subscribers.test_bot import TOKEN, start_bot

CHATS, COMMANDS = 200, 3_000
ALERTED = range(900_001, 900_041)
WORDS = ("/help", "/recent", "/status", "hello", "/start")
MB = 1024  # kB


@pytest.fixture
def telegram(settings: Settings) -> Iterator[FakeTelegram]:
    """A Telegram that enforces its limits, for the bot's process and for this one."""
    with FakeTelegram(token=TOKEN) as fake:
        settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_API_URL = SecretStr(TOKEN), fake.url
        forget_channel()
        yield fake
        telegram_channel().close()
    forget_channel()


@pytest.fixture
def bot(telegram: FakeTelegram, processes: Processes, tmp_path: Path) -> Process:
    process = start_bot(telegram, processes, tmp_path / "bot.log")
    wait_until(lambda: telegram.requests("getUpdates"), 30, "the first poll")
    return process


def flood(telegram: FakeTelegram, commands: int) -> None:
    """Everybody asks at once."""

    async def push() -> None:
        for number in range(commands):
            chat_id = 10_000 + number % CHATS
            telegram.updates.push({"message": updates.message(chat_id, WORDS[number // CHATS % len(WORDS)], 1_000_000 + number)})

    telegram.thread.run(push())


def test_an_extreme_alert_leaves_as_if_nobody_asked_anything(telegram: FakeTelegram, bot: Process) -> None:
    flood(telegram, COMMANDS)
    wait_until(lambda: len(telegram.sent) > 20, 60, "the first answers")
    for chat_id in ALERTED:
        make_delivery(make_subscriber(chat_id), Severity.EXTREME)
    dispatcher.drain()
    order = [int(sent.chat_id) in ALERTED for sent in telegram.sent]
    first, last = order.index(True), len(order) - order[::-1].index(True)
    assert order.count(True) == len(ALERTED)
    between = order[first:last].count(False)  # where the sender has to wait for the machine for half a second, one passes
    assert between <= 5, "without yielding they would be half as many as the alert's"
    answered = len(telegram.sent)
    wait_until(lambda: len(telegram.sent) > answered + 10, 60, "the answers that go on afterwards")
    assert {request.answered for request in telegram.requests("sendMessage")} == {200}, "no limit was exceeded"


def test_a_flood_leaves_the_bot_up_and_as_small_as_it_was(telegram: FakeTelegram, bot: Process) -> None:
    flood(telegram, CHATS)
    wait_until(lambda: not telegram.updates.waiting, 120, "the end of the first round")
    before = memory_kb(bot)
    flood(telegram, COMMANDS)
    wait_until(lambda: not telegram.updates.waiting, 240, "the end of the flood")
    assert memory_kb(bot) - before < 15 * MB
    assert bot.poll() is None
    answers_of = Counter(sent.chat_id for sent in telegram.sent)
    assert sum(answers_of.values()) < COMMANDS / 2, "only the newest question of a chat was answered"
    asked = len(telegram.sent)
    telegram.user_says(77, "/help")
    wait_until(lambda: telegram.sent_to(77), 90, f"an answer after {asked} others")


def memory_kb(process: Process) -> int:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
