"""Whose word counts in a group, a channel and a private chat: the real bot process against the fake Telegram."""

from subscribers.bot import texts
from subscribers.models import Subscriber
from tests.fakes import telegram_updates as updates
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_server import BOT
from tests.harness import Process, wait_until
from tests.subscribers.test_bot import ANN, BOB, GROUP, answers, bot, is_active, log, says, settled, telegram

__all__ = ["bot", "log", "telegram"]
ADMIN = abs(GROUP)
EVE = 1003


def says_in_group(telegram: FakeTelegram, text: str, user_id: int) -> str:
    """Say it in the group and return what the bot answers there."""
    before = len(telegram.sent_to(GROUP))
    telegram.user_says(GROUP, text, user_id)
    return answers(telegram, GROUP, before + 1)[-1].plain


def test_only_an_admin_changes_what_a_group_gets_and_anybody_may_look(telegram: FakeTelegram, bot: Process) -> None:
    assert says_in_group(telegram, "/start", EVE) == texts.ADMINS_ONLY
    assert is_active(GROUP) is None
    assert "Feeds" in says_in_group(telegram, "/status", EVE)
    assert "You are subscribed" in says_in_group(telegram, "/start", ADMIN)
    assert says_in_group(telegram, "/stop", EVE) == texts.ADMINS_ONLY
    assert is_active(GROUP)


def test_who_is_an_admin_is_asked_once_in_a_while(telegram: FakeTelegram, bot: Process) -> None:
    for _ in range(3):
        says_in_group(telegram, "/start", ADMIN)
    says_in_group(telegram, "/start", EVE)
    says_in_group(telegram, "/start", EVE)
    assert [request.params["user_id"] for request in telegram.requests("getChatMember")] == [str(ADMIN), str(EVE)]


def test_an_anonymous_admin_writes_as_the_group_and_a_channel_is_nobody_in_it(telegram: FakeTelegram, bot: Process) -> None:
    robot = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    message = updates.message(GROUP, "/start", 5, 1)
    telegram.answer_next(400, "Bad Request: invalid user_id specified", methods=["getChatMember"])  # as Telegram says of a channel
    telegram.push_update({"message": message | {"from": robot, "sender_chat": updates.chat(-1009)}})
    wait_until(lambda: [sent.plain for sent in telegram.sent_to(GROUP)] == [texts.ADMINS_ONLY], what="the refusal")
    telegram.push_update({"message": message | {"from": robot, "sender_chat": updates.chat(GROUP)}})
    wait_until(lambda: is_active(GROUP), what="the subscription")


def test_while_telegram_does_not_say_who_is_an_admin_nothing_changes(telegram: FakeTelegram, bot: Process) -> None:
    telegram.answer_next(500, methods=["getChatMember"])
    assert says_in_group(telegram, "/start", ADMIN) == texts.ADMINS_UNKNOWN
    assert is_active(GROUP) is None
    assert "You are subscribed" in says_in_group(telegram, "/start", ADMIN)


def test_a_channels_post_reaching_its_discussion_group_asks_nothing(telegram: FakeTelegram, bot: Process) -> None:
    message = updates.message(GROUP, "/status", 5, 777000) | {"sender_chat": updates.chat(-1009), "is_automatic_forward": True}
    telegram.push_update({"message": message})
    settled(telegram)
    assert telegram.sent_to(GROUP) == []


def test_a_button_that_is_none_is_said_to_be_too_old(telegram: FakeTelegram, bot: Process) -> None:
    says(telegram, ANN, "/help")
    strange = ["", "x", "gone:1:2", "x" * 64, "\ud800:1", "\x00", ":"]
    for data in strange:
        telegram.user_presses(ANN, data)
    wait_until(lambda: len(telegram.chats.taps.answered) == len(strange), what="the words over the chat")
    assert {answer.get("text") for answer in telegram.chats.taps.answered} == {texts.OLD_BUTTON}
    assert len(telegram.sent_to(ANN)) == 1 and bot.poll() is None


def test_in_a_group_with_topics_the_answer_goes_where_it_was_asked(telegram: FakeTelegram, bot: Process) -> None:
    message = updates.message(GROUP, "/help", 5, EVE) | {"message_thread_id": 77}
    telegram.push_update({"message": message | {"is_topic_message": True}})
    answers(telegram, GROUP, 1)
    telegram.push_update({"message": message})  # the thread of a reply, in a group without topics
    answers(telegram, GROUP, 2)
    assert [sent.params.get("message_thread_id") for sent in telegram.sent_to(GROUP)] == ["77", None]


def test_a_group_that_is_subscribed_is_not_greeted_again_as_a_supergroup(telegram: FakeTelegram, bot: Process) -> None:
    """Telegram tells that the bot is in the supergroup, and of the new id."""
    says_in_group(telegram, "/start", ADMIN)
    moved = {key: value for key, value in updates.message(GROUP, "", 5, ADMIN).items() if key != "text"}

    async def push() -> None:
        telegram.updates.push({"my_chat_member": updates.membership(-1009, "left", "member", BOT, ADMIN, "supergroup", "Desk")})
        telegram.updates.push({"message": moved | {"migrate_to_chat_id": -1009}})

    telegram.thread.run(push())
    telegram.my_chat_member(-1008, "member", title="Other", chat_type="supergroup")
    assert answers(telegram, -1008)[0].plain == texts.GROUP_HELLO
    assert is_active(-1009) and telegram.sent_to(-1009) == []


def test_nobody_taps_in_anothers_private_chat(telegram: FakeTelegram, bot: Process) -> None:
    says(telegram, ANN, "/start")
    message = telegram.chats.shown(telegram.sent_to(ANN)[-1])
    telegram.push_update(updates.press("1", BOB, "gone", message))
    telegram.push_update({"message": updates.message(ANN, "/stop", 6, BOB)})
    settled(telegram)
    assert is_active(ANN)
    assert not Subscriber.objects.filter(chat_id=BOB).exists()
