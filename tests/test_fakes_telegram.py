"""Is the fake Telegram as strict, and as unreliable, as the real one? Asked with python-telegram-bot and with plain HTTP."""

import asyncio
import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from telegram import Bot, BotCommand, BotCommandScopeAllGroupChats, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter, TimedOut
from telegram.request import HTTPXRequest

from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_html import BadEntities, plain_text
from tests.fakes.telegram_limits import FloodLimits
from tests.fakes.telegram_webhook import SECRET_HEADER

TOKEN = "4242:secret"
CHAT, GROUP = 77, -1001234


@pytest.fixture
def telegram() -> Iterator[FakeTelegram]:
    with FakeTelegram(token=TOKEN) as running:
        yield running


def ask(telegram: FakeTelegram, *calls: Callable[[Bot], Awaitable[Any]], read_timeout: float = 5, token: str = TOKEN) -> list[Any]:
    """The results of the calls, one after the other, with one bot."""

    async def go() -> list[Any]:
        request = HTTPXRequest(read_timeout=read_timeout, connect_timeout=2)
        async with Bot(token, base_url=telegram.base_url, request=request, get_updates_request=request) as bot:
            return [await call(bot) for call in calls]

    return asyncio.run(go())


def say(chat: int) -> Callable[[Bot], Awaitable[Any]]:
    return lambda bot: bot.send_message(chat, "x")


def post(telegram: FakeTelegram, method: str, **params: Any) -> dict[str, Any]:
    answer: dict[str, Any] = requests.post(f"{telegram.base_url}{TOKEN}/{method}", json=params, timeout=10).json()
    return answer


def statuses(telegram: FakeTelegram, chats: list[int]) -> list[int]:
    for chat in chats:
        post(telegram, "sendMessage", chat_id=chat, text="x")
    return [request.answered for request in telegram.requests("sendMessage")]


def test_a_message_is_accepted_and_remembered_with_its_keyboard(telegram: FakeTelegram) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Mute", callback_data="mute:1")]])
    [message] = ask(telegram, lambda bot: bot.send_message(CHAT, "<b>3 &lt; 4</b> & more", "HTML", disable_notification=True, reply_markup=keyboard))
    assert (message.text, message.message_id) == ("3 < 4 & more", 1)
    [sent] = telegram.sent
    assert (sent.chat_id, sent.text, sent.silent) == (CHAT, "<b>3 &lt; 4</b> & more", True)
    assert sent.reply_markup == {"inline_keyboard": [[{"text": "Mute", "callback_data": "mute:1"}]]}
    assert [(request.method, request.answered) for request in telegram.journal] == [("getMe", 200), ("sendMessage", 200)]


def test_the_methods_of_a_bots_life_are_answered(telegram: FakeTelegram) -> None:
    commands, chat, member, admins, *_ = ask(
        telegram,
        lambda bot: bot.set_my_commands([BotCommand("start", "begin")]),
        lambda bot: bot.get_chat(GROUP),
        lambda bot: bot.get_chat_member(GROUP, 4242),
        lambda bot: bot.get_chat_administrators(GROUP),
        lambda bot: bot.delete_webhook(),
        lambda bot: bot.send_document(CHAT, b"a,b\n", caption="the history", filename="h.csv"),
        lambda bot: bot.delete_message(CHAT, 1),
        lambda bot: bot.leave_chat(GROUP),
    )
    assert (commands, chat.type, member.status, len(admins)) == (True, "supergroup", "administrator", 1)
    assert [command.command for command in ask(telegram, lambda bot: bot.get_my_commands())[0]] == ["start"]


def test_another_token_is_unauthorized(telegram: FakeTelegram) -> None:
    with pytest.raises(InvalidToken):
        ask(telegram, token="1:wrong")


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<b>open", 'Can\'t find end tag corresponding to start tag "b"'),
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("price <5 %", 'Unsupported start tag "5" at byte offset 6'),
        ("under <5", "Unclosed start tag at byte offset 6"),
        ("<div>x</div>", 'Unsupported start tag "div" at byte offset 0'),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<a href>x</a>", 'Expected equal sign in declaration of an attribute of the tag "a" at byte offset 0'),
    ],
)
def test_bad_html_is_refused(telegram: FakeTelegram, html: str, words: str) -> None:
    answer = post(telegram, "sendMessage", chat_id=CHAT, text=html, parse_mode="HTML")
    assert answer["description"] == f"Bad Request: can't parse entities: {words}"
    assert not telegram.sent


