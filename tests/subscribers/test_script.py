"""The scripts of conversations: what is read is what was written, and a difference is shown as one."""

from pathlib import Path

import pytest

from subscribers.bot.commands import BUTTON, COMMAND
from tests.subscribers import conversation as played
from tests.subscribers.conversation import FOLDER, Conversation
from tests.subscribers.script import Step, commands_in, output, steps_of, tapped_in, text_of

SCRIPT = """# Who talks.
> /start
< Hello.
<
< [one] [two]

< And hello.

# A stage direction is no answer.
* it rains

Bob in Desk> [two]^
~ done
in News< > this is no input

# Tapped: k m
"""


def test_a_script_reads_as_its_steps() -> None:
    start, rain, tap = steps_of(SCRIPT)
    assert start == Step("> /start", ["# Who talks."], ["< Hello.", "<", "< [one] [two]", "", "< And hello."])
    assert (rain.stage, rain.outputs) == ("it rains", [])
    assert (tap.line, tap.stage, tap.outputs) == ("Bob in Desk> [two]^", "", ["~ done", "in News< > this is no input"])
    assert text_of(steps_of(SCRIPT), {"k", "m"}) == SCRIPT


def test_every_line_of_what_is_said_has_its_mark() -> None:
    assert output("<", "", "one\n\ntwo", [["a", "b"], ["c"]]) == ["< one", "<", "< two", "< [a] [b]", "< [c]"]
    assert output("=", "Desk", "", [["a"]]) == ["in Desk= [a]"]
    assert output("~", "", "") == []


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.txt")), ids=lambda file: file.stem)
def test_the_stored_scripts_are_written_as_they_are_read(file: Path) -> None:
    text = file.read_text()
    assert text_of(steps_of(text), tapped_in(text)) == text


def test_the_scripts_cover_every_command_and_every_button() -> None:
    texts = [file.read_text() for file in FOLDER.glob("*.txt")]
    assert set(COMMAND) - set().union(*map(commands_in, texts)) == set(), "commands that nobody types"
    assert set(BUTTON) - set().union(*map(tapped_in, texts)) == set(), "buttons that nobody taps"


def test_what_reads_otherwise_is_shown_as_a_difference(conversation: Conversation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(played, "FOLDER", tmp_path)
    monkeypatch.setattr(played, "PATIENCE_S", 2)
    (tmp_path / "stop.txt").write_text("> /stop\n< Goodbye.\n")
    with pytest.raises(pytest.fail.Exception, match=r"(?s)-< Goodbye\.\n\+< This chat gets no alerts\. /start subscribes it\..*--write-conversations"):
        conversation.play("stop")
    conversation.write = True
    conversation.play("stop")
    assert (tmp_path / "stop.txt").read_text() == "> /stop\n< This chat gets no alerts. /start subscribes it.\n"
