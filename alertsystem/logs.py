"""How does a log line read? Time, level, the process's name and the message; never a bot token."""

import json
import logging
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

PROCESS_OF_COMMAND = {"watch_liquidations": "monitor", "run_bot": "bot", "runserver": "web", "gunicorn": "web"}
STDERR = 2  # its file descriptor
CELERY_COMMANDS = ("worker", "beat")
_TOKEN = re.compile(r"\d{6,}:[\w-]{25,}|(?<=/bot)\d+:[\w-]+")  # as @BotFather writes them, and in the URLs of the Bot API


def process_name() -> str:
    """`PROCESS_NAME` when the supervisor set one, else a name after the command."""
    path = Path(sys.argv[0])
    program = path.parent.name if path.stem == "__main__" else path.stem  # `python -m celery`
    if program == "celery":
        command = next((word for word in sys.argv[1:] if word in CELERY_COMMANDS), program)
    else:
        command = sys.argv[1] if program == "manage" and len(sys.argv) > 1 else program
    return os.environ.get("PROCESS_NAME") or PROCESS_OF_COMMAND.get(command, command)


def redact(text: str) -> str:
    """`text` without bot tokens: the configured one, and whatever looks like one."""
    token = settings.TELEGRAM_BOT_TOKEN.get_secret_value()
    return _TOKEN.sub("***", text.replace(token, "***") if token else text)


def not_readyz(record: logging.LogRecord) -> bool:
    """Leave out Django's line about each 503 of /readyz: its answer says it all."""
    return "/readyz" not in record.getMessage()


def say_at_once(message: str, file: object = None) -> None:
    """What a signal handler says, as a line of the log: a handler of `logging` may be in the middle of another one."""
    root = logging.getLogger()
    if root.handlers and root.getEffectiveLevel() <= logging.INFO:
        record = logging.makeLogRecord({"name": "celery", "levelno": logging.INFO, "levelname": "INFO", "msg": message})
        os.write(STDERR, f"{root.handlers[0].format(record)}\n".encode())


class TextFormatter(logging.Formatter):
    """`2026-11-22 08:00:00.123 INFO    monitor  message`, times in UTC."""

    def __init__(self) -> None:
        super().__init__("%(message)s")
        self._process = process_name()

    def format(self, record: logging.LogRecord) -> str:
        """The line, and a traceback below it when there is one."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(sep=" ", timespec="milliseconds")[:-6]
        return redact(f"{at} {record.levelname:<7} {self._process:<12} {super().format(record).strip()}")


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at, level, process, logger, message and perhaps traceback."""

    def __init__(self) -> None:
        super().__init__()
        self._process = process_name()

    def format(self, record: logging.LogRecord) -> str:
        """The object as one line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return redact(json.dumps(line, ensure_ascii=False))
