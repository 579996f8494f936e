"""Who answers people on Telegram? This process: the one that polls with the bot's token, or takes what Telegram sends to its webhook."""

import asyncio
import logging
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from alerts.flood import limiter
from subscribers.bot.app import Hook, serve, wait_for_end
from subscribers.bot.webhook import secret_for

MISSING = "set TELEGRAM_BOT_TOKEN (in the environment or in .env) to the token that @BotFather gave, then start the bot again"

log = logging.getLogger(__name__)


def _hook(token: str) -> Hook | None:
    if not settings.TELEGRAM_WEBHOOK_URL:
        return None
    return Hook(settings.TELEGRAM_WEBHOOK_URL, settings.TELEGRAM_WEBHOOK_LISTEN, secret_for(token, settings.SECRET_KEY))


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT."""

    help = "Run the Telegram bot."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--wait`: for containers, which would be started again and again."""
        parser.add_argument("--wait", action="store_true", help="without a token: say so once and wait until told to stop, instead of ending with an error")

    def handle(self, *_: Any, wait: bool, **__: Any) -> None:
        """Serve, or say what is missing."""
        token = settings.TELEGRAM_BOT_TOKEN.get_secret_value()
        if token:
            try:
                asyncio.run(serve(token, settings.TELEGRAM_API_URL, limiter(), _hook(token)))
            except OSError as error:
                raise CommandError(f"the webhook cannot listen, see TELEGRAM_WEBHOOK_LISTEN: {error.strerror or error}") from None
        elif wait:
            log.warning("No bot: %s", MISSING)
            asyncio.run(wait_for_end())
        else:
            raise CommandError(MISSING)
