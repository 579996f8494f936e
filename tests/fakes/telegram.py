"""What does Telegram see of us? A Bot API server on 127.0.0.1 that enforces Telegram's rules, and misbehaves on request.

In a test: `with FakeTelegram() as telegram: Bot(token, base_url=telegram.base_url)`.
As a process: `python -m tests.fakes.telegram --port N`; prints `ready http://127.0.0.1:N`, answers
GET /_fake/journal and /_fake/sent, and POST /_fake/<control> with the control's arguments as JSON.
"""

import argparse
import asyncio
import dataclasses
import signal
import time
from collections.abc import Iterable

from aiohttp import web

from tests.fakes import telegram_updates as updates
from tests.fakes.telegram_chats import WRITING, SentMessage
from tests.fakes.telegram_limits import FloodLimits
from tests.fakes.telegram_refusal import Refused
from tests.fakes.telegram_server import BOT, BotServer, Fault, Request, json_answer
from tests.fakes.telegram_updates import Json

PEOPLE = ("user_says", "user_presses", "my_chat_member", "set_member", "push_update")
CHATS = ("chat_blocks", "chat_kicked", "chat_deactivated", "chat_migrates", "chat_unknown", "chat_returns")
FAULTS = ("answer_next", "hang_next", "cut_next", "set_latency", "clear", "refuse_connections", "accept_connections")
CONTROLS = frozenset({*PEOPLE, *CHATS, *FAULTS})


