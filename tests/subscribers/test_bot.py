"""Conversations with the real bot process, over HTTP against the fake Telegram."""

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from monitors.models import FeedStatus
from monitors.thresholds import Severity
from subscribers.bot.commands import COMMAND
from subscribers.models import Subscriber, Subscription
from tests.alerts.builders import make_alert, make_signal
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_chats import SentMessage
from tests.harness import Process, Processes, wait_until

TOKEN = "4242:AAE-a-token-that-must-not-be-logged-00"
ANN, BOB, GROUP, CHANNEL = 1001, 1002, -2002, -1003003
HELP = "/help - this page"


@pytest.fixture
def telegram() -> Iterator[FakeTelegram]:
    with FakeTelegram(token=TOKEN) as fake:
        fake.set_member(GROUP, abs(GROUP), "administrator")
        yield fake


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "bot.log"


@pytest.fixture
def bot(telegram: FakeTelegram, processes: Processes, log: Path) -> Process:
    """The running bot, listening."""
    process = start_bot(telegram, processes, log)
    wait_until(lambda: telegram.requests("getUpdates"), 30, "the first poll")
    return process


def start_bot(telegram: FakeTelegram, processes: Processes, log: Path, **env: str) -> Process:
    return processes.manage("run_bot", env={"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": telegram.url, "LOG_LEVEL": "INFO", **env}, log=log)


def answers(telegram: FakeTelegram, chat_id: int, count: int = 1, timeout_s: float = 10) -> list[SentMessage]:
    """The chat's messages once there are `count`."""
    wait_until(lambda: len(telegram.sent_to(chat_id)) >= count, timeout_s, f"message {count} to {chat_id}")
    return telegram.sent_to(chat_id)


def says(telegram: FakeTelegram, chat_id: int, text: str, **chat: str) -> str:
    """Say it and return the plain text of the answer."""
    before = len(telegram.sent_to(chat_id))
    telegram.user_says(chat_id, text, **chat)  # type: ignore[arg-type]  # chat holds strings only
    return answers(telegram, chat_id, before + 1)[-1].plain


def is_active(chat_id: int) -> bool | None:
    return Subscriber.objects.filter(chat_id=chat_id, channel="telegram").values_list("active", flat=True).first()


def settled(telegram: FakeTelegram) -> None:
    """Everything said before was handled: the bot has confirmed it."""
    wait_until(lambda: not telegram.updates.waiting, what="the last update's confirmation")


def test_start_subscribes_and_says_to_what_and_what_that_would_have_brought(telegram: FakeTelegram, bot: Process) -> None:
    said = says(telegram, ANN, "/start")
    assert is_active(ANN)
    assert "Liquidations, cascades and open interest: BTC, ETH, SOL from MODERATE; all others from EXTREME." in said
    assert "In the last 7 days: no such alerts." in said


def test_stop_deactivates_and_start_brings_the_own_choices_back(telegram: FakeTelegram, bot: Process) -> None:
    says(telegram, ANN, "/start")
    Subscription.objects.filter(subscriber__chat_id=ANN).exclude(asset="BTC").delete()
    assert "no more alerts" in says(telegram, ANN, "/stop")
    assert is_active(ANN) is False
    assert "gets no alerts" in says(telegram, ANN, "/stop")
    assert "Liquidations, cascades and open interest: BTC from MODERATE." in says(telegram, ANN, "/start")
    assert is_active(ANN)


def test_status_names_the_blind_feeds_with_the_reason(telegram: FakeTelegram, bot: Process) -> None:
    now = timezone.now()
    FeedStatus.objects.create(venue="binance", state="live", connected_since=now, last_data_at=now, updated_at=now)
    FeedStatus.objects.create(venue="okx", state="waiting", last_error="<refused>", last_data_at=now - timedelta(minutes=7), updated_at=now)
    said = says(telegram, ANN, "/status")
    assert "✅ Binance: live, data" in said
    assert "❌ Bybit: blind (no report yet)" in said
    assert "❌ OKX: blind, last data 7 min ago (<refused>)" in said
    assert "This chat gets no alerts." in said


