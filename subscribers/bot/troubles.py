"""What is wrong between us and Telegram, and when do we try again? One clear line for each trouble, not for each try."""

import logging
import random
from dataclasses import dataclass

from telegram.error import BadRequest, Conflict, EndPointNotFound, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

from alerts.channels.telegram import seconds_of

FIRST_WAIT_S, MAX_WAIT_S = 1.0, 30.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Troubles:
    """The trouble we are in, if any, and how often it was met in a row."""

    trouble: str = ""
    tries: int = 0

    def wait_s(self, error: TelegramError) -> float:
        """Seconds until the next try: what Telegram asks for, else twice as long each time, with jitter. A new trouble is logged."""
        trouble = describe(error)
        self.tries = self.tries + 1 if trouble == self.trouble else 1
        if trouble != self.trouble:
            log.warning("%s; trying again", trouble)
        self.trouble = trouble
        if isinstance(error, RetryAfter):
            return seconds_of(error)
        longest = min(MAX_WAIT_S, FIRST_WAIT_S * 2.0 ** min(self.tries, 10))
        return random.uniform(longest / 2, longest)

    def over(self) -> None:
        """It works again."""
        if self.trouble:
            log.info("Telegram answers again")
        self.trouble, self.tries = "", 0


def describe(error: TelegramError) -> str:
    """The trouble in words that say what to do; never the error's own words, which may hold the token."""
    match error:
        case InvalidToken() | EndPointNotFound():  # a poll is told 404 by either
            return "TELEGRAM_BOT_TOKEN is refused by Telegram: put in the token that @BotFather gave"
        case Conflict():
            return "another process polls with this bot's token, or a webhook is set: stop it, or use another token"
        case RetryAfter():
            return "Telegram asks us to wait before the next poll"
        case BadRequest() | Forbidden():
            return f"Telegram refuses the poll ({type(error).__name__})"
        case NetworkError():
            return "Telegram cannot be reached"
        case _:
            return f"Telegram gives an answer that cannot be used ({type(error).__name__})"
