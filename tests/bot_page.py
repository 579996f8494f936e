"""How does the bot read to a subscriber? docs/bot.md: its table of commands and the conversations, written anew by `python -m tests.bot_page`."""

import os
from pathlib import Path

from alertsystem.env import PROJECT_DIR

PAGE = PROJECT_DIR / "docs" / "bot.md"
FOLDER = PROJECT_DIR / "tests" / "subscribers" / "conversations"
MARKS = "<!-- {name}: written by python -m tests.bot_page -->", "<!-- /{name} -->"
FIRST = ("first_steps", "looking_back", "under_an_alert", "under_an_alert_in_a_group")  # then the others by their names


def commands() -> str:
    """The table of commands, from the one that the handlers are made of."""
    from subscribers.bot.commands import COMMANDS

    rows = [f"| `/{command.name}` | {command.help} | {'admins' if command.admins else 'everybody'} |" for command in COMMANDS]
    return "\n".join(["| command | what it does | in a group, for |", "|---|---|---|", *rows])


def conversations() -> str:
    """All stored conversations, each under what its first line says."""
    files = sorted(FOLDER.glob("*.txt"), key=lambda file: (FIRST.index(file.stem) if file.stem in FIRST else len(FIRST), file.stem))
    return "\n\n".join(map(_conversation, files))


def page(text: str) -> str:
    """The page `text` with its written parts as they should be."""
    for name, part in (("commands", commands()), ("conversations", conversations())):
        begin, end = (mark.format(name=name) for mark in MARKS)
        text = f"{text.split(begin, 1)[0]}{begin}\n{part}\n{end}{text.split(end, 1)[1]}"
    return text


def write() -> None:
    """Write the page."""
    PAGE.write_text(page(PAGE.read_text()))


def _conversation(file: Path) -> str:
    title, _, rest = file.read_text().partition("\n")
    rest = rest.partition("\n# Tapped: ")[0]  # that line is for a test
    return f"<details><summary>{title.removeprefix('# ')}</summary>\n\n```\n{rest.strip()}\n```\n</details>"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alertsystem.settings")
    import django

    django.setup()
    write()
