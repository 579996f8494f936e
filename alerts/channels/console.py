"""How does an alert read in the terminal? As it would in Telegram, in one piece."""

import os
import sys
from concurrent.futures import Future

from alerts.channels.base import Message, RetryLater

PAUSE_S = 5.0  # after a terminal that does not take anything


class ConsoleChannel:
    """Prints to the process's real standard output; nothing printed is ever changed."""

    def send(self, chat_id: int, message: Message) -> "Future[int | None]":
        """Print the plain text with an empty line around it, in one write, so that lines of other processes stay outside."""
        done: Future[int | None] = Future()
        try:
            assert sys.__stdout__ is not None
            os.write(sys.__stdout__.fileno(), f"\n{message.plain}\n\n".encode(errors="replace"))
            done.set_result(None)
        except (OSError, ValueError, AssertionError) as error:  # closed, or none
            done.set_exception(RetryLater(PAUSE_S, f"the terminal takes nothing: {error}"))
        return done

    def edit(self, chat_id: int, message_id: int, message: Message) -> "Future[None]":
        """Nothing: what is printed stays printed."""
        done: Future[None] = Future()
        done.set_result(None)
        return done
