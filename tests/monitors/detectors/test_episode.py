"""Which measurements are worth a signal? One episode, value by value."""

from decimal import Decimal

from monitors.detectors.episode import Episode
from monitors.market import Signal
from tests.builders import make_rule, make_signal

RULE = make_rule()  # LOW at 1,000, each rung twice the one below
FLOOR = Decimal(500)


class Story:
    """Measures values of one story; each signal is told as (value, episode, number)."""

    def __init__(self) -> None:
        self.episode = Episode()

    def at(self, at_ms: int, value: float) -> list[tuple[int, int, int]]:
        """What one measurement gives rise to."""
        amount = Decimal(str(value))

        def make(index: int, number: int) -> Signal:
            return make_signal(amount, at_ms, episode=index, number=number)

        return self.told(self.episode.measure(amount, RULE.step_of(amount), FLOOR, at_ms, make))

    def flush(self) -> list[tuple[int, int, int]]:
        """The peak that was held back."""
        return self.told(self.episode.flush())

    @staticmethod
    def told(signals: list[Signal]) -> list[tuple[int, int, int]]:
        return [(int(signal.value), signal.episode, signal.number) for signal in signals]


def test_it_lasts_from_the_first_value_over_the_floor_until_one_below_it() -> None:
    story = Story()
    assert story.at(0, 499) == []
    assert story.at(1_000, 500) == [(500, 1, 1)]
    assert story.at(2_000, 700) == [(700, 1, 2)]
    assert story.at(3_000, 499) == []
    assert story.at(4_000, 600) == [(600, 2, 1)]


def test_a_rung_is_told_at_once_and_a_peak_250_ms_after_the_last() -> None:
    story = Story()
    assert story.at(0, 1_000) == [(1_000, 1, 1)]
    assert story.at(100, 1_500) == []
    assert story.at(150, 2_000) == [(2_000, 1, 2)]
    assert story.at(200, 2_100) == []
    assert story.episode.due_ms == 150 + 250
    assert story.flush() == [(2_100, 1, 3)]
    assert story.flush() == [] and not story.episode.held_back


def test_a_held_peak_above_the_value_that_climbs_a_rung_is_told_before_it() -> None:
    story = Story()
    story.at(0, 1_000)
    story.at(100, 1_900)
    story.at(120, 600)
    assert story.at(140, 1_200) == [(1_900, 1, 2), (1_200, 1, 3)]


def test_a_value_that_stays_at_low_is_told_again_after_10_s_and_a_smaller_one_is_not() -> None:
    story = Story()
    story.at(0, 1_000)
    assert story.at(9_999, 1_000) == []
    assert story.at(10_000, 1_000) == [(1_000, 1, 2)]
    assert story.at(30_000, 999) == []


def test_the_end_of_an_episode_writes_the_peak_that_was_held_back() -> None:
    story = Story()
    story.at(0, 1_000)
    story.at(100, 1_100)
    assert story.at(200, 100) == [(1_100, 1, 2)]
