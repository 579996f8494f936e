"""How answers wait for their slots: real requests to the fake Telegram, the limits in a real Valkey."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from django.utils import timezone
from redis import Redis
from telegram.ext import ExtBot

from alerts.flood import FloodLimiter
from alertsystem.broker import key
from subscribers.bot import answers as waiting
from subscribers.bot.answers import Answers
from subscribers.bot.questions import Question
from subscribers.bot.screen import Asked, Chat, Document, Reply
from tests.fakes.telegram import FakeTelegram

pytestmark = pytest.mark.django_db(transaction=True)

ANN, BOB = 1001, 1002
Work = Callable[[Answers], Awaitable[object]]


def with_answers(telegram: FakeTelegram, valkey: "Redis", work: Work) -> None:
    """Run `work` with answers that are being given."""

    async def run() -> None:
        async with ExtBot("1:a", base_url=telegram.base_url) as bot:
            answers = Answers(bot, FloodLimiter(valkey, per_second=28))
            running = asyncio.create_task(answers.run())
            await work(answers)
            running.cancel()
            await answers.finish()

    asyncio.run(run())


def question(text: str, chat_id: int = ANN, tap: str = "", **fields: object) -> Question:
    """A question that is answered by repeating it."""
    asked = Asked(Chat(chat_id, "private", "Ann"), chat_id, text, timezone.now())
    return Question(asked, lambda asked: Reply(asked.args, toast=asked.args), tap, **fields)  # type: ignore[arg-type]


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def test_an_answer_goes_out_at_once_and_of_those_after_it_the_newest(valkey: "Redis") -> None:
    async def ask(answers: Answers) -> None:
        answers.put(question("one"))
        await until(lambda: len(telegram.sent) == 1)
        for text in ("two", "three", "four"):
            answers.put(question(text))
        answers.put(question("hello", BOB))
        await until(lambda: len(telegram.sent) == 3)

    with FakeTelegram() as telegram:
        with_answers(telegram, valkey, ask)
        assert [sent.plain for sent in telegram.sent] == ["one", "hello", "four"], "nobody waits for another chat"
        assert telegram.sent[2].at - telegram.sent[0].at > 0.9
        assert {request.answered for request in telegram.journal} == {200}


def test_every_tap_is_answered_once_whether_its_answer_is_shown_or_not(valkey: "Redis") -> None:
    async def tap(answers: Answers) -> None:
        for number in range(4):
            telegram.chats.taps.tap(f"tap{number}")
        answers.put(question("shown", tap="tap0"))
        await until(lambda: len(telegram.sent) == 1)
        answers.put(question("overtaken", tap="tap1"))
        answers.put(question("shown too", tap="tap2"))
        answers.put(question("", BOB, tap="tap3", reply=Reply(toast="only a word")))
        await until(lambda: len(telegram.chats.taps.answered) == 4 and len(telegram.sent) == 2)

    with FakeTelegram() as telegram:
        with_answers(telegram, valkey, tap)
        words = {answer["callback_query_id"]: answer.get("text", "") for answer in telegram.chats.taps.answered}
        assert words == {"tap0": "shown", "tap1": "", "tap2": "shown too", "tap3": "only a word"}
        assert [sent.plain for sent in telegram.sent] == ["shown", "shown too"]


def test_what_waits_for_its_answer_already_is_a_repeat(valkey: "Redis") -> None:
    async def ask(answers: Answers) -> None:
        answers.put(question("first"))
        await until(lambda: len(telegram.sent) == 1)
        answers.put(question("/stop"))
        assert answers.is_repeated(question("/stop")) is False, "another function"
        stop = question("/stop")
        answers.put(stop)
        again = replace(stop, asked=replace(stop.asked, now=timezone.now()))
        assert answers.is_repeated(again)
        assert not answers.is_repeated(replace(stop, asked=replace(stop.asked, person=BOB)))

    with FakeTelegram() as telegram:
        with_answers(telegram, valkey, ask)


def test_a_429_is_obeyed_and_makes_everybody_wait(valkey: "Redis") -> None:
    async def ask(answers: Answers) -> None:
        answers.put(question("one"))
        await until(lambda: bool(valkey.exists(key("flood", "pause"))))
        assert not FloodLimiter(valkey, 28).take(BOB).granted
        await until(lambda: len(telegram.sent) == 1)

    with FakeTelegram() as telegram:
        telegram.answer_next(429, retry_after=1)
        with_answers(telegram, valkey, ask)
        refused, accepted = telegram.requests("sendMessage")
        assert (refused.answered, accepted.answered) == (429, 200) and accepted.at - refused.at >= 1


def test_an_edit_of_a_message_that_is_gone_is_sent_anew(valkey: "Redis") -> None:
    async def ask(answers: Answers) -> None:
        edit = question("")
        answers.put(replace(edit, asked=replace(edit.asked, message_id=99), reply=Reply("the screen", [[("why", "w:1")]], edit=True)))
        await until(lambda: len(telegram.sent) == 1)

    with FakeTelegram() as telegram:
        with_answers(telegram, valkey, ask)
        assert (telegram.sent[0].plain, telegram.sent[0].reply_markup) == (
            "the screen", {"inline_keyboard": [[{"text": "why", "callback_data": "w:1"}]]},
        )  # fmt: skip


def test_a_file_is_sent_with_its_words(valkey: "Redis") -> None:
    async def ask(answers: Answers) -> None:
        answers.put(question("", reply=Reply("<b>yours</b>", document=Document("export.json", b"{}"))))
        await until(lambda: len(telegram.sent) == 1)

    with FakeTelegram() as telegram:
        with_answers(telegram, valkey, ask)
        [sent] = telegram.sent
        assert (sent.method, sent.plain, sent.params["document"].name, sent.params["document"].content) == ("sendDocument", "yours", "export.json", b"{}")


def test_a_full_waiting_room_takes_no_more_chats_and_old_questions_leave_it(valkey: "Redis", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MAX_WAITING", 3)

    async def ask(answers: Answers) -> None:
        for chat_id in range(1, 7):
            answers.put(question("x", chat_id))
        assert len(answers._waiting) == 3
        monkeypatch.setattr(waiting, "PATIENCE_S", 0.0)
        await until(lambda: not answers._waiting)

    with FakeTelegram() as telegram:
        FloodLimiter(valkey, 28).pause(0.5)
        with_answers(telegram, valkey, ask)
        assert telegram.sent == []


def test_a_question_that_fails_gets_an_apology_and_the_next_one_its_answer(valkey: "Redis", caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: Asked) -> Reply:
        raise ValueError("a fault of ours")

    async def ask(answers: Answers) -> None:
        answers.put(Question(question("").asked, broken))
        answers.put(question("fine", BOB))
        await until(lambda: len(telegram.sent) == 2)

    with FakeTelegram() as telegram:
        with_answers(telegram, valkey, ask)
        assert sorted(sent.plain[:5] for sent in telegram.sent) == ["Sorry", "fine"]