def test_a_number_behind_an_underscore_can_be_tapped(telegram: FakeTelegram, bot: Process) -> None:
    alert = make_alert(make_signal(5_230_000, "ETH"), Severity.HIGH)
    assert f"/alert_{alert.pk}" in says(telegram, ANN, "/recent")
    assert says(telegram, ANN, f"/alert_{alert.pk}").startswith(f"🔴 #{alert.pk} HIGH ETH cascade")


def test_while_the_database_is_away_it_says_so(telegram: FakeTelegram, processes: Processes, log: Path, tmp_path: Path) -> None:
    start_bot(telegram, processes, log, DATABASE_URL=f"sqlite:///{tmp_path}/without-tables.sqlite3")
    assert "the database cannot be reached" in says(telegram, ANN, "/start")
    telegram.my_chat_member(CHANNEL, "administrator", chat_type="channel")
    assert "the database cannot be reached" in answers(telegram, CHANNEL)[-1].plain
    assert "Traceback" not in log.read_text()


def test_help_lists_every_command_and_what_is_watched(telegram: FakeTelegram, bot: Process) -> None:
    said = says(telegram, ANN, "/help")
    assert "USDT and USDC perpetuals" in said
    assert {command["command"] for command in telegram.chats.commands} == set(COMMAND)
    assert all(f"/{name} - " in said for name in COMMAND)


def test_in_private_whatever_is_no_command_of_ours_gets_help(telegram: FakeTelegram, bot: Process) -> None:
    strange = ["hello", "/nonsense", "<b>&</i>", "😀" * 2048, "\u202eevil\u0000", "/", "/ start", "/start@fake_alert_bot_2"]
    for chat_id, text in enumerate(strange, start=ANN):
        telegram.user_says(chat_id, text)
    for chat_id in range(ANN, ANN + len(strange) - 1):
        assert HELP in answers(telegram, chat_id)[0].plain
    settled(telegram)
    assert telegram.sent_to(ANN + len(strange) - 1) == [], "that one is for another bot"


def test_in_a_group_only_what_is_meant_for_the_bot_is_answered(telegram: FakeTelegram, bot: Process) -> None:
    for text in ("hello all", "/nonsense", "/start@other_bot_x", "see /help"):
        telegram.user_says(GROUP, text)
    settled(telegram)
    assert telegram.sent_to(GROUP) == []
    assert HELP in says(telegram, GROUP, "/nonsense@fake_alert_bot")
    assert "You are subscribed" in says(telegram, GROUP, "/START@Fake_Alert_Bot", title="Desk <1>")
    assert Subscriber.objects.get(chat_id=GROUP).title == "Desk <1>"


def test_removal_from_a_group_deactivates_with_the_reason(telegram: FakeTelegram, bot: Process) -> None:
    telegram.my_chat_member(GROUP, "member")
    assert "/start" in answers(telegram, GROUP)[-1].plain
    assert is_active(GROUP) is None
    says(telegram, GROUP, "/start")
    telegram.my_chat_member(GROUP, "kicked", old="member")
    wait_until(lambda: is_active(GROUP) is False, what="the deactivation")
    assert Subscriber.objects.get(chat_id=GROUP).deactivated_reason == "the bot was removed from the group"


def test_a_channel_subscribes_by_making_the_bot_admin_and_ends_by_removing_it(telegram: FakeTelegram, bot: Process) -> None:
    telegram.my_chat_member(CHANNEL, "administrator", chat_type="channel", title="News & <b>more</b>")
    assert "You are subscribed" in answers(telegram, CHANNEL)[-1].plain
    subscriber = Subscriber.objects.get(chat_id=CHANNEL)
    assert (subscriber.active, subscriber.chat_type, subscriber.title) == (True, "channel", "News & <b>more</b>")
    assert "✅" in says(telegram, CHANNEL, "/status", chat_type="channel") or "❌" in telegram.sent_to(CHANNEL)[-1].plain
    telegram.my_chat_member(CHANNEL, "left", old="administrator", chat_type="channel")
    wait_until(lambda: is_active(CHANNEL) is False, what="the deactivation")


