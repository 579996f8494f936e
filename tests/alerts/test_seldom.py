"""How often is a fault said that strikes a thousand times?"""

import logging

from alerts.seldom import Seldom


class Said(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def test_a_fault_is_said_once_and_one_of_changing_words_by_what_it_is_about() -> None:
    log, said = logging.Logger("test"), Said()
    log.addHandler(said)
    seldom = Seldom(log, every_s=3_600)
    for wait_s in (1.2, 3.4):
        seldom.warning("No room for %.1f s", wait_s, about="budget")
        seldom.warning("No room for %.1f s", wait_s, about="lease")
        seldom.warning("It is away")
    assert said.lines == ["No room for 1.2 s", "No room for 1.2 s", "It is away"]
    again = Seldom(log, every_s=0)
    for _ in range(2):
        again.warning("It is back")
    assert said.lines[3:] == ["It is back"] * 2
