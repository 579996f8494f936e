"""How long a child waits before it starts again, and how its end reads."""

import sys
import time
from itertools import accumulate, repeat

import pytest

from alertsystem.children import Child, ending, next_wait_s
from tests.harness import wait_until


def test_the_wait_doubles_from_one_second_to_thirty() -> None:
    waits = list(accumulate(repeat(0.5, 6), next_wait_s, initial=0.0))[1:]
    assert waits == [1, 2, 4, 8, 16, 30]


def test_a_stable_minute_starts_the_wait_afresh() -> None:
    assert next_wait_s(30, lived_s=60) == 1
    assert next_wait_s(8, lived_s=59) == 16


@pytest.mark.parametrize(("returncode", "words"), [(0, "exit code 0"), (3, "exit code 3"), (-9, "SIGKILL"), (-50, "signal 50")])
def test_an_end_says_how_it_came(returncode: int, words: str) -> None:
    assert words in ending(returncode)


def test_a_child_that_ended_waits_before_it_starts_again() -> None:
    child = Child("short", [sys.executable, "-c", "pass"])
    child.start(now=100)
    wait_until(lambda: not child.runs)
    child.look_after(now=100.5)
    child.look_after(now=101)
    assert child.process is None
    child.look_after(now=101.5)
    assert child.process is not None
    child.kill_group()


def test_the_end_of_a_child_takes_its_own_children_along() -> None:
    child = Child("parent", ["sh", "-c", "sleep 60 & echo $!; wait"])
    child.start(time.monotonic())
    wait_until(lambda: child.runs)
    child.kill_group()
    assert not child.runs
