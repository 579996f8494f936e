"""How is a conversation played? The lines of a script against the real bot process and the fake Telegram, at a clock that stands still."""

import difflib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts import dispatcher, outbox
from alertsystem.broker import key, redis_client
from tests import stopped_clock
from tests.fakes import telegram_updates as updates
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_chats import WRITING, SentMessage
from tests.fakes.telegram_html import plain_text
from tests.fakes.telegram_server import Request
from tests.subscribers.script import DATA, INPUT, REPLY, TAP, Step, output, steps_of, text_of

FOLDER = Path(__file__).parent / "conversations"
NOW = datetime(2026, 11, 2, 14, 5, tzinfo=UTC)  # a Monday
PEOPLE = {"Ann": 1001, "Bob": 1002, "Eve": 1003}
CHATS = {"Desk": (-2002, "group"), "Market": (-1002003, "supergroup"), "News": (-1003003, "channel")}
ADMINS = {"Desk": ["Ann"], "Market": ["Ann"], "News": ["Ann"]}
ANONYMOUS = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
EVENTS = WRITING | {"answerCallbackQuery", "deleteMessage"}
SECRET = re.compile(r"\b[\w-]{32,}\b")  # differs from run to run
PATIENCE_S = 15.0  # for an answer that the script knows of
QUIET_S = 1.5  # without it: so long nothing more came
Stage = Mapping[str, Callable[[], object]]


