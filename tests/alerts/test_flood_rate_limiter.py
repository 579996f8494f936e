"""The bot's answers under the same limits as the alerts, through python-telegram-bot's own hook, over real HTTP."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from redis import Redis
from telegram.ext import ExtBot

from alerts.channels.rate_limiter import SharedRateLimiter
from alerts.flood import FloodLimiter
from tests.fakes.telegram import FakeTelegram


def with_bot(telegram: FakeTelegram, valkey: "Redis", work: Callable[["ExtBot[int]"], Awaitable[object]]) -> None:
    """Run `work` with a bot that shares the budget."""

    async def run() -> None:
        async with ExtBot("1:a", base_url=telegram.base_url, rate_limiter=SharedRateLimiter(FloodLimiter(valkey, per_second=28))) as bot:
            await work(bot)

    asyncio.run(run())


@pytest.fixture
def open_telegram(valkey: "Redis") -> "FakeTelegram":
    return FakeTelegram()


def test_answers_to_one_chat_are_a_second_apart(valkey: "Redis", open_telegram: FakeTelegram) -> None:
    async def answer_twice(bot: "ExtBot[int]") -> None:
        await asyncio.gather(bot.send_message(5, "one"), bot.send_message(5, "two"))

    with open_telegram as telegram:
        with_bot(telegram, valkey, answer_twice)
        first, second = telegram.sent
        assert second.at - first.at > 0.9
        assert {request.answered for request in telegram.journal} == {200}


def test_an_edit_takes_a_slot_too(valkey: "Redis", open_telegram: FakeTelegram) -> None:
    async def answer_and_edit(bot: "ExtBot[int]") -> None:
        sent = await bot.send_message(5, "one")
        await bot.edit_message_text("two", 5, sent.message_id)

    with open_telegram as telegram:
        with_bot(telegram, valkey, answer_and_edit)
        [edit] = telegram.requests("editMessageText")
        assert edit.answered == 200 and edit.at - telegram.sent[0].at > 0.9


def test_a_429_is_obeyed_and_makes_everybody_wait(valkey: "Redis", open_telegram: FakeTelegram) -> None:
    async def answer(bot: "ExtBot[int]") -> None:
        await bot.send_message(5, "one")

    with open_telegram as telegram:
        telegram.answer_next(429, retry_after=1)
        with_bot(telegram, valkey, answer)
        refused, accepted = telegram.requests("sendMessage")
        assert (refused.answered, accepted.answered) == (429, 200) and accepted.at - refused.at >= 1


def test_what_telegram_does_not_count_waits_for_nothing(valkey: "Redis", open_telegram: FakeTelegram) -> None:
    FloodLimiter(valkey, 28).pause(60)

    async def ask(bot: "ExtBot[int]") -> None:
        await asyncio.wait_for(asyncio.gather(bot.get_me(), bot.answer_callback_query("1"), bot.get_chat(5)), 5)

    with open_telegram as telegram:
        telegram.chats.taps.tap("1")
        with_bot(telegram, valkey, ask)
        assert telegram.chats.taps.answered
