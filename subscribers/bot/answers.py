"""How do answers reach their chats? One at a time, under the flood limits that alerts share; only the newest question of a chat is answered."""

import asyncio
import logging
import time
from dataclasses import replace

from telegram import Bot
from telegram.error import TelegramError

from alerts.channels.base import ChannelError, ChatMoved, FloodWait, NotModified, OutcomeUnknown, RetryLater, Undeliverable
from alerts.channels.telegram import meaning
from alerts.flood import FloodLimiter, RedisAway
from alerts.seldom import Seldom
from subscribers import services
from subscribers.bot.database import in_database
from subscribers.bot.questions import Question
from subscribers.bot.replies import deliver, toast
from subscribers.bot.screen import Reply

MAX_WAITING = 1_000  # chats; more than can be answered in `PATIENCE_S`
MAX_TOASTS = 200  # taps being answered; more are a flood, and their buttons stop turning by themselves
IN_FLIGHT = 16
PATIENCE_S = 60.0  # an answer that comes later is not worth sending
TRIES, RETRY_S = 3, 1.0
REDIS_RETRY_S = 1.0
FEW = 10  # so many answers are waited for before their updates are confirmed; more are a flood
LAST_SECOND_S = 1.0  # how long answers under way may take when the bot is stopped

said = Seldom(logging.getLogger(__name__))


