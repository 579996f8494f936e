"""What would the Bot API answer? Chats, their messages and Telegram's refusals; no sockets, no clock of limits."""

import itertools
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.telegram_html import BadEntities, plain_text
from tests.fakes.telegram_people import Members, Taps
from tests.fakes.telegram_refusal import Refused
from tests.fakes.telegram_updates import Json, chat

MAX_TEXT = 4096  # UTF-16 units after parsing: the unit of Telegram's own offsets
MAX_CAPTION = 1024
MAX_BUTTON_BYTES = 64
MAX_BUTTONS = 100
MAX_COMMANDS, MAX_DESCRIPTION = 100, 256
COMMAND = re.compile(r"[a-z0-9_]{1,32}")
FILES = {"sendPhoto": "photo", "sendDocument": "document"}
SENDING = frozenset({"sendMessage", "sendPhoto", "sendDocument"})
WRITING = SENDING | {"editMessageText", "editMessageReplyMarkup"}  # what the flood limits count


class Upload(str):
    """A file as a parameter: reads "file:its name", and has the bytes."""

    content: bytes = b""

    @classmethod
    def of(cls, name: str, content: bytes) -> "Upload":
        """An upload of this name."""
        upload = cls(f"file:{name}")
        upload.content = content
        return upload

    @property
    def name(self) -> str:
        """The file's name."""
        return self.removeprefix("file:")


@dataclass
class SentMessage:
    """An accepted message: `text` and `params` as they were sent, `plain` without markup, `edits` the later texts.

    `at` is monotonic, `at_epoch` the wall clock, both in seconds, at the arrival of the request.
    """

    method: str
    message_id: int
    chat_id: int | str
    text: str
    plain: str
    params: Json
    at: float
    at_epoch: float
    edits: list[str] = field(default_factory=list)
    deleted: bool = False

    @property
    def reply_markup(self) -> Json | None:
        """The keyboard the message has now."""
        return self.params.get("reply_markup") or None

    @property
    def silent(self) -> bool:
        """Whether it came without a sound."""
        return self.params.get("disable_notification") in (True, "true", "True", 1, "1")