def test_good_html_keeps_its_text() -> None:
    html = '<a href="https://x.y/?a=1&amp;b=>">chart</a> <blockquote expandable>&#8805; $5M</blockquote><code>&nbsp;&gt;</code>'
    assert plain_text(html) == "chart ≥ $5M&nbsp;>"
    with pytest.raises(BadEntities):
        plain_text(html + "<")


def test_the_length_counts_after_parsing(telegram: FakeTelegram) -> None:
    fits = "<b>" + "&lt;" * 4096 + "</b>"
    assert post(telegram, "sendMessage", chat_id=CHAT, text=fits, parse_mode="HTML")["ok"]
    assert post(telegram, "sendMessage", chat_id=78, text="x" * 4097)["description"] == "Bad Request: message is too long"
    assert post(telegram, "sendMessage", chat_id=79, text=" ")["description"] == "Bad Request: message text is empty"


def test_a_button_holds_64_bytes(telegram: FakeTelegram) -> None:
    keyboard = {"inline_keyboard": [[{"text": "x", "callback_data": "é" * 33}]]}
    assert post(telegram, "sendMessage", chat_id=CHAT, text="x", reply_markup=keyboard)["description"] == "Bad Request: BUTTON_DATA_INVALID"


def test_an_edit_has_to_change_something(telegram: FakeTelegram) -> None:
    telegram.limits.chat_interval_s = 0
    with pytest.raises(BadRequest, match="Message is not modified"):
        ask(telegram, lambda bot: bot.send_message(CHAT, "one"), lambda bot: bot.edit_message_text("one", CHAT, 1))
    [edited] = ask(telegram, lambda bot: bot.edit_message_text("two", CHAT, 1))
    assert (edited.text, telegram.sent[0].text, telegram.sent[0].edits) == ("two", "two", ["two"])
    with pytest.raises(BadRequest, match="Message to edit not found"):
        ask(telegram, lambda bot: bot.edit_message_text("two", CHAT, 99))


def test_one_message_a_second_to_a_chat(telegram: FakeTelegram) -> None:
    assert statuses(telegram, [CHAT, CHAT, CHAT + 1]) == [200, 429, 200]


def test_a_short_burst_passes_where_the_chat_is_not_strict() -> None:
    with FakeTelegram(token=TOKEN, limits=FloodLimits(chat_burst=3)) as telegram:
        assert statuses(telegram, [CHAT] * 4) == [200, 200, 200, 429]


def test_thirty_messages_in_any_second_and_the_pause_holds_for_all(telegram: FakeTelegram) -> None:
    telegram.limits.per_second = 5
    assert statuses(telegram, list(range(1, 8))) == [200] * 5 + [429] * 2
    with pytest.raises(RetryAfter) as refused:
        ask(telegram, lambda bot: bot.send_message(999, "x"))
    assert refused.value.retry_after == 1 or getattr(refused.value.retry_after, "seconds", None) == 1
    wait_until(lambda: post(telegram, "sendMessage", chat_id=999, text="x")["ok"], 2)
    assert telegram.sent[5].at - telegram.requests("sendMessage")[5].at >= 0.999


def test_twenty_messages_a_minute_to_a_group() -> None:
    limits = FloodLimits(chat_interval_s=0)
    assert [limits.admit(GROUP, 100.0 + n) for n in range(20)] == [None] * 20
    assert limits.admit(GROUP, 121.0) == 39
    assert (limits.paused(GROUP, 150.0), limits.paused(CHAT, 150.0)) == (10, None)
    assert limits.admit(GROUP, 160.0) is None


def test_a_chat_may_be_gone(telegram: FakeTelegram) -> None:
    telegram.chat_blocks(1)
    telegram.chat_kicked(GROUP)
    telegram.chat_deactivated(3)
    telegram.chat_unknown(4)
    telegram.chat_migrates(-5, -1005)
    for chat, words in ((1, "bot was blocked by the user"), (GROUP, "bot was kicked from the supergroup chat"), (3, "user is deactivated")):
        with pytest.raises(Forbidden, match=words):
            ask(telegram, say(chat))
    with pytest.raises(BadRequest, match="Chat not found"):
        ask(telegram, lambda bot: bot.send_message(4, "x"))
    with pytest.raises(ChatMigrated) as moved:
        ask(telegram, lambda bot: bot.send_message(-5, "x"))
    assert moved.value.new_chat_id == -1005
    telegram.chat_returns(1)
    assert post(telegram, "sendMessage", chat_id=1, text="x")["ok"]


