"""What is the bot made of, and how does it live? Application, handlers and poller, from the first connection to SIGTERM."""

import asyncio
import os
import signal
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from telegram.ext import Application, ApplicationBuilder

from alerts.channels.telegram import TIMEOUTS, Request, is_loopback
from alerts.flood import FloodLimiter
from alertsystem import heartbeats
from subscribers.bot.answers import Answers
from subscribers.bot.connection import Connection
from subscribers.bot.handlers import Handlers
from subscribers.bot.polling import Poller
from subscribers.bot.webhook import Webhook

CLOSE_S = 0.5
END_S = 2.5  # after SIGTERM: a database or broker that does not answer may not hold up the end


@dataclass(frozen=True, slots=True)
class Hook:
    """Where Telegram sends updates to (`url`), where this process takes them ("host:port", "" for the usual place), and what Telegram has to say with each."""

    url: str
    listen: str
    secret: str


async def serve(token: str, api_url: str, flood: FloodLimiter, hook: Hook | None = None) -> None:
    """Be the bot until SIGTERM or SIGINT, with a webhook or polling; ends within three seconds of it. OSError when it cannot listen."""
    app = build(token, api_url)
    answers = Answers(app.bot, flood)
    Handlers(answers).register(app)
    connection = Connection(app, answers)
    source = Webhook(connection, hook.url, hook.listen, hook.secret) if hook else Poller(connection)
    work = [asyncio.create_task(part) for part in (source.run(), answers.run(), _say_alive())]
    await _until_stopped(work)
    _end_within(END_S)
    for task in work:
        task.cancel()
    await asyncio.gather(*work, return_exceptions=True)
    await source.farewell()
    await answers.finish()
    with suppress(TimeoutError):
        await asyncio.wait_for(app.shutdown(), CLOSE_S)
    broken = [error for error in map(_error_of, work) if error is not None]
    if broken:
        raise broken[0]


def build(token: str, api_url: str) -> "Application[Any, Any, Any, Any, Any, Any]":
    """The application at `api_url`; no request is made yet. Polls have a connection of their own beside the answers'."""
    builder = ApplicationBuilder().token(token).base_url(f"{api_url}/bot")
    builder = builder.request(_request(api_url)).get_updates_request(_request(api_url))
    return builder.updater(None).job_queue(None).build()


def _error_of(task: "asyncio.Task[None]") -> BaseException | None:
    """What broke an endless task; None when it was cancelled."""
    return task.exception() if task.done() and not task.cancelled() else None


def _request(api_url: str) -> Request:
    return Request(httpx_kwargs={"timeout": TIMEOUTS, "trust_env": not is_loopback(api_url)})


def _end_within(seconds: float) -> None:
    """Threads that wait for an answer cannot be cancelled, and Python waits for them at its end."""
    last_resort = threading.Timer(seconds, os._exit, args=(0,))
    last_resort.daemon = True
    last_resort.start()


async def wait_for_end() -> None:
    """Do nothing until SIGTERM or SIGINT: without a token there is nothing to do, and to end would only mean to be started again."""
    heartbeat = asyncio.create_task(_say_alive())
    await _until_stopped([heartbeat])
    heartbeat.cancel()


async def _say_alive() -> None:
    while True:
        heartbeats.touch_file()
        await asyncio.sleep(heartbeats.EVERY_S)


async def _until_stopped(work: "Sequence[asyncio.Task[None]]") -> None:
    """Wait for a signal, or for a part of the work to break, which it should not."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({*work, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
