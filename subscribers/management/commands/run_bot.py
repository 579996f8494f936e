"""Who answers people on Telegram? This process: the one poller of the bot's token."""

import asyncio
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from alerts.channels.rate_limiter import SharedRateLimiter
from alerts.flood import limiter
from subscribers.bot.app import serve


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT."""

    help = "Run the Telegram bot: /start, /stop, /status, /recent, /help."

    def handle(self, *_: Any, **__: Any) -> None:
        """Serve, or say what is missing."""
        token = settings.TELEGRAM_BOT_TOKEN.get_secret_value()
        if not token:
            raise CommandError("set TELEGRAM_BOT_TOKEN (in the environment or in .env) to the token that @BotFather gave, then start the bot again")
        asyncio.run(serve(token, settings.TELEGRAM_API_URL, SharedRateLimiter(limiter())))