def test_errors_come_on_request(telegram: FakeTelegram) -> None:
    telegram.answer_next(502, "Bad Gateway")
    telegram.answer_next(429, retry_after=3)
    with pytest.raises(NetworkError, match="Bad Gateway"):
        ask(telegram, lambda bot: bot.send_message(1, "x"))
    with pytest.raises(RetryAfter):
        ask(telegram, lambda bot: bot.send_message(2, "x"))
    assert post(telegram, "sendMessage", chat_id=3, text="x")["parameters"] == {"retry_after": 3}
    assert not telegram.sent


def test_a_hanging_request_times_out_and_delivers_nothing(telegram: FakeTelegram) -> None:
    telegram.hang_next(5)
    with pytest.raises(TimedOut):
        ask(telegram, lambda bot: bot.send_message(1, "x"), read_timeout=0.2)
    assert not telegram.sent


def test_a_cut_request_was_delivered_and_never_answered(telegram: FakeTelegram) -> None:
    telegram.cut_next()
    with pytest.raises(NetworkError) as cut:
        ask(telegram, lambda bot: bot.send_message(1, "x"))
    assert type(cut.value.__cause__).__name__ in ("RemoteProtocolError", "ReadError")
    assert [sent.text for sent in telegram.sent] == ["x"]
    assert (telegram.journal[-1].accepted, telegram.journal[-1].answered) == (True, 0)


def test_refused_connections_come_back_on_the_same_port(telegram: FakeTelegram) -> None:
    telegram.refuse_connections()
    with pytest.raises(NetworkError) as refused:
        ask(telegram)
    assert type(refused.value.__cause__).__name__ == "ConnectError"
    telegram.accept_connections()
    assert ask(telegram, lambda bot: bot.send_message(1, "x"))[0].message_id == 1


def test_each_answer_takes_its_latency(telegram: FakeTelegram) -> None:
    telegram.set_latency(0.2)
    began = time.monotonic()
    post(telegram, "sendMessage", chat_id=1, text="x")
    assert time.monotonic() - began >= 0.2


def test_updates_are_confirmed_by_the_offset(telegram: FakeTelegram) -> None:
    first = telegram.user_says(CHAT, "/start now")
    telegram.my_chat_member(GROUP, "administrator")
    [updates] = ask(telegram, lambda bot: bot.get_updates(timeout=0))
    assert [update.update_id for update in updates] == [first, first + 1]
    assert updates[0].message.entities[0].type == "bot_command"
    assert updates[1].my_chat_member.new_chat_member.status == "administrator"
    [rest, none] = ask(telegram, lambda bot: bot.get_updates(offset=first + 1), lambda bot: bot.get_updates(offset=first + 2))
    assert ([update.update_id for update in rest], list(none)) == ([first + 1], [])


def test_a_pressed_button_names_its_message_and_is_answered(telegram: FakeTelegram) -> None:
    ask(telegram, lambda bot: bot.send_message(CHAT, "x"))
    telegram.user_presses(CHAT, "mute:1")
    [[update]] = ask(telegram, lambda bot: bot.get_updates())
    assert (update.callback_query.data, update.callback_query.message.message_id) == ("mute:1", 1)
    ask(telegram, lambda bot: bot.answer_callback_query(update.callback_query.id, "done"))
    assert telegram.chats.taps.answered[0]["text"] == "done"


def test_a_tap_is_answered_once_and_soon(telegram: FakeTelegram) -> None:
    ask(telegram, say(CHAT))
    telegram.user_presses(CHAT, "mute:1")
    telegram.user_presses(CHAT, "mute:1")
    once, late = (update["callback_query"]["id"] for update in post(telegram, "getUpdates")["result"])
    assert post(telegram, "answerCallbackQuery", callback_query_id=once, text="x" * 201)["description"] == "Bad Request: MESSAGE_TOO_LONG"
    assert post(telegram, "answerCallbackQuery", callback_query_id=once)["ok"]
    telegram.chats.taps.patience_s = 0
    for query in (once, late, "never"):
        assert post(telegram, "answerCallbackQuery", callback_query_id=query)["description"].startswith("Bad Request: query is too old")