@dataclass
class Conversation:
    """A bot that listens, people who talk to it, and a clock; `write` writes the files anew."""

    telegram: FakeTelegram
    clock: Path
    write: bool = False
    tapped: set[str] = field(default_factory=set)  # names of the buttons
    _seen: int = 0

    def __post_init__(self) -> None:
        self.set_clock(NOW)
        for chat, names in ADMINS.items():
            for name in names:
                self.telegram.set_member(CHATS[chat][0], PEOPLE[name], "administrator")

    @property
    def now(self) -> datetime:
        """What the bot's clock and this process's show."""
        return stopped_clock.reader(self.clock)()

    def set_clock(self, moment: datetime) -> None:
        """Move the clock."""
        stopped_clock.write(self.clock, moment)

    def pass_time(self, **span: float) -> None:
        """Move the clock on: `pass_time(minutes=10)`."""
        self.set_clock(self.now + timedelta(**span))

    def send_alerts(self) -> None:
        """Send and edit what waits, from this process."""
        outbox.resume()
        dispatcher.drain()

    def play(self, name: str, stage: Stage | None = None) -> None:
        """Play conversations/`name`.txt with what the test does at its stage directions; fails with what differs."""
        file = FOLDER / f"{name}.txt"
        stored = file.read_text()
        self.tapped = set()
        steps = steps_of(stored)
        in_step = True
        for step in steps:
            before, step.outputs = step.outputs, self._play(step, stage or {}, step.outputs if in_step and not self.write else None)
            in_step = in_step and before == step.outputs
        played = text_of(steps, self.tapped)
        if self.write:
            file.write_text(played)
        elif played != stored:
            diff = "\n".join(difflib.unified_diff(stored.splitlines(), played.splitlines(), f"conversations/{name}.txt", "what was said now", lineterm=""))
            pytest.fail(f"{diff}\n\nIf that is how it should read: pytest {Path(__file__).parent} -k {name} --write-conversations", pytrace=False)

    def _play(self, step: Step, stage: Stage, expected: list[str] | None) -> list[str]:
        """Do what the step says and return what the bot said; waits for what is expected, or until nothing more comes."""
        if waiting := list(redis_client().scan_iter(key("flood", "*"))):
            redis_client().delete(*waiting)  # people take their time between two lines; a test need not
        self._seen = len(self.telegram.journal)
        home, update_id = "", 0
        if step.stage:
            stage[step.stage]()
        else:
            home, update_id = self._input(step.line)
        changed_at, found, deadline = time.monotonic(), self._outputs(home), time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if (now_found := self._outputs(home)) != found:
                changed_at, found = time.monotonic(), now_found
            taken = all(update["update_id"] != update_id for update in self.telegram.updates.waiting)
            if taken and (found == expected if expected else time.monotonic() - changed_at > QUIET_S):
                break
            time.sleep(0.02)
        return found

    def _input(self, line: str) -> tuple[str, int]:
        """Let somebody say or tap something; the name of the chat ("" for a private one) and the update's id."""
        found = INPUT.fullmatch(line)
        assert found is not None
        who, where, said = found["who"] or "Ann", found["where"] or "", found["said"].replace("\\n", "\n")
        chat_id, chat_type = CHATS[where] if where else (PEOPLE[who], "")
        if (tap := TAP.fullmatch(said)) is not None:
            message, data = self._button(chat_id, tap["label"], len(tap["back"]))
            self.tapped.add(data.partition(":")[0])
            return where, self.telegram.user_presses(chat_id, data, message.message_id, PEOPLE[who])
        if (raw := DATA.fullmatch(said)) is not None:
            return where, self.telegram.user_presses(chat_id, raw["data"], None, PEOPLE[who])
        if who in CHATS:
            return where, self._say_as_chat(who, where, said)
        title = where or f"{who} Example"
        reply = said.startswith(REPLY)
        return where, self.telegram.user_says(chat_id, said.removeprefix(REPLY), PEOPLE[who], chat_type, title, reply=reply)

    def _say_as_chat(self, who: str, where: str, said: str) -> int:
        """A channel's post, or what an anonymous admin says in a group."""
        chat_id, chat_type = CHATS[where]
        message = updates.message(chat_id, said.removeprefix(REPLY), 1_000_000 + len(self.telegram.journal), 1, chat_type, where)
        message |= {"sender_chat": updates.chat(*CHATS[who], title=who)}
        if said.startswith(REPLY):
            message |= {"reply_to_message": self.telegram.chats.shown(self.telegram.sent_to(chat_id)[-1])}
        if chat_type == "channel":
            del message["from"]
            return self.telegram.push_update({"channel_post": message})
        return self.telegram.push_update({"message": message | {"from": ANONYMOUS}})

    def _button(self, chat_id: int, label: str, back: int) -> tuple[SentMessage, str]:
        """The message and the data of the newest button that reads so."""
        found = [
            (message, button["callback_data"])
            for message in reversed(self.telegram.sent_to(chat_id))
            for row in (message.reply_markup or {}).get("inline_keyboard", [])
            for button in row
            if button["text"] == label
        ]
        assert len(found) > back, f"there is no button [{label}]{'^' * back}"
        return found[back]

    def _outputs(self, home: str) -> list[str]:
        """What the bot did since the step began: toasts first, then each chat's messages in their order."""
        done = [request for request in self.telegram.journal[self._seen :] if request.method in EVENTS and request.answered == 200]
        said = [lines for lines in (_lines(request, home) for request in sorted(done, key=_order)) if lines]
        return [line for number, lines in enumerate(said) for line in ([""] if number else []) + lines]


def _order(request: Request) -> tuple[bool, str]:
    return request.method != "answerCallbackQuery", str(request.chat_id)


def _lines(request: Request, home: str) -> list[str]:
    params = request.params
    if request.method == "answerCallbackQuery":
        return output("~", "", str(params.get("text", "")))
    chat = next((name for name, (chat_id, _) in CHATS.items() if chat_id == request.chat_id), "")
    person = next((name for name, user_id in PEOPLE.items() if user_id == request.chat_id and name != "Ann"), "")
    where = chat if chat != home else ""
    if request.method == "deleteMessage":
        return output("-", where or person, "(a message is deleted)")
    html = str(params.get("text") or params.get("caption") or "")
    text = SECRET.sub("(a secret)", plain_text(html) if str(params.get("parse_mode", "")).lower() == "html" else html)
    file = str(params.get("document") or params.get("photo") or "")
    rows = [[button["text"] for button in row] for row in (params.get("reply_markup") or {}).get("inline_keyboard", [])]
    shown = "\n".join(part for part in (f"({file})" if file else "", text) if part)
    return output("=" if request.method.startswith("edit") else "<", where or person, shown, rows)