class Answers:
    """The questions that wait, oldest chat first. A newer question takes the place of the chat's one that waits; what it changed is done by then."""

    def __init__(self, bot: Bot, flood: FloodLimiter) -> None:
        self._bot, self._flood = bot, flood
        self._waiting: dict[int, Question] = {}
        self._chat_at: dict[int, float] = {}  # when a chat that had to wait is looked at again
        self._sending: dict[int, asyncio.Task[None]] = {}
        self._toasts: set[asyncio.Task[None]] = set()
        self._change = asyncio.Event()  # something was put in, or something was sent

    def put(self, question: Question, after_s: float = 0.0) -> None:
        """Answer this soon, in `after_s` at the earliest; what it changes was carried out before."""
        reply = question.reply
        if reply is not None:
            self._toast(question, reply.toast)
            if not _is_shown(reply):
                return
        before = self._waiting.get(question.chat_id)
        if before is not None:
            self._toast(before)
        elif len(self._waiting) >= MAX_WAITING:
            said.warning("%s chats wait for answers, others get none", MAX_WAITING)
            self._toast(question)
            return
        self._waiting[question.chat_id] = question
        if after_s:
            self._chat_at[question.chat_id] = time.monotonic() + after_s
        self._change.set()

    def is_repeated(self, question: Question) -> bool:
        """Whether just this waits for its answer already, and so need not be carried out again."""
        repeated = question.repeats(self._waiting.get(question.chat_id))
        if repeated:
            self._toast(question)
        return repeated

    async def run(self) -> None:
        """Answer until cancelled."""
        while True:
            self._change.clear()
            now = time.monotonic()
            self._forget_old(now)
            question = self._next(now)
            wait_s = await self._answer(question) if question else self._idle_s(now)
            if wait_s is None or wait_s > 0:
                await self._sleep(wait_s, wake=question is None)

    async def settle(self, seconds: float) -> None:
        """Wait for the answers of few chats, at most `seconds`: an update that is confirmed before its answer went out is not told again."""
        deadline = time.monotonic() + seconds
        while 0 < len(self._waiting) + len(self._sending) <= FEW and (left := deadline - time.monotonic()) > 0:
            await asyncio.sleep(min(0.01, left))

    async def finish(self) -> None:
        """Give the answers under way a last second, then drop them."""
        tasks = {*self._sending.values(), *self._toasts}
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=LAST_SECOND_S)
            for task in late:
                task.cancel()

    def _next(self, now: float) -> Question | None:
        """The chat's question that waits the longest and may be answered now."""
        if len(self._sending) >= IN_FLIGHT:
            return None
        free = (question for chat_id, question in self._waiting.items() if chat_id not in self._sending and self._chat_at.get(chat_id, 0.0) <= now)
        return next(free, None)

    def _idle_s(self, now: float) -> float | None:
        """How long until a chat may be answered again; None: until something changes."""
        if len(self._sending) >= IN_FLIGHT:
            return None
        soon = [self._chat_at[chat_id] - now for chat_id in self._waiting if chat_id not in self._sending]
        return max(0.001, min(soon)) if soon else None

    async def _answer(self, question: Question) -> float:
        """Begin to answer when there is a slot; the seconds to wait when there is none for anybody."""
        wait_s = await self._wait_s(question.chat_id, only_look=True)
        if wait_s is not None:
            return wait_s
        shown = await self._is_made(question)  # before the slot is taken: the database may be busy
        if self._waiting.get(question.chat_id) is not question:
            return 0.0  # overtaken meanwhile
        wait_s = await self._wait_s(question.chat_id) if shown else None
        if wait_s is None:
            self._begin(question, shown)
        return wait_s or 0.0

    async def _wait_s(self, chat_id: int, *, only_look: bool = False) -> float | None:
        """None: there is a slot. The seconds to wait when there is none for anybody; 0 when only this chat has to wait."""
        try:
            turn = await asyncio.to_thread(self._flood.take_for_answer, chat_id, only_look=only_look)
        except RedisAway as error:
            said.warning("Redis cannot be reached, answers wait: %s", error)
            return REDIS_RETRY_S
        if turn.granted:
            return None
        if turn.chat_only:
            self._chat_at[chat_id] = time.monotonic() + turn.wait_s
            return 0.0
        return turn.wait_s

    async def _is_made(self, question: Question) -> bool:
        """Let the reply be there; whether it shows anything but words over the chat."""
        if question.reply is None:
            self._toast(question, (await question.carry_out()).toast)
        assert question.reply is not None
        return _is_shown(question.reply)

    def _begin(self, question: Question, shown: bool) -> None:
        chat_id = question.chat_id
        if self._waiting.get(chat_id) is question:  # else a newer one came in the last moment, and is next
            del self._waiting[chat_id]
        self._chat_at.pop(chat_id, None)
        if shown:
            self._sending[chat_id] = task = asyncio.create_task(self._send(question))
            task.add_done_callback(lambda _: self._sent(chat_id))

    async def _sleep(self, seconds: float | None, wake: bool) -> None:
        """Sleep; when nothing could be done, until something changes."""
        if not wake:
            await asyncio.sleep(seconds or 0.0)
            return
        try:
            await asyncio.wait_for(self._change.wait(), seconds)
        except TimeoutError:
            pass

    async def _send(self, question: Question) -> None:
        try:
            await self._deliver(question, await question.carry_out())
        except ChannelError as error:
            said.warning("an answer was not sent: %s", error.reason)
        except Exception as error:  # one answer of an endless loop: the others go on
            said.warning("an answer failed: %s", type(error).__name__)

    async def _deliver(self, question: Question, reply: Reply) -> None:
        """Send; follow a chat that moved, put back what was not sent. ChannelError when it cannot be sent."""
        try:
            await deliver(self._bot, question.chat_id, reply, question.asked.message_id, question.asked.topic)
            return
        except TelegramError as error:
            problem = meaning(error)
        question.tries += 1
        match problem:
            case NotModified():
                return
            case Undeliverable():
                if problem.gone:
                    await in_database(services.unsubscribe_chat, question.chat_id, problem.reason)
                raise problem
            case ChatMoved():
                await in_database(services.move_chat, question.chat_id, problem.new_id)
                question.asked = replace(question.asked, chat=replace(question.asked.chat, id=problem.new_id), message_id=None)
            case FloodWait():
                await asyncio.to_thread(self._flood.pause, problem.after_s)
            case RetryLater() | OutcomeUnknown():
                await asyncio.sleep(problem.after_s if isinstance(problem, RetryLater) else RETRY_S)
        if question.tries >= TRIES:
            raise problem
        self._waiting.setdefault(question.chat_id, question)

    def _sent(self, chat_id: int) -> None:
        self._sending.pop(chat_id, None)
        self._change.set()

    def _toast(self, question: Question, text: str = "") -> None:
        """Let a tapped button stop turning; once."""
        if not question.tap or len(self._toasts) >= MAX_TOASTS:
            return
        task = asyncio.create_task(toast(self._bot, question.tap, text))
        question.tap = ""
        self._toasts.add(task)
        task.add_done_callback(self._toasts.discard)

    def _forget_old(self, now: float) -> None:
        """Drop what waited too long, and what is known of chats that wait for nothing."""
        self._chat_at = {chat_id: at for chat_id, at in self._chat_at.items() if at > now}
        for chat_id in [chat_id for chat_id, question in self._waiting.items() if question.since < now - PATIENCE_S]:
            self._toast(self._waiting.pop(chat_id))
            said.warning("answers are dropped that could not be sent for %.0f s", PATIENCE_S)


def _is_shown(reply: Reply) -> bool:
    return bool(reply.text or reply.document or reply.edit)
