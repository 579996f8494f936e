"""What tests of sending ask for: a fake Telegram that the settings point to, and a drainer of this process."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from pytest_django import Settings
from redis import Redis

from alerts.channels.telegram import telegram_channel
from alerts.flood import limiter
from tests.fakes.telegram import FakeTelegram

TOKEN = "123456:a-token"


@pytest.fixture
def telegram(valkey: "Redis", settings: Settings) -> Iterator[FakeTelegram]:
    """A Telegram that enforces its limits; this process sends to it."""
    with FakeTelegram(token=TOKEN) as server:
        settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_API_URL = SecretStr(TOKEN), server.url
        forget_channel()
        yield server
        telegram_channel().close()
    forget_channel()


def forget_channel() -> None:
    """Let the next message open the channel by the settings of now."""
    telegram_channel.cache_clear()
    limiter.cache_clear()
