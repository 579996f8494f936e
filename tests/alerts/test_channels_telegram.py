"""What each answer of Telegram, and none, means: over real HTTP."""

import logging
from collections.abc import Iterator

import pytest

from alerts.channels.base import ChannelError, ChatMoved, FloodWait, Message, NotModified, OutcomeUnknown, RetryLater, Undeliverable
from alerts.channels.telegram import TelegramChannel, is_loopback
from tests.fakes.telegram import FakeTelegram

TOKEN = "123456:a-token-that-nobody-may-read-in-a-log"
HELLO = Message("<b>hello</b> &amp; good-bye", "hello & good-bye")


@pytest.fixture
def telegram() -> Iterator[FakeTelegram]:
    with FakeTelegram(token=TOKEN) as server:
        yield server


@pytest.fixture
def channel(telegram: FakeTelegram) -> Iterator[TelegramChannel]:
    opened = TelegramChannel(TOKEN, telegram.url)
    yield opened
    opened.close()


def error_of(channel: TelegramChannel, chat_id: int = 5, message: Message = HELLO) -> ChannelError:
    error = channel.send(chat_id, message).exception(20)
    assert isinstance(error, ChannelError), error
    assert TOKEN not in repr(error)
    return error


def test_a_message_is_html_without_a_link_preview(channel: TelegramChannel, telegram: FakeTelegram) -> None:
    message_id = channel.send(5, HELLO).result(10)
    [sent] = telegram.sent
    assert (sent.chat_id, sent.message_id, sent.plain, sent.silent) == (5, message_id, "hello & good-bye", False)
    assert sent.params["link_preview_options"] == {"is_disabled": True}


def test_a_silent_message_makes_no_sound(channel: TelegramChannel, telegram: FakeTelegram) -> None:
    channel.send(5, Message("x", "x", silent=True)).result(10)
    assert telegram.sent[0].silent


def test_an_edit_replaces_the_text_and_the_same_text_again_is_no_change(channel: TelegramChannel, telegram: FakeTelegram) -> None:
    telegram.limits.chat_interval_s = 0
    message_id = channel.send(5, HELLO).result(10)
    assert message_id is not None
    channel.edit(5, message_id, Message("<i>new</i>", "new")).result(10)
    assert telegram.sent[0].plain == "new"
    assert isinstance(channel.edit(5, message_id, Message("<i>new</i>", "new")).exception(10), NotModified)


def test_429_says_for_how_long(channel: TelegramChannel, telegram: FakeTelegram) -> None:
    telegram.answer_next(429, retry_after=7)
    error = error_of(channel)
    assert isinstance(error, FloodWait) and error.after_s == 7


def test_429_without_a_time_still_means_to_wait(channel: TelegramChannel, telegram: FakeTelegram) -> None:
    telegram.answer_next(429, "Too Many Requests")
    error = error_of(channel)
    assert isinstance(error, FloodWait) and error.after_s >= 1


@pytest.mark.parametrize("leave", ["chat_blocks", "chat_kicked", "chat_deactivated", "chat_unknown"])
def test_a_chat_that_is_gone_gets_nothing_any_more(channel: TelegramChannel, telegram: FakeTelegram, leave: str) -> None:
    getattr(telegram, leave)(-5)
    error = error_of(channel, -5)
    assert isinstance(error, Undeliverable) and error.gone and error.reason


@pytest.mark.parametrize("text", ["<b>never closed", "x" * 4097, " "])
def test_a_text_that_telegram_refuses_is_not_the_chats_fault(channel: TelegramChannel, text: str) -> None:
    error = error_of(channel, message=Message(text, text))
    assert isinstance(error, Undeliverable) and not error.gone


def test_a_group_that_became_a_supergroup_has_a_new_id(channel: TelegramChannel, telegram: FakeTelegram) -> None:
    telegram.chat_migrates(-5, -1005)
    error = error_of(channel, -5)
    assert isinstance(error, ChatMoved) and error.new_id == -1005


@pytest.mark.parametrize("status", [500, 502, 504])
def test_after_a_server_error_nobody_knows(channel: TelegramChannel, telegram: FakeTelegram, status: int) -> None:
    telegram.answer_next(status, accept=True)
    assert isinstance(error_of(channel), OutcomeUnknown)


def test_after_a_cut_nobody_knows(channel: TelegramChannel, telegram: FakeTelegram) -> None:
    telegram.cut_next()
    assert isinstance(error_of(channel), OutcomeUnknown)


def test_without_an_answer_in_time_nobody_knows(channel: TelegramChannel, telegram: FakeTelegram) -> None:
    telegram.hang_next(15, accept=True)
    assert isinstance(error_of(channel), OutcomeUnknown)
    assert len(telegram.sent) == 1


def test_a_refused_connection_surely_sent_nothing(channel: TelegramChannel, telegram: FakeTelegram) -> None:
    telegram.refuse_connections()
    error = error_of(channel)
    assert isinstance(error, RetryLater) and "cannot be reached" in error.reason
    telegram.accept_connections()
    assert channel.send(5, HELLO).result(10)


def test_a_wrong_token_is_named_and_can_be_tried_later(telegram: FakeTelegram) -> None:
    channel = TelegramChannel("123456:wrong", telegram.url)
    error = error_of(channel)
    assert isinstance(error, RetryLater) and "TELEGRAM_BOT_TOKEN" in error.reason
    channel.close()


def test_without_a_token_nothing_is_sent_and_the_setting_is_named() -> None:
    channel = TelegramChannel("", "http://127.0.0.1:1")
    error = error_of(channel)
    assert isinstance(error, RetryLater) and "TELEGRAM_BOT_TOKEN" in error.reason
    channel.close()


def test_sixteen_at_once_take_as_long_as_one(channel: TelegramChannel, telegram: FakeTelegram) -> None:
    telegram.set_latency(0.3)
    answers = [channel.send(chat, HELLO) for chat in range(1, 17)]
    assert len({answer.result(2) for answer in answers}) == 16


def test_proxies_of_the_environment_are_not_for_this_machine(telegram: FakeTelegram, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    channel = TelegramChannel(TOKEN, telegram.url)
    assert channel.send(5, HELLO).result(10)
    channel.close()


@pytest.mark.parametrize(
    ("url", "expected"), [("http://127.0.0.1:8/x", True), ("http://[::1]:8", True), ("http://localhost", True), ("https://api.telegram.org", False)]
)
def test_this_machine_is_known_by_its_names(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected


def test_the_token_is_in_no_log_line(channel: TelegramChannel, telegram: FakeTelegram, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    channel.send(5, HELLO).result(10)
    telegram.answer_next(500)
    error_of(channel, 6)
    assert TOKEN not in caplog.text