def test_who_blocks_the_bot_is_deactivated(telegram: FakeTelegram, bot: Process) -> None:
    says(telegram, ANN, "/start")
    telegram.my_chat_member(ANN, "kicked", old="member")
    wait_until(lambda: is_active(ANN) is False, what="the deactivation")


def test_an_answer_that_is_refused_for_good_deactivates_too(telegram: FakeTelegram, bot: Process) -> None:
    says(telegram, ANN, "/start")
    telegram.chat_blocks(ANN)
    telegram.user_says(ANN, "/help")
    wait_until(lambda: is_active(ANN) is False, what="the deactivation")


def test_a_group_that_becomes_a_supergroup_is_followed(telegram: FakeTelegram, bot: Process) -> None:
    says(telegram, GROUP, "/start")
    telegram.chat_migrates(GROUP, -1002002)
    telegram.user_says(GROUP, "/help")
    assert HELP in answers(telegram, -1002002)[-1].plain
    assert (is_active(GROUP), is_active(-1002002)) == (None, True)


def test_other_bots_and_messages_without_words_are_left_alone(telegram: FakeTelegram, bot: Process) -> None:
    chat = {"id": GROUP, "type": "group", "title": "Desk"}
    base = {"message_id": 1, "date": int(time.time()), "chat": chat}
    robot = {"id": 5, "is_bot": True, "first_name": "Robot"}
    telegram.push_update({"message": base | {"from": robot, "text": "/start", "entities": [{"type": "bot_command", "offset": 0, "length": 6}]}})
    telegram.push_update({"message": base | {"from": robot | {"is_bot": False}, "new_chat_title": "Desk 2"}})
    telegram.push_update({"edited_message": base | {"from": robot | {"is_bot": False}, "text": "/start", "edit_date": int(time.time())}})
    settled(telegram)
    assert telegram.sent_to(GROUP) == []
    assert is_active(GROUP) is None


def test_an_update_that_nobody_can_read_is_one_line_and_does_not_stop_the_others(telegram: FakeTelegram, bot: Process, log: Path) -> None:
    telegram.push_update({"message": {"message_id": 1, "chat": "no chat at all"}})
    assert HELP in says(telegram, ANN, "/help")
    telegram.push_update({"message": {"message_id": 1, "chat": "no chat at all"}})
    telegram.push_update({"message": {}})
    assert HELP in says(telegram, ANN + 1, "/help")
    telegram.push_update({"message": {}})
    bot.send_signal(signal.SIGTERM)
    assert bot.wait(10) == 0
    said = [line.split("  ", 1)[-1] for line in log.read_text().splitlines() if " ERROR " in line]
    assert len(said) >= 3 and said[2].endswith("cannot be read (KeyError) and is skipped; 3 since the start"), said
    assert "Traceback" not in log.read_text() and "Warning" not in log.read_text()


def test_of_a_chat_that_asks_all_the_time_only_the_newest_question_is_answered(telegram: FakeTelegram, bot: Process) -> None:
    for _ in range(30):
        telegram.user_says(ANN, "/help")
    for text in ("/start", "/stop", "/status"):
        telegram.user_says(ANN, text)
    settled(telegram)
    wait_until(lambda: "gets no alerts" in answers(telegram, ANN)[-1].plain, what="the answer to /status")
    assert is_active(ANN) is False, "what changes something is done all the same"
    assert 2 <= len(telegram.sent_to(ANN)) <= 4
    assert all(request.answered == 200 for request in telegram.requests("sendMessage"))