def test_a_tap_on_a_deleted_message_shows_where_it_was_and_nothing_else(telegram: FakeTelegram) -> None:
    ask(telegram, say(CHAT), lambda bot: bot.delete_message(CHAT, 1))
    telegram.user_presses(CHAT, "mute:1")
    [[update]] = ask(telegram, lambda bot: bot.get_updates())
    assert (update.callback_query.message.is_accessible, update.callback_query.message.chat.id) == (False, CHAT)


def test_only_the_bots_own_messages_can_be_edited(telegram: FakeTelegram) -> None:
    telegram.user_says(CHAT, "hello")
    theirs = post(telegram, "getUpdates")["result"][0]["message"]["message_id"]
    with pytest.raises(BadRequest, match="Message can't be edited"):
        ask(telegram, lambda bot: bot.edit_message_text("mine now", CHAT, theirs))
    ask(telegram, lambda bot: bot.send_document(CHAT, b"a,b", filename="a.csv"))
    telegram.limits.chat_interval_s = 0
    with pytest.raises(BadRequest, match="There is no text in the message to edit"):
        ask(telegram, lambda bot: bot.edit_message_text("x", CHAT, 1))


def test_only_the_keyboard_changes(telegram: FakeTelegram) -> None:
    telegram.limits.chat_interval_s = 0
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Mute", callback_data="mute:1")]])
    ask(telegram, say(CHAT), lambda bot: bot.edit_message_reply_markup(CHAT, 1, reply_markup=keyboard))
    assert telegram.sent[0].reply_markup == keyboard.to_dict() and telegram.sent[0].text == "x"
    with pytest.raises(BadRequest, match="Message is not modified"):
        ask(telegram, lambda bot: bot.edit_message_reply_markup(CHAT, 1, reply_markup=keyboard))


def test_files_are_kept_as_they_were_sent(telegram: FakeTelegram) -> None:
    telegram.limits.chat_interval_s = 0
    photo, document = ask(
        telegram,
        lambda bot: bot.send_photo(CHAT, b"\x89PNG...", caption="<b>1 h</b>", parse_mode="HTML"),
        lambda bot: bot.send_document(CHAT, b"a,b\n", filename="h.csv"),
    )
    assert (photo.photo[0].width, photo.caption, document.document.file_name) == (1280, "1 h", "h.csv")
    assert [telegram.sent[0].params["photo"].content, telegram.sent[1].params["document"].content] == [b"\x89PNG...", b"a,b\n"]
    assert post(telegram, "sendPhoto", chat_id=CHAT)["description"] == "Bad Request: there is no photo in the request"


def test_members_are_what_a_test_makes_them(telegram: FakeTelegram) -> None:
    telegram.set_member(GROUP, 5, "creator")
    telegram.set_member(GROUP, 6, "left")
    telegram.set_member(GROUP, 8, "restricted")
    owner, gone, usual, muted, admins = ask(
        telegram,
        *(lambda bot, who=who: bot.get_chat_member(GROUP, who) for who in (5, 6, 7, 8)),
        lambda bot: bot.get_chat_administrators(GROUP),
    )
    assert [found.status for found in (owner, gone, usual, muted)] == ["creator", "left", "member", "restricted"]
    assert [admin.user.id for admin in admins] == [4242, 5]
    with pytest.raises(BadRequest, match="no administrators in the private chat"):
        ask(telegram, lambda bot: bot.get_chat_administrators(CHAT))


def test_commands_are_kept_by_scope_and_checked(telegram: FakeTelegram) -> None:
    scope = BotCommandScopeAllGroupChats()
    private, group = ask(
        telegram,
        lambda bot: bot.set_my_commands([BotCommand("start", "begin")]),
        lambda bot: bot.set_my_commands([BotCommand("help", "this")], scope=scope),
        lambda bot: bot.get_my_commands(),
        lambda bot: bot.get_my_commands(scope=scope),
    )[2:]
    assert [command.command for command in (*private, *group)] == ["start", "help"]
    assert post(telegram, "setMyCommands", commands=[{"command": "Start", "description": "x"}])["description"] == "Bad Request: BOT_COMMAND_INVALID"


