"""How is a conversation written down? The file's lines as steps, each with what the bot answered; and what was answered as lines.

# a comment
> /start                    Ann writes, in her own chat
Bob in Desk> /stop          Bob writes in the group Desk; "Desk in Desk>" is an admin who writes as the group
Ann in Desk> (reply) 2M    she answers the bot's newest message
> [ETH]                     she taps the newest button of that name; [ETH]^ the one before it
> {m:17:8}                  a tap with this data on the newest message, whether or not it has such a button
* ten minutes pass          a stage direction: something that the test does
< a message of the bot, with its buttons as [one] [two]
= the message reads like this now
~ words over the chat after a tap
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

INPUT = re.compile(r"(?:(?P<who>\w+)(?: in (?P<where>\w+))?)?> (?P<said>.*)")
TAP = re.compile(r"\[(?P<label>.+)\](?P<back>\^*)")
REPLY = "(reply) "
COMMAND = re.compile(r"/(?P<name>\w+)")
TAPPED = "# Tapped: "
DATA = re.compile(r"\{(?P<data>.*)\}")


@dataclass
class Step:
    """A line that makes something happen, what was said after it, and the comments above it."""

    line: str
    comments: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)

    @property
    def stage(self) -> str:
        """The stage direction; "" when somebody says or taps something."""
        return self.line[2:].strip() if self.line.startswith("* ") else ""

    def __str__(self) -> str:
        return "\n".join([*self.comments, self.line, *self.outputs])


def steps_of(text: str) -> list[Step]:
    """The steps of a file; what comes before the first is a comment."""
    steps: list[Step] = []
    comments: list[str] = []
    for line in text.splitlines():
        if line.startswith("#"):
            comments.append(line)
        elif line.startswith("* ") or INPUT.fullmatch(line):
            steps.append(Step(line, comments))
            comments = []
        elif line or (steps and steps[-1].outputs):
            steps[-1].outputs.append(line)
    for step in steps:
        while step.outputs and not step.outputs[-1]:
            step.outputs.pop()
    return steps


def text_of(steps: Iterable[Step], tapped: Iterable[str]) -> str:
    """The file of these steps; its last line says which buttons of the bot's table were tapped."""
    footer = [f"{TAPPED}{' '.join(sorted(tapped))}"] if tapped else []
    return "\n\n".join([*map(str, steps), *footer]) + "\n"


def tapped_in(text: str) -> set[str]:
    """The names of the buttons that are tapped in the script."""
    last = text.rstrip().splitlines()[-1]
    return set(last.removeprefix(TAPPED).split()) if last.startswith(TAPPED) else set()


def commands_in(text: str) -> set[str]:
    """The names of the commands that people type in the script."""
    said = (INPUT.fullmatch(step.line) for step in steps_of(text))
    found = (COMMAND.match(line["said"]) for line in said if line)
    return {command["name"].lower() for command in found if command}


def output(mark: str, where: str, text: str, rows: Iterable[Iterable[str]] = ()) -> list[str]:
    """Something the bot says, as lines; `where` is "" in the chat of the one who wrote."""
    prefix = f"in {where}{mark}" if where else mark
    return [f"{prefix} {line}".rstrip() for line in _lines(text, rows)]


def _lines(text: str, rows: Iterable[Iterable[str]]) -> Iterator[str]:
    if text:
        yield from text.split("\n")
    for row in rows:
        yield " ".join(f"[{label}]" for label in row)
