"""The bot with a webhook: Telegram's posts to the real process, with the secret, until each is taken."""

import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from subscribers.bot.webhook import USUAL_LISTEN, secret_for, where_to_listen
from tests.demo import free_port
from tests.fakes import telegram_updates as updates
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_webhook import SECRET_HEADER
from tests.harness import Process, Processes, wait_until
from tests.subscribers.test_bot import ANN, BOB, HELP, TOKEN, answers, is_active, says, start_bot

PATH = "/hooks/telegram"


@pytest.fixture
def telegram() -> Iterator[FakeTelegram]:
    with FakeTelegram(token=TOKEN) as fake:
        yield fake


@pytest.fixture
def url() -> str:
    return f"http://127.0.0.1:{free_port()}{PATH}"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "bot.log"


@pytest.fixture
def bot(telegram: FakeTelegram, processes: Processes, log: Path, url: str) -> Process:
    return start_hooked(telegram, processes, log, url)


def start_hooked(telegram: FakeTelegram, processes: Processes, log: Path, url: str) -> Process:
    """The bot, once Telegram knows its webhook."""
    before = len(telegram.requests("setWebhook"))
    process = start_bot(telegram, processes, log, TELEGRAM_WEBHOOK_URL=url)
    wait_until(lambda: len(telegram.requests("setWebhook")) > before, 30, "the webhook")
    return process


def secret(telegram: FakeTelegram) -> str:
    return str(telegram.webhook.params["secret_token"])


def test_it_answers_what_telegram_posts_and_never_polls(telegram: FakeTelegram, bot: Process, log: Path) -> None:
    assert "You are subscribed" in says(telegram, ANN, "/start")
    assert HELP in says(telegram, BOB, "/help")
    telegram.user_presses(BOB, "gone:1")
    wait_until(lambda: telegram.chats.taps.answered, what="the answer to the tap")
    wait_until(lambda: not telegram.updates.waiting, what="the last 200")
    assert telegram.requests("getUpdates") == []
    assert telegram.webhook.answers == [200, 200, 200]
    assert telegram.webhook.params["allowed_updates"] == ["message", "channel_post", "my_chat_member", "callback_query"]
    assert secret(telegram) not in log.read_text() and TOKEN not in log.read_text()


def test_what_does_not_know_the_secret_is_refused_and_changes_nothing(telegram: FakeTelegram, bot: Process, url: str, log: Path) -> None:
    update = {"update_id": 5, "message": updates.message(ANN, "/start", 1)}
    for headers in ({}, {SECRET_HEADER: ""}, {SECRET_HEADER: secret(telegram)[:-1]}, {SECRET_HEADER: "é".encode()}):
        assert requests.post(url, json=update, headers=headers, timeout=10).status_code == 403
    assert is_active(ANN) is None
    known = {SECRET_HEADER: secret(telegram)}
    assert requests.get(url, headers=known, timeout=10).status_code == 405
    assert requests.post(url.removesuffix(PATH), json=update, headers=known, timeout=10).status_code == 404
    for nonsense in (b"{", b"\xff", b"9" * 9_999, b"[" * 99_999):
        assert requests.post(url, data=nonsense, headers=known, timeout=10).status_code == 400
    assert requests.post(url, data=b" " * (1 << 21), headers=known, timeout=10).status_code == 413
    assert requests.post(url, json={"update_id": 6, "message": {"chat": "none"}}, headers=known, timeout=10).status_code == 200, "it would come for ever"
    assert requests.post(url, json=[], headers=known, timeout=10).status_code == 200
    assert requests.post(url, json=update, headers=known, timeout=10).status_code == 200
    assert is_active(ANN)
    assert bot.poll() is None and "Traceback" not in log.read_text()


def test_an_update_that_comes_twice_is_handled_once(telegram: FakeTelegram, bot: Process, url: str) -> None:
    update = {"update_id": 5, "message": updates.message(ANN, "/help", 1)}
    for _ in range(2):
        assert requests.post(url, json=update, headers={SECRET_HEADER: secret(telegram)}, timeout=10).status_code == 200
    says(telegram, BOB, "/help")
    assert len(telegram.sent_to(ANN)) == 1


def test_what_a_killed_bot_did_not_take_comes_again(telegram: FakeTelegram, processes: Processes, bot: Process, log: Path, url: str) -> None:
    says(telegram, BOB, "/help")
    first = secret(telegram)
    bot.send_signal(signal.SIGSTOP)  # it has the request by now, and nothing comes of it
    telegram.user_says(ANN, "/start")
    processes.kill(bot)
    assert is_active(ANN) is None
    start_hooked(telegram, processes, log, url)
    assert "You are subscribed" in answers(telegram, ANN, timeout_s=30)[-1].plain
    assert secret(telegram) == first, "the same for every process of this installation"


def test_without_the_setting_it_polls_again_and_nothing_is_lost(telegram: FakeTelegram, processes: Processes, bot: Process, log: Path) -> None:
    says(telegram, BOB, "/help")
    bot.send_signal(signal.SIGTERM)
    assert bot.wait(10) == 0
    telegram.user_says(ANN, "/help")
    start_bot(telegram, processes, log)
    assert HELP in answers(telegram, ANN, timeout_s=30)[-1].plain
    assert telegram.webhook.url == ""


def test_a_port_that_is_taken_is_one_clear_line(telegram: FakeTelegram, processes: Processes, log: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}{PATH}"
        process = start_bot(telegram, processes, log, TELEGRAM_WEBHOOK_URL=url)
        assert process.wait(30) == 1
    assert "TELEGRAM_WEBHOOK_LISTEN" in log.read_text() and "Traceback" not in log.read_text()


def test_where_it_listens() -> None:
    assert where_to_listen("https://alerts.example.com/telegram", "") == USUAL_LISTEN
    assert where_to_listen("https://alerts.example.com/telegram", "0.0.0.0:9000") == ("0.0.0.0", 9000)
    assert where_to_listen("https://alerts.example.com/telegram", "[::]:9000") == ("::", 9000)
    assert where_to_listen("http://127.0.0.1:8090/telegram", "") == ("127.0.0.1", 8090)


def test_the_secret_is_one_that_telegram_takes_and_says_nothing_of_what_it_is_made_from() -> None:
    made = secret_for(TOKEN, "key")
    assert len(made) == 64 and made.isalnum() and TOKEN not in made
    assert len({made, secret_for(TOKEN, "another key"), secret_for("1:other", "key")}) == 3
