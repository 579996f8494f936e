#!/usr/bin/env python3
"""Which process is wanted? Django's command line."""

import os
import signal
import sys

if __name__ == "__main__":
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it at once, also while it loads, until a command wants to end in order
    from django.core.management import execute_from_command_line

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alertsystem.settings")
    execute_from_command_line(sys.argv)