class Chats:
    """Answers each method from its parameters and remembers what was sent."""

    def __init__(self, bot: Json) -> None:
        self.bot = bot
        self.sent: list[SentMessage] = []
        self.refusals: dict[int | str, Refused] = {}
        self.known: set[int | str] | None = None
        self.named: dict[int | str, tuple[str, str]] = {}  # type and title, where they do not follow from the id
        self.commands: list[Json] = []
        self.commands_of: dict[str, list[Json]] = {}
        self.taps, self.members = Taps(), Members(bot)
        self.others: set[tuple[int | str, int]] = set()  # messages of people, which a bot cannot edit
        self.files: set[str] = set()  # names of the files that were uploaded
        self._standing: dict[tuple[int | str, int], SentMessage] = {}
        self._ids = itertools.count(1)
        self.methods: dict[str, Callable[[Json], Any]] = {
            "getMe": lambda _: {**bot, "can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": False},
            "sendMessage": lambda params: self._send("sendMessage", params, "text", MAX_TEXT),
            "sendPhoto": lambda params: self._send("sendPhoto", params, "caption", MAX_CAPTION),
            "sendDocument": lambda params: self._send("sendDocument", params, "caption", MAX_CAPTION),
            "editMessageText": self._edit_text,
            "editMessageReplyMarkup": self._edit_markup,
            "deleteMessage": self._delete,
            "answerCallbackQuery": self.taps.answer,
            "setMyCommands": self._set_commands,
            "deleteMyCommands": lambda params: self._set_commands({**params, "commands": []}),
            "getMyCommands": lambda params: self.commands_of.get(_scope(params), []),
            "getChat": lambda params: {**chat(int(self._chat(params))), "accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": _NO_GIFTS},
            "getChatMember": lambda params: self.members.get(self._chat(params), int(params["user_id"])),
            "getChatAdministrators": lambda params: self.members.administrators(self._chat(params)),
            "leaveChat": lambda params: bool(self._chat(params)),
        }

    def answer(self, method: str, params: Json) -> Any:
        """The `result` of a method; Refused when Telegram would refuse it."""
        found = self.methods.get(method)
        if found is None:
            raise Refused(404, "Not Found: method not found")
        return found(params)

    def check(self, method: str, params: Json) -> None:
        """Refused when the chat or the text of a writing method would be refused; changes nothing."""
        chat_id = self._chat(params)
        _check_buttons(params)
        if method in ("sendMessage", "editMessageText"):
            _parsed(params, "text", MAX_TEXT)
        elif method in SENDING:
            _parsed(params, "caption", MAX_CAPTION)
        if method in FILES and not params.get(FILES[method]):
            raise Refused(400, f"Bad Request: there is no {FILES[method]} in the request")
        if method in FILES and not isinstance(given := params[FILES[method]], Upload) and given not in self.files:
            raise Refused(400, "Bad Request: wrong file identifier/HTTP URL specified")
        if method not in SENDING:
            current = self.message(chat_id, int(params.get("message_id", 0)))
            if method == "editMessageText" and current.method != "sendMessage":
                raise Refused(400, "Bad Request: there is no text in the message to edit")
            text = current.text if method == "editMessageReplyMarkup" else params["text"]
            if (text, params.get("reply_markup") or None) == (current.text, current.reply_markup):
                raise Refused(400, _NOT_MODIFIED)

    def message(self, chat_id: int | str, message_id: int) -> SentMessage:
        """A message of the bot that still stands."""
        message = self._standing.get((chat_id, message_id))
        if message is None and (chat_id, message_id) in self.others:
            raise Refused(400, "Bad Request: message can't be edited")
        if message is None:
            raise Refused(400, "Bad Request: message to edit not found")
        return message

    def _chat(self, params: Json) -> int | str:
        chat_id = params.get("chat_id")
        if chat_id in (None, ""):
            raise Refused(400, "Bad Request: chat_id is empty")
        assert isinstance(chat_id, int | str)
        if chat_id in self.refusals:
            raise self.refusals[chat_id]
        if self.known is not None and chat_id not in self.known:
            raise Refused(400, "Bad Request: chat not found")
        return chat_id

    def _send(self, method: str, params: Json, key: str, limit: int) -> Json:
        message = SentMessage(
            method=method,
            message_id=next(self._ids),
            chat_id=self._chat(params),
            text=str(params.get(key, "")),
            plain=_parsed(params, key, limit),
            params=dict(params),
            at=time.monotonic(),
            at_epoch=time.time(),
        )
        self.sent.append(message)
        self._standing[message.chat_id, message.message_id] = message
        if method in FILES:
            self.files.add(_file_id(message))
        return self.shown(message)

    def _edit_text(self, params: Json) -> Json:
        message = self.message(self._chat(params), int(params["message_id"]))
        message.text, message.plain = (str(params["text"]), _parsed(params, "text", MAX_TEXT))
        message.edits.append(message.text)
        message.params["reply_markup"] = params.get("reply_markup")
        return self.shown(message)

    def _edit_markup(self, params: Json) -> Json:
        message = self.message(self._chat(params), int(params["message_id"]))
        message.params["reply_markup"] = params.get("reply_markup")
        return self.shown(message)

    def _delete(self, params: Json) -> bool:
        message = self._standing.pop((self._chat(params), int(params["message_id"])), None)
        if message is None:
            raise Refused(400, "Bad Request: message to delete not found")
        message.deleted = True
        return True

    def _set_commands(self, params: Json) -> bool:
        commands = params.get("commands", [])
        if len(commands) > MAX_COMMANDS:
            raise Refused(400, "Bad Request: too many commands")
        for command in commands:
            if not COMMAND.fullmatch(command["command"]) or not 1 <= len(command["description"]) <= MAX_DESCRIPTION:
                raise Refused(400, "Bad Request: BOT_COMMAND_INVALID")
        self.commands_of[_scope(params)] = commands
        self.commands = self.commands_of.get("default", [])
        return True

    def shown(self, message: SentMessage) -> Json:
        """The message as the Bot API shows it."""
        named = self.named.get(message.chat_id, ("", ""))
        where = chat(message.chat_id, *named) if isinstance(message.chat_id, int) else {"id": -1001, "type": "channel", "username": message.chat_id}
        sender = {"sender_chat": where} if where["type"] == "channel" else {"from": self.bot}  # a channel does not say who posted
        body: Json = {"message_id": message.message_id, **sender, "chat": where, "date": int(message.at_epoch)}
        body["text" if message.method == "sendMessage" else "caption"] = message.plain
        file = {"file_id": _file_id(message), "file_unique_id": f"u{message.message_id}"}
        if message.method == "sendPhoto":
            body["photo"] = [file | {"width": 1280, "height": 720}]
        elif message.method == "sendDocument":
            body["document"] = file | {"file_name": getattr(message.params["document"], "name", "")}
        inline = (message.reply_markup or {}).get("inline_keyboard")
        return body | ({"reply_markup": message.reply_markup} if inline else {}) | ({"edit_date": int(time.time())} if message.edits else {})


def _file_id(message: SentMessage) -> str:
    """A file that was sent by its name keeps it."""
    given = message.params.get(FILES.get(message.method, ""), "")
    return f"file-{message.message_id}" if isinstance(given, Upload) else str(given)


def _parsed(params: Json, key: str, limit: int) -> str:
    text = str(params.get(key, ""))
    mode = str(params.get("parse_mode", "")).lower()
    try:
        plain = (plain_text(text) if mode == "html" else text).strip()
    except BadEntities as problem:
        raise Refused(400, f"Bad Request: can't parse entities: {problem}") from None
    if not plain and key == "text":
        raise Refused(400, "Bad Request: message text is empty")
    if len(plain.encode("utf-16-le")) // 2 > limit:
        raise Refused(400, "Bad Request: message is too long" if key == "text" else "Bad Request: message caption is too long")
    return plain


def _scope(params: Json) -> str:
    return str((params.get("scope") or {}).get("type", "default"))


def _check_buttons(params: Json) -> None:
    rows = (params.get("reply_markup") or {}).get("inline_keyboard", [])
    if sum(map(len, rows)) > MAX_BUTTONS:
        raise Refused(400, "Bad Request: reply markup is too long")
    for row in rows:
        for button in row:
            if not button.get("text"):
                raise Refused(400, "Bad Request: text buttons are unallowed in the inline keyboard")
            if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= MAX_BUTTON_BYTES:
                raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")


_NO_GIFTS = dict.fromkeys(("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False)
_NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup"
    " are exactly the same as a current content and reply markup of the message"
)
