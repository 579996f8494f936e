"""What a process loads, beside what the import contracts say."""

import subprocess
import sys

from alertsystem.env import PROJECT_DIR

LOADED = """
import sys
import django
django.setup()
from django.core.management import load_command_class
load_command_class("monitors", "watch_liquidations")
print(*(name for name in ("ccxt", "telegram", "websocket") if name in sys.modules))
"""


def test_the_liquidation_monitor_loads_neither_ccxt_nor_telegram() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], cwd=PROJECT_DIR, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.split() == ["websocket"]
