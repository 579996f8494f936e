"""What do people do in Telegram? The updates of the fake, and how a poller gets them."""

import asyncio
import itertools
import re
import time
from typing import Any

Json = dict[str, Any]

NOT_BY_DEFAULT = {"chat_member", "message_reaction", "message_reaction_count"}
RESTRICTED = "is_member can_change_info can_invite_users can_pin_messages can_manage_topics can_send_messages can_send_audios can_send_documents"
RESTRICTED += " can_send_photos can_send_videos can_send_video_notes can_send_voice_notes can_send_polls can_send_other_messages"
RESTRICTED += " can_add_web_page_previews can_edit_tag can_react_to_messages"
MAX_UPDATES = 100
MAX_POLL_S = 50.0


class Updates:
    """The queue of updates that were not confirmed yet; lives in the fake's event loop."""

    def __init__(self) -> None:
        self.waiting: list[Json] = []
        self._ids = itertools.count(700_001)
        self._allowed: list[str] = []
        self._poll: asyncio.Future[bool] | None = None
        self._pushed = asyncio.Event()

    def push(self, update: Json) -> int:
        """Queue an update under the next id and wake the poller; returns the id."""
        update_id = next(self._ids)
        self.waiting.append({"update_id": update_id, **update})
        self._pushed.set()
        self._wake(True)
        return update_id

    async def poll(self, offset: int, timeout_s: float, limit: int, allowed: list[str] | None) -> list[Json] | None:
        """Updates from `offset` on, older ones are confirmed; None when another poll ended this one (409).

        A negative offset keeps that many of the newest, as documented.
        """
        self.end_poll()
        if allowed is not None:
            self.allow(allowed)
        self._confirm_before(offset)
        deadline = time.monotonic() + min(timeout_s, MAX_POLL_S)
        while not self.waiting and (left := deadline - time.monotonic()) > 0:
            self._poll = poll = asyncio.get_running_loop().create_future()
            try:
                if not await asyncio.wait_for(poll, left):
                    return None
            except TimeoutError:
                break
            finally:
                self._poll = None if self._poll is poll else self._poll
            self._confirm_before(offset)
        return self.waiting[:limit]

    async def first(self) -> Json:
        """The oldest update that a webhook wants, once there is one."""
        while True:
            self._confirm_before(0)
            if self.waiting:
                return self.waiting[0]
            self._pushed.clear()
            await self._pushed.wait()

    def confirm(self, update_id: int) -> None:
        """The webhook took this one."""
        self.waiting = [update for update in self.waiting if update["update_id"] != update_id]

    def allow(self, kinds: list[str]) -> None:
        """The kinds of updates that are wanted from now on; none: the usual ones."""
        self._allowed = kinds

    def end_poll(self) -> None:
        """End the poll that waits, if any, with a conflict."""
        self._wake(False)

    def _confirm_before(self, offset: int) -> None:
        if offset < 0:
            self.waiting = self.waiting[offset:]
        self.waiting = [update for update in self.waiting if update["update_id"] >= offset and self._wanted(update)]

    def _wanted(self, update: Json) -> bool:
        kind = next(key for key in update if key != "update_id")
        return kind in self._allowed if self._allowed else kind not in NOT_BY_DEFAULT

    def _wake(self, go_on: bool) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(go_on)


def chat(chat_id: int, chat_type: str = "", title: str = "") -> Json:
    """A chat; its type follows from the id when it is not given (-100... is a supergroup)."""
    kind = chat_type or ("private" if chat_id > 0 else "supergroup" if str(chat_id).startswith("-100") else "group")
    named = {"first_name": title or f"User {chat_id}"} if kind == "private" else {"title": title or f"Group {chat_id}"}
    return {"id": chat_id, "type": kind, **named}


def user(user_id: int, username: str = "") -> Json:
    """A person."""
    return {"id": user_id, "is_bot": False, "first_name": f"User {user_id}", "language_code": "en"} | ({"username": username} if username else {})


def message(chat_id: int, text: str, message_id: int, user_id: int | None = None, chat_type: str = "", title: str = "") -> Json:
    """A message of a person, with the entities of its commands."""
    sender = user_id if user_id is not None else abs(chat_id)
    commands = [
        {"type": "bot_command", "offset": len(text[: found.start()].encode("utf-16-le")) // 2, "length": len(found[0])}
        for found in re.finditer(r"(?<!\S)/\w{1,32}(?:@\w+)?", text)
    ]
    return {"message_id": message_id, "from": user(sender), "chat": chat(chat_id, chat_type, title), "date": int(time.time()), "text": text} | (
        {"entities": commands} if commands else {}
    )


def press(query_id: str, user_id: int, data: str, shown: Json) -> Json:
    """A tap on a button of the message `shown`."""
    return {"callback_query": {"id": query_id, "from": user(user_id), "chat_instance": "1", "data": data, "message": shown}}


def membership(chat_id: int, old: str, new: str, bot: Json, user_id: int, chat_type: str = "", title: str = "") -> Json:
    """The bot's own membership in a chat changed (`member`, `administrator`, `left`, `kicked`)."""
    return {
        "chat": chat(chat_id, chat_type, title),
        "from": user(user_id),
        "date": int(time.time()),
        "old_chat_member": member(bot, old),
        "new_chat_member": member(bot, new),
    }


def member(person: Json, status: str) -> Json:
    """A chat member with all fields that its status requires."""
    rights = "can_be_edited is_anonymous can_manage_chat can_delete_messages can_manage_video_chats can_restrict_members can_promote_members"
    rights += " can_change_info can_invite_users can_post_stories can_edit_stories can_delete_stories can_post_messages can_edit_messages"
    by_status: dict[str, Json] = {"administrator": dict.fromkeys(rights.split(), True), "kicked": {"until_date": 0}, "creator": {"is_anonymous": False}}
    by_status["restricted"] = dict.fromkeys(RESTRICTED.split(), True) | {"until_date": 0}
    return {"user": person, "status": status, **by_status.get(status, {})}
