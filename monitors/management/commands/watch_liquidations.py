"""`manage.py watch_liquidations`: watch the liquidation feeds of all venues until told to stop."""

import signal
from typing import Any

from django.core.management.base import BaseCommand

from monitors.liquidation_monitor import LiquidationMonitor


class Command(BaseCommand):
    """The liquidation monitor as a process of its own."""

    help = "Watch the liquidation feeds of all venues, save what comes and record signals, until SIGTERM or Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT, then write what waits."""
        monitor = LiquidationMonitor()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: monitor.ask_to_stop())
        monitor.start()
        monitor.wait()
        monitor.stop()
