"""How do waiting messages leave? One leased drainer: a slot of the flood limits, then the most severe delivery, sent and recorded."""

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from queue import Empty, SimpleQueue
from typing import Any

from django.db import DatabaseError
from django.utils import timezone

from alerts import claims, outbox, outcomes
from alerts.channels.base import Channel, FloodWait, Message, PhotoChannel, RetryLater, SentPhoto
from alerts.channels.console import ConsoleChannel
from alerts.channels.telegram import telegram_channel
from alerts.chart_rows import is_photo, photo_of, remember
from alerts.flood import FloodLimiter, RedisAway, limiter
from alerts.messages import message_for
from alerts.models import Delivery
from alerts.seldom import Seldom
from alertsystem import ending
from monitors.lease import RENEW_S, Held
from monitors.thresholds import Severity
from subscribers.models import Subscriber

said = Seldom(logging.getLogger(__name__))
SLICE_S = 10.0  # then the task ends and asks for the next one
OVERTIME_S = 10.0  # while an answer is overdue, others are sent so much longer; then answers are only awaited
OVERDUE_S = 1.0
IN_FLIGHT = 16  # 28/s at answers that take half a second
CHARTS_IN_FLIGHT = 4  # of these at most: an upload may take long
HANDOVER_S = 0.003  # the request is written in the loop's thread, which needs the interpreter for itself just then
POLL_S = 0.01  # how soon a waiting drainer sees new work
PATIENCE_S = 4.0  # whatever waits longer is left to the sweep
REDIS_RETRY_S = 0.5
LOOK_S = 0.5  # how often charts and edits are looked for while there are none
GROUP_SPARE = 5  # of a group's 20 messages a minute, what edits leave to alerts
Channels = Mapping[str, Channel]


@dataclass(frozen=True, slots=True)
class Flight:
    """A request under way: `revision` is what it shows of the incident, `since` monotonic seconds."""

    delivery: Delivery
    revision: int
    is_edit: bool
    since: float

    @property
    def uploads(self) -> bool:
        """Whether it brings a picture that Telegram does not have yet."""
        return is_photo(self.delivery) and self.delivery.about is not None and not self.delivery.about.chart.file_id


def drain(slice_s: float = SLICE_S) -> int:
    """Send what waits for at most a slice; return how many requests were made (0 as well when another drainer is at it)."""
    lease = Held("dispatch")
    if not lease.acquire():
        return 0
    drainer = Drainer(lease, {"telegram": telegram_channel(), "console": ConsoleChannel()}, limiter())
    if lease.inherited:
        claims.recover()
    drainer.run(slice_s)  # when it fails the lease is left to run out, and the next holder recovers what was being sent
    lease.release()
    left = drainer.next_delivery(PATIENCE_S) or drainer.next_chart(time.monotonic())  # whoever was told "another drainer is at it" meanwhile is not forgotten
    if left is not None:
        outbox.wake_dispatcher(Severity(left.severity))
    return drainer.requests


def warm() -> None:
    """Make what the first message would otherwise wait for: the Bot with its event loop, the limiter."""
    telegram_channel()
    limiter()


