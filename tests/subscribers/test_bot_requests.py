"""Which updates are meant for the bot, and what they ask."""

import pytest
from telegram import ChatMemberUpdated, Message

from subscribers.bot.requests import Move, Question, move_of, question_of
from tests.fakes.telegram_server import BOT
from tests.fakes.telegram_updates import Json, membership, message

KNOWN = frozenset({"start", "help"})
PRIVATE, GROUP, CHANNEL = 7, -5, -1005


def asked(chat_id: int, text: str, fields: Json | None = None) -> Question | None:
    return question_of(Message.de_json(message(chat_id, text, 1) | (fields or {}), None), "our_bot", KNOWN)


@pytest.mark.parametrize(
    ("chat_id", "text", "question"),
    [
        (PRIVATE, "/start", Question("start")),
        (PRIVATE, "/start payload", Question("start", "payload")),
        (PRIVATE, "/start@our_bot  BTC\n2M ", Question("start", "BTC\n2M")),
        (PRIVATE, "/HELP", Question("help")),
        (PRIVATE, "/start@our_bot", Question("start")),
        (PRIVATE, "/start@other_bot", None),
        (PRIVATE, " hello ", Question("", "hello")),
        (PRIVATE, "\u202e/start \u200fBTC 2M\ufeff", Question("start", "BTC 2M")),
        (PRIVATE, "/nonsense", Question("", "/nonsense")),
        (PRIVATE, "/help_17", Question("help", "17")),
        (GROUP, "/help_17@our_bot", Question("help", "17")),
        (PRIVATE, "/help_me", Question("", "/help_me")),
        (PRIVATE, "/startle", Question("", "/startle")),
        (PRIVATE, "/ start", Question("", "/ start")),
        (GROUP, "/start", Question("start")),
        (GROUP, "/start@OUR_BOT", Question("start")),
        (GROUP, "/start@other_bot", None),
        (GROUP, "/nonsense", None),
        (GROUP, "/nonsense@our_bot", Question("", "/nonsense@our_bot")),
        (GROUP, "hello /start", None),
    ],
)
def test_what_a_message_asks(chat_id: int, text: str, question: Question | None) -> None:
    assert asked(chat_id, text) == question


def test_other_bots_are_never_answered_but_an_anonymous_admin_is() -> None:
    robot = {"id": 5, "is_bot": True, "first_name": "Robot"}
    assert asked(GROUP, "/start", {"from": robot}) is None
    assert asked(GROUP, "/start", {"from": robot, "sender_chat": {"id": GROUP, "type": "supergroup", "title": "Desk"}}) == Question("start")


def test_in_a_group_a_reply_to_the_bots_own_message_is_meant_for_it() -> None:
    ours, theirs = message(GROUP, "Which time zone?", 4) | {"from": BOT | {"username": "our_bot"}}, message(GROUP, "Which time zone?", 4)
    assert asked(GROUP, "Europe/Zurich", {"reply_to_message": ours}) == Question("", "Europe/Zurich")
    assert asked(GROUP, "Europe/Zurich", {"reply_to_message": theirs}) is None


def test_in_a_channel_any_reply_may_be_meant_for_it_for_its_posts_have_no_author() -> None:
    chat = {"id": CHANNEL, "type": "channel", "title": "News"}
    post = {**message(CHANNEL, "Which time zone?", 4), "chat": chat, "sender_chat": chat}
    del post["from"]
    assert asked(CHANNEL, "Europe/Zurich", {"chat": chat, "from": None, "sender_chat": chat, "reply_to_message": post}) == Question("", "Europe/Zurich")
    assert asked(CHANNEL, "Europe/Zurich", {"chat": chat, "from": None, "sender_chat": chat}) is None


def test_a_service_message_in_private_asks_nothing() -> None:
    assert asked(PRIVATE, "", {"text": None, "message_auto_delete_timer_changed": {"message_auto_delete_time": 60}}) is None


@pytest.mark.parametrize(
    ("chat_id", "chat_type", "old", "new", "move"),
    [
        (CHANNEL, "channel", "left", "administrator", Move.JOINED_CHANNEL),
        (CHANNEL, "channel", "administrator", "administrator", None),
        (CHANNEL, "channel", "administrator", "left", Move.LEFT),
        (CHANNEL, "channel", "administrator", "kicked", Move.LEFT),
        (GROUP, "", "left", "member", Move.JOINED_GROUP),
        (GROUP, "", "member", "administrator", None),
        (GROUP, "", "member", "kicked", Move.LEFT),
        (PRIVATE, "", "member", "kicked", Move.LEFT),
        (PRIVATE, "", "kicked", "member", None),
    ],
)
def test_what_the_bots_own_coming_and_going_means(chat_id: int, chat_type: str, old: str, new: str, move: Move | None) -> None:
    change = ChatMemberUpdated.de_json(membership(chat_id, old, new, BOT, 1, chat_type), None)
    assert move_of(change) == move


def test_an_admin_of_a_channel_who_may_not_post_is_as_good_as_gone() -> None:
    update = membership(CHANNEL, "administrator", "administrator", BOT, 1, "channel")
    update["new_chat_member"]["can_post_messages"] = False
    assert move_of(ChatMemberUpdated.de_json(update, None)) is Move.LEFT