def test_unwanted_updates_are_not_given(telegram: FakeTelegram) -> None:
    telegram.user_says(CHAT, "hello")
    assert list(ask(telegram, lambda bot: bot.get_updates(allowed_updates=["my_chat_member"]))[0]) == []


def test_a_long_poll_ends_with_the_update(telegram: FakeTelegram) -> None:
    answers: list[dict[str, Any]] = []
    poller = threading.Thread(target=lambda: answers.append(post(telegram, "getUpdates", timeout=10)))
    poller.start()
    wait_until(lambda: bool(telegram.requests("getUpdates")), 2)
    telegram.user_says(CHAT, "hello")
    poller.join(5)
    assert answers[0]["result"][0]["message"]["text"] == "hello"


def test_a_second_poller_is_a_conflict(telegram: FakeTelegram) -> None:
    answers: list[dict[str, Any]] = []
    poller = threading.Thread(target=lambda: answers.append(post(telegram, "getUpdates", timeout=10)))
    poller.start()
    wait_until(lambda: bool(telegram.requests("getUpdates")), 2)
    post(telegram, "getUpdates", timeout=0)
    poller.join(5)
    assert (answers[0]["error_code"], answers[0]["description"].split(":")[0]) == (409, "Conflict")


def test_a_webhook_and_polling_exclude_each_other(telegram: FakeTelegram) -> None:
    post(telegram, "setWebhook", url="https://example.org/hook")
    with pytest.raises(Conflict):
        ask(telegram, lambda bot: bot.get_updates())
    post(telegram, "deleteWebhook")
    assert post(telegram, "getUpdates")["ok"]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"url": "http://example.org/hook"}, "An HTTPS URL must be provided for webhook"),
        ({"url": "https://example.org", "secret_token": "no spaces"}, "secret token contains unallowed characters"),
        ({"url": "https://example.org", "max_connections": 101}, "max_connections is invalid"),
    ],
)
def test_a_webhook_that_telegram_would_not_take_is_refused(telegram: FakeTelegram, params: dict[str, Any], words: str) -> None:
    assert words in post(telegram, "setWebhook", **params)["description"]
    assert post(telegram, "getWebhookInfo")["result"]["url"] == ""


def test_a_webhook_gets_each_update_until_it_takes_it(telegram: FakeTelegram) -> None:
    got: list[tuple[str | None, str]] = []
    statuses = iter([500, 200, 200])

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            got.append((self.headers[SECRET_HEADER], body["message"]["text"]))
            self.send_response(next(statuses))
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    post(telegram, "setWebhook", url=f"http://127.0.0.1:{server.server_address[1]}/hook", secret_token="s3cret")
    telegram.user_says(CHAT, "one")
    telegram.user_says(CHAT, "two")
    wait_until(lambda: post(telegram, "getWebhookInfo")["result"]["pending_update_count"] == 0, 5)
    server.shutdown()
    server.server_close()
    assert got == [("s3cret", "one"), ("s3cret", "one"), ("s3cret", "two")]
    info = post(telegram, "getWebhookInfo")["result"]
    assert (info["last_error_message"], info["max_connections"]) == ("Wrong response from the webhook: 500", 40)


def test_it_runs_as_a_process_with_controls_over_http() -> None:
    process = subprocess.Popen([sys.executable, "-m", "tests.fakes.telegram", "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        word, url = process.stdout.readline().split()
        assert word == "ready"
        requests.post(f"{url}/_fake/answer_next", json={"status": 500}, timeout=5).raise_for_status()
        assert requests.get(f"{url}/bot1:x/sendMessage", params={"chat_id": "1", "text": "x"}, timeout=5).status_code == 500
        journal = json.load(urllib.request.urlopen(f"{url}/_fake/journal", timeout=5))
        assert [(request["method"], request["answered"]) for request in journal] == [("sendMessage", 500)]
        requests.post(f"{url}/_fake/refuse_connections", json={"for_s": 0.3}, timeout=5).raise_for_status()
        wait_until(lambda: not answers(url), 2)
        wait_until(lambda: answers(url), 2)
    finally:
        process.terminate()
        assert process.wait(5) == 0


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/bot1:x/getMe", timeout=1).ok
    except requests.ConnectionError:
        return False


def wait_until(true: Callable[[], bool], seconds: float) -> None:
    """Poll until `true()`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