class Drainer:
    """One slice of draining. The database is touched by the caller's thread alone; requests run in the channel's loop."""

    def __init__(self, lease: Held, channels: Channels, flood: FloodLimiter) -> None:
        self.requests = 0
        self._lease, self._channels, self._flood = lease, channels, flood
        self._flights: dict[Future[Any], Flight] = {}
        self._answered: SimpleQueue[tuple[Future[Any], datetime]] = SimpleQueue()
        # Monotonic seconds from when on something may be tried again
        self._channel_at: dict[str, float] = {}
        self._chat_at: dict[int, float] = {}
        self._charts_at = self._edits_at = 0.0
        self._renew_at = time.monotonic() + RENEW_S

    def run(self, slice_s: float) -> None:
        """Send until nothing more can be sent soon or the slice is over; then await the answers."""
        end = time.monotonic() + slice_s
        while self._keep_lease() and self._has_time(end):
            looked_at = time.monotonic()
            self._chat_at = {chat: at for chat, at in self._chat_at.items() if at > looked_at}
            self._collect(0)
            if len(self._flights) < IN_FLIGHT and (self._send_next() or self._chart_next(looked_at) or self._edit_next(looked_at)):
                self._collect(HANDOVER_S if self._flights else 0)
                continue
            wait_s = self._wait_s(looked_at)
            if wait_s is None:
                return
            self._collect(wait_s)
        while self._flights and self._keep_lease():
            self._collect(RENEW_S / 2)

    @cached_property
    def _consoles(self) -> set[int]:
        """The subscribers whose messages need no slot."""
        return set(claims.consoles())

    def next_delivery(self, patience_s: float = 0.0) -> Delivery | None:
        """What can be sent within `patience_s`, as far as is known; None when nothing can."""
        until = time.monotonic() + patience_s
        blocked = self._channel_at.get(Subscriber.Channel.TELEGRAM, 0.0) > until
        without = self._busy(until, photos=False)
        if self._channel_at.get(Subscriber.Channel.CONSOLE, 0.0) > until:
            without |= self._consoles
        only = self._consoles - without if blocked else None
        return claims.next_delivery(timezone.now(), without, only) if only is None or only else None

    def _send_next(self) -> bool:
        """Begin to send the next message; False when there is none that could go now."""
        delivery = self.next_delivery()
        if delivery is None:
            return False
        if self._has_slot(delivery) and claims.claim(delivery, timezone.now()):
            self._start(delivery, is_edit=False)
        return True

    def next_chart(self, now: float) -> Delivery | None:
        """The chart that can be sent at `now`, monotonic seconds; None when none can."""
        if now < self._channel_at.get(Subscriber.Channel.TELEGRAM, 0.0):
            return None
        uploading = [about for flight in self._flights.values() if flight.uploads and (about := flight.delivery.about_id)]
        return claims.next_chart(timezone.now(), self._busy(now), uploading)

    def _chart_next(self, now: float) -> bool:
        """Begin to send a chart; only when no text could be sent, and none of a group's messages that an alert may need.

        `now` is from before that was looked at: a slot that has become free since belongs to the text that waits for it.
        """
        if now < self._charts_at or sum(is_photo(flight.delivery) for flight in self._flights.values()) >= CHARTS_IN_FLIGHT:
            return False
        delivery = self.next_chart(now)
        if delivery is None:
            self._charts_at = self._later(now)
            return False
        if self._has_slot(delivery, spare=GROUP_SPARE) and claims.claim(delivery, timezone.now()):
            self._start(delivery, is_edit=False)
        return True

    def _edit_next(self, now: float) -> bool:
        """Begin to edit a message that is out of date; only when nothing new can be sent soon. `now` as for a chart."""
        if now < self._edits_at or now < self._channel_at.get(Subscriber.Channel.TELEGRAM, 0.0):
            return False
        if self._chat_at and self.next_delivery(PATIENCE_S) is not None:  # it waits for its chat, a moment only
            self._edits_at = min(self._chat_at.values())
            return False
        delivery = claims.next_edit(timezone.now(), self._busy(now))
        if delivery is None:
            self._edits_at = self._later(now)
            return False
        if self._has_slot(delivery, spare=GROUP_SPARE):
            self._start(delivery, is_edit=True)
        return True

    def _later(self, now: float) -> float:
        """When to look for a chart or an edit again: those that there are may have to wait for their chat, or for the channel."""
        return min([now + LOOK_S, *(at for at in (*self._chat_at.values(), *self._channel_at.values()) if at > now)])

    def _has_slot(self, delivery: Delivery, spare: int = 0) -> bool:
        """Take a slot of the flood limits; when there is none, remember who has to wait for how long."""
        subscriber = delivery.subscriber
        if subscriber.channel == Subscriber.Channel.CONSOLE:
            return True
        try:
            turn = self._flood.take(subscriber.chat_id, spare, urgent=delivery.severity >= Severity.HIGH)
        except RedisAway as error:
            said.warning("Redis cannot be reached, messages wait: %s", error)
            self._channel_at[subscriber.channel] = time.monotonic() + REDIS_RETRY_S
            return False
        until = time.monotonic() + turn.wait_s
        if turn.chat_only:
            self._chat_at[delivery.subscriber_id] = until
        elif not turn.granted:
            self._channel_at[subscriber.channel] = until
        return turn.granted

    def _start(self, delivery: Delivery, is_edit: bool) -> None:
        """Render the message as things stand now and hand it to its channel."""
        subscriber, revision = delivery.subscriber, 0
        try:
            text = message_for(delivery, timezone.now())
            message, revision = Message(text.html, text.plain, delivery.severity < Severity.HIGH, text.keyboard), text.revision
            channel = self._channels[subscriber.channel]
            request: Future[Any]
            if is_photo(delivery):
                assert isinstance(channel, PhotoChannel)
                request = channel.send_photo(subscriber.chat_id, photo_of(delivery))
            elif is_edit:
                assert delivery.message_id is not None
                request = channel.edit(subscriber.chat_id, delivery.message_id, message)
            else:
                request = channel.send(subscriber.chat_id, message)
        except DatabaseError:
            raise
        except Exception as error:  # one message must not stop the others
            request = Future()
            request.set_exception(error)
        self._flights[request] = Flight(delivery, revision, is_edit, time.monotonic())
        request.add_done_callback(lambda done: self._answered.put((done, timezone.now())))
        self.requests += 1

    def _collect(self, wait_s: float) -> None:
        """Record the answers that are there, after waiting up to `wait_s` for the first."""
        try:
            while True:
                request, at = self._answered.get(timeout=wait_s) if wait_s else self._answered.get_nowait()
                self._record(self._flights.pop(request), request, at)
                wait_s = 0
        except Empty:
            pass

    def _record(self, flight: Flight, request: "Future[Any]", at: datetime) -> None:
        """Write what became of a message or an edit."""
        error = request.exception()
        if isinstance(error, RetryLater):
            self._hold_back(flight.delivery.subscriber.channel, error)
        match error, flight.is_edit:
            case None, False:
                result = request.result()
                if isinstance(result, SentPhoto):
                    remember(flight.delivery, result.file_id)
                    self._share(lambda: self._flood.arrived(flight.delivery.subscriber.chat_id))
                    result = result.message_id
                outcomes.sent(flight.delivery, result, flight.revision, at)
            case None, True:
                outcomes.edited(flight.delivery, flight.revision, at)
            case Exception(), False:
                outcomes.not_sent(flight.delivery, error)
            case Exception(), True:
                outcomes.not_edited(flight.delivery, error, flight.revision, at)

    def _hold_back(self, channel: str, error: RetryLater) -> None:
        """The channel takes nothing for a while; when Telegram itself said so, every process hears it."""
        until = time.monotonic() + error.after_s
        self._channel_at[channel] = max(until, self._channel_at.get(channel, 0.0))
        said.warning("Messages wait: %s", error.reason)
        if isinstance(error, FloodWait):
            self._share(lambda: self._flood.pause(error.after_s))

    @staticmethod
    def _share(tell: Callable[[], None]) -> None:
        """Let the senders of all processes know, as long as there is Redis."""
        try:
            tell()
        except RedisAway as error:
            said.warning("Redis cannot be reached, messages wait: %s", error)

    def _busy(self, until: float, photos: bool = True) -> set[int]:
        """Subscribers whose chat has to wait beyond `until`, or to whom something is on its way (so that order is kept).

        Without `photos` a chart that is being uploaded keeps nobody waiting: texts may overtake it.
        """
        flights = (flight.delivery for flight in self._flights.values() if photos or not is_photo(flight.delivery))
        return {chat for chat, at in self._chat_at.items() if at > until} | {delivery.subscriber_id for delivery in flights}

    def _wait_s(self, looked_at: float) -> float | None:
        """How long to wait for an answer, or for whoever had to wait when we `looked_at` the outbox; None when nothing comes soon."""
        now = time.monotonic()
        soon = [at - now for at in (*self._channel_at.values(), *self._chat_at.values()) if looked_at < at <= now + PATIENCE_S]
        if not soon and not self._flights:
            return None
        return max(0.0, min([POLL_S, *soon]))

    def _has_time(self, end: float) -> bool:
        """Whether to send more: the slice is not over, or one overdue answer would make all others wait; never when the worker is to end."""
        if ending.is_ending():
            return False
        now = time.monotonic()
        overdue = any(now - flight.since > OVERDUE_S for flight in self._flights.values())
        return now < end or (overdue and now < end + OVERTIME_S)

    def _keep_lease(self) -> bool:
        """Renew the lease when it is time; False when it was lost."""
        if time.monotonic() < self._renew_at:
            return True
        self._renew_at = time.monotonic() + RENEW_S
        return self._lease.renew()
