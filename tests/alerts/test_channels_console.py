"""The terminal."""

import pytest

from alerts.channels.base import Message, RetryLater
from alerts.channels.console import ConsoleChannel


def test_an_alert_is_printed_as_plain_text_with_an_empty_line_around_it(capfd: pytest.CaptureFixture[str]) -> None:
    assert ConsoleChannel().send(0, Message("<b>HIGH BTC</b> &amp;", "HIGH BTC & −1.4 %\nmore")).result(0) is None
    assert capfd.readouterr().out == "\nHIGH BTC & −1.4 %\nmore\n\n"


def test_what_is_printed_stays(capfd: pytest.CaptureFixture[str]) -> None:
    ConsoleChannel().edit(0, 1, Message("new", "new")).result(0)
    assert capfd.readouterr().out == ""


def test_a_terminal_that_is_closed_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.__stdout__", None)
    assert isinstance(ConsoleChannel().send(0, Message("x", "x")).exception(0), RetryLater)
