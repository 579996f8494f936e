#!/usr/bin/env python3
"""Which process is wanted? Django's command line."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alertsystem.settings")
    execute_from_command_line(sys.argv)