def test_an_idle_bot_answers_within_a_second(telegram: FakeTelegram, bot: Process) -> None:
    says(telegram, ANN, "/help")
    asked = time.monotonic()
    telegram.user_says(ANN + 1, "/status")
    assert answers(telegram, ANN + 1)[-1].at - asked < 1.0


def test_an_update_that_was_answered_is_not_answered_again_after_a_restart(telegram: FakeTelegram, bot: Process, processes: Processes, log: Path) -> None:
    says(telegram, ANN, "/help")
    bot.send_signal(signal.SIGTERM)
    bot.wait(3)
    start_bot(telegram, processes, log)
    settled(telegram)
    assert len(telegram.sent_to(ANN)) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_three_seconds(bot: Process, number: signal.Signals) -> None:
    os.kill(bot.pid, number)
    assert bot.wait(3) == 0


def test_a_signal_ends_it_within_three_seconds_while_telegram_is_away(telegram: FakeTelegram, bot: Process) -> None:
    telegram.hang_next(30, times=100, methods=["getUpdates", "sendMessage"])
    telegram.user_says(ANN, "/help")
    telegram.refuse_connections()
    bot.send_signal(signal.SIGTERM)
    assert bot.wait(3) == 0


def test_a_signal_ends_it_within_three_seconds_while_the_database_hangs(telegram: FakeTelegram, processes: Processes, log: Path, tmp_path: Path) -> None:
    file = tmp_path / "locked.sqlite3"
    held = sqlite3.connect(file)
    held.execute("BEGIN EXCLUSIVE")
    bot = start_bot(telegram, processes, log, DATABASE_URL=f"sqlite:///{file}")
    telegram.user_says(ANN, "/start")
    wait_until(lambda: any(poll.answered for poll in telegram.requests("getUpdates")), what="the update to be with the bot, which waits for the lock")
    bot.send_signal(signal.SIGTERM)
    assert bot.wait(3) == 0
    held.close()


def test_a_second_poller_is_one_clear_line_and_no_traceback(telegram: FakeTelegram, bot: Process, log: Path) -> None:
    telegram.answer_next(409, "Conflict: terminated by other getUpdates request", times=2, methods=["getUpdates"])
    telegram.user_says(ANN, "/help")
    telegram.user_says(BOB, "/help")
    answers(telegram, ANN, timeout_s=20)
    answers(telegram, BOB, timeout_s=20)
    wait_until(lambda: "Telegram answers again" in log.read_text(), 20, "the end of the trouble")
    said = log.read_text()
    assert said.count("another process polls with this bot's token") == 1
    assert "Traceback" not in said and TOKEN not in said


def test_a_refused_token_is_said_once_without_showing_it(telegram: FakeTelegram, processes: Processes, log: Path) -> None:
    wrong = "4242:BBB-another-token-that-is-not-valid-00"
    process = start_bot(telegram, processes, log, TELEGRAM_BOT_TOKEN=wrong)
    wait_until(lambda: len(telegram.requests("getMe")) >= 2, 20, "the second try")
    assert process.poll() is None
    said = log.read_text()
    assert said.count("TELEGRAM_BOT_TOKEN is refused") == 1
    assert "Traceback" not in said and wrong not in said


def test_it_goes_on_when_the_network_is_back(telegram: FakeTelegram, bot: Process, log: Path) -> None:
    telegram.refuse_connections(for_s=3)
    telegram.user_says(ANN, "/help")
    answers(telegram, ANN, timeout_s=30)
    said = log.read_text()
    assert said.count("Telegram cannot be reached") == 1
    assert "Telegram answers again" in said and "Traceback" not in said


def test_without_a_token_it_says_what_to_set(processes: Processes, log: Path) -> None:
    process = processes.manage("run_bot", env={"TELEGRAM_BOT_TOKEN": ""}, log=log)
    assert process.wait(20) == 1
    assert log.read_text().count("\n") == 1
    assert "set TELEGRAM_BOT_TOKEN" in log.read_text()
