"""What tests of conversations ask for: the real bot process at a clock that stands still."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from pydantic import SecretStr
from pytest_django import Settings

from alerts.channels.telegram import telegram_channel
from alerts.flood import limiter
from tests import bot_page, stopped_clock
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_limits import FloodLimits
from tests.harness import Processes, wait_until
from tests.subscribers.conversation import NOW, Conversation

TOKEN = "4242:AAE-a-token-that-must-not-be-logged-00"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The page that shows the conversations follows them."""
    if session.config.getoption("--write-conversations"):
        bot_page.write()


@pytest.fixture
def conversation(
    request: pytest.FixtureRequest,
    django_db_reset_sequences: None,
    processes: Processes,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Conversation]:
    """The running bot and people to talk to it. This process's `timezone.now` is the bot's; ids begin at 1, so that texts can name them."""
    clock, log = tmp_path / "clock", tmp_path / "bot.log"
    stopped_clock.write(clock, NOW)
    monkeypatch.setattr(timezone, "now", stopped_clock.reader(clock))
    with FakeTelegram(token=TOKEN, limits=FloodLimits(per_second=0, chat_interval_s=0, group_per_minute=0)) as telegram:
        settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_API_URL = SecretStr(TOKEN), telegram.url
        forget_channel()
        env = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": telegram.url, "LOG_LEVEL": "INFO"}
        processes.start(sys.executable, "-m", "tests.stopped_clock", str(clock), "run_bot", env=env, log=log)
        wait_until(lambda: telegram.requests("getUpdates"), 30, "the first poll")
        yield Conversation(telegram, clock, request.config.getoption("--write-conversations"))
        telegram_channel().close()
    forget_channel()
    said = log.read_text()
    assert "Traceback" not in said and TOKEN not in said, said


def forget_channel() -> None:
    """Let the next alert open the channel by the settings of now."""
    telegram_channel.cache_clear()
    limiter.cache_clear()