class FakeTelegram(BotServer):
    """The server with everything a test wants to see and to make happen."""

    @property
    def sent(self) -> list[SentMessage]:
        """Every accepted message, in order."""
        return self.chats.sent

    def sent_to(self, chat_id: int | str) -> list[SentMessage]:
        """The accepted messages of one chat."""
        return [message for message in self.sent if message.chat_id == chat_id]

    def requests(self, method: str) -> list[Request]:
        """The requests of one method, refused ones too."""
        return [request for request in self.journal if request.method == method]

    # What people do

    def push_update(self, update: Json) -> int:
        """Queue an update without its id; returns the id."""
        return self.thread.run(self._push(update))

    def user_says(self, chat_id: int, text: str, user_id: int | None = None, chat_type: str = "", title: str = "", *, reply: bool = False) -> int:
        """A person writes in a chat, `reply`: as a reply to the bot's newest message; returns the update id."""
        message_id = 1_000_000 + len(self.journal)
        self.chats.others.add((chat_id, message_id))
        self._name(chat_id, chat_type, title)
        kind = "channel_post" if chat_type == "channel" else "message"
        answered = {"reply_to_message": self.chats.shown(self.sent_to(chat_id)[-1])} if reply else {}
        return self.push_update({kind: updates.message(chat_id, text, message_id, user_id, chat_type, title) | answered})

    def user_presses(self, chat_id: int, data: str, message_id: int | None = None, user_id: int | None = None) -> int:
        """A person presses a button of the chat's newest message (or of `message_id`); whether the message has that button is not looked at."""
        message = next(sent for sent in reversed(self.sent_to(chat_id)) if message_id in (None, sent.message_id))
        shown = self.chats.shown(message)
        if message.deleted:
            shown = {"message_id": message.message_id, "chat": shown["chat"], "date": 0}  # what the Bot API calls inaccessible
        return self.push_update(updates.press(str(time.monotonic_ns()), user_id or abs(chat_id), data, shown))

    def set_member(self, chat_id: int, user_id: int, status: str) -> None:
        """What a person is in a chat from now on: creator, administrator, member, restricted, left or kicked."""
        self.chats.members.set(chat_id, user_id, status)

    def my_chat_member(self, chat_id: int, new: str, old: str = "left", user_id: int = 1, chat_type: str = "", title: str = "") -> int:
        """The bot is added to, promoted in or removed from a chat."""
        self._name(chat_id, chat_type, title)
        return self.push_update({"my_chat_member": updates.membership(chat_id, old, new, BOT, user_id, chat_type, title)})

    # What becomes of chats

    def chat_blocks(self, chat_id: int) -> None:
        """The person blocks the bot."""
        self.chats.refusals[chat_id] = Refused(403, "Forbidden: bot was blocked by the user")

    def chat_kicked(self, chat_id: int) -> None:
        """The group removes the bot."""
        kind = updates.chat(chat_id)["type"]
        self.chats.refusals[chat_id] = Refused(403, f"Forbidden: bot was kicked from the {kind} chat")

    def chat_deactivated(self, chat_id: int) -> None:
        """The person's account is deleted."""
        self.chats.refusals[chat_id] = Refused(403, "Forbidden: user is deactivated")

    def chat_unknown(self, chat_id: int) -> None:
        """There is no such chat."""
        self.chats.refusals[chat_id] = Refused(400, "Bad Request: chat not found")

    def chat_migrates(self, chat_id: int, new_id: int) -> None:
        """The group becomes a supergroup."""
        self.chats.refusals[chat_id] = Refused(400, "Bad Request: group chat was upgraded to a supergroup chat", {"migrate_to_chat_id": new_id})

    def chat_returns(self, chat_id: int) -> None:
        """Everything is well again with the chat."""
        self.chats.refusals.pop(chat_id, None)

    # What goes wrong on the way

    def answer_next(
        self, status: int, description: str = "", retry_after: int | None = None, times: int = 1, methods: Iterable[str] = WRITING, accept: bool = False
    ) -> None:
        """Answer the next requests of `methods` with an error; `retry_after` is then in force for all. `accept`: do the work all the same."""
        words = description or {429: f"Too Many Requests: retry after {retry_after}"}.get(status, "Internal Server Error")
        parameters = {"retry_after": retry_after} if retry_after is not None else {}
        self.faults.append(Fault(frozenset(methods), times, Refused(status, words, parameters), accept=accept))

    def hang_next(self, seconds: float, times: int = 1, methods: Iterable[str] = WRITING, accept: bool = False) -> None:
        """Do not answer the next requests for `seconds`, then close; `accept`: the message is delivered all the same."""
        self.faults.append(Fault(frozenset(methods), times, hang_s=seconds, accept=accept))

    def cut_next(self, times: int = 1, methods: Iterable[str] = WRITING, accept: bool = True) -> None:
        """Deliver the next messages and close the connection without an answer (`accept` False: without delivering)."""
        self.faults.append(Fault(frozenset(methods), times, accept=accept))

    def set_latency(self, seconds: float) -> None:
        """Let each answer take so long."""
        self.latency_s = seconds

    def clear(self) -> None:
        """Forget the journal, the sent messages and the faults still waiting."""
        self.journal.clear()
        self.sent.clear()
        self.faults.clear()

    def refuse_connections(self, for_s: float | None = None) -> None:
        """Stop listening and cut all connections; listen again on the same port after `for_s`, if given."""
        self.thread.run(self.listener.close())
        if for_s is not None:
            self.thread.loop.call_soon_threadsafe(self.thread.loop.call_later, for_s, self._reopen)

    def accept_connections(self) -> None:
        """Listen again on the same port."""
        self.thread.run(self.listener.open())

    def _name(self, chat_id: int, chat_type: str, title: str) -> None:
        if chat_type or title:
            self.chats.named[chat_id] = (chat_type, title)

    def _reopen(self) -> None:
        self._opening = asyncio.ensure_future(self.listener.open())

    async def _push(self, update: Json) -> int:
        if "callback_query" in update:
            self.chats.taps.tap(update["callback_query"]["id"])
        return self.updates.push(update)

    async def control(self, http: web.Request, name: str) -> web.Response:
        """The journal and the controls, over HTTP."""
        if name in ("journal", "sent"):
            return json_answer(200, [dataclasses.asdict(item) for item in getattr(self, name)])
        if name not in CONTROLS:
            return json_answer(404, {"error": f"no such control; there are: {', '.join(sorted(CONTROLS))}"})
        arguments = await http.json() if http.can_read_body else {}
        work = asyncio.to_thread(getattr(self, name), **arguments)
        if name == "refuse_connections":  # answered first: the control's own connection is cut too
            self._refusing = asyncio.get_running_loop().call_later(0.02, asyncio.ensure_future, work)
            return json_answer(200, None)
        return json_answer(200, await work)


def main() -> None:
    """Run as a process until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default=None)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds added to each answer")
    parser.add_argument("--per-second", type=int, default=30)
    options = parser.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    limits = FloodLimits(per_second=options.per_second)
    with FakeTelegram(token=options.token, limits=limits, latency_s=options.latency, port=options.port) as telegram:
        print(f"ready {telegram.url}", flush=True)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
