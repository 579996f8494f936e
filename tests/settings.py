"""Settings of a test session: the product's own, in a temporary data folder, on the session's own broker."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from alertsystem.env import Environment

SESSION_DIR = Path(tempfile.mkdtemp(prefix="alerts-test-"))
_OWNER = os.getpid()


def _remove() -> None:
    if os.getpid() == _OWNER:  # not from a forked child
        shutil.rmtree(SESSION_DIR, ignore_errors=True)


atexit.register(_remove)

# Nothing of the developer's own settings counts, but for the database that the runner chose.
os.environ |= {name: "" for name in Environment.model_fields if name != "VENUES"}  # "" beats the `.env` file
os.environ |= {"DATABASE_URL": os.environ.get("TEST_DATABASE_URL", ""), "DATA_DIR": str(SESSION_DIR), "VENUES": "binance,bybit,okx", "LOG_LEVEL": "WARNING"}

from alertsystem.settings import *  # noqa: E402, F403

if not os.environ["DATABASE_URL"]:
    DATABASES["default"]["TEST"] = {"NAME": str(SESSION_DIR / "test.sqlite3")}  # noqa: F405  # a file: worker processes share it
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast; the passwords are the tests' own
