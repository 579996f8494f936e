"""Are outcomes and votes counted by what they have in common?"""

import pytest

from alerts.rules.effectiveness import Case, Moves, Result, scores


def case(asset: str = "BTC", useful: int = 0, noise: int = 0, after: int = 5, move: Result | None = None) -> Case:
    return Case("cascade", asset, 3, ("cascade", ""), {} if move is None else {after: move}, useful, noise)


def known(change: float, usual: float | None = 1.0) -> Result:
    return Result(change, usual, True)


UNKNOWN, WAITING = Result(None, None, True), Result(None, None, False)


def test_the_median_is_of_absolute_moves_and_large_is_over_twice_the_usual() -> None:
    """Moves of 1, 3, 2 and 0 %: the median is 1.5; of those with a usual move of 1 % only 3 is over 2."""
    moves = [case(move=known(change)) for change in (1.0, -3.0, 2.0, 0.0)]
    [score] = scores(moves, lambda each: (each.kind,)).values()
    assert score.moves[5] == Moves(4, 0, 1.5, 4, 0.25)


def test_what_is_unknown_or_yet_to_come_counts_as_no_move() -> None:
    [score] = scores([case(move=known(-4.0)), case(move=UNKNOWN), case(move=WAITING), case()], lambda each: (each.kind,)).values()
    assert (score.alerts, score.moves[5]) == (4, Moves(1, 1, 4.0, 1, 1.0))
    assert score.moves[60] == Moves(0, 0, None, 0, None)


def test_without_anything_usual_nothing_is_large_and_nothing_is_not() -> None:
    [score] = scores([case(move=known(9.0, None)), case(move=known(1.0, None))], lambda each: (each.kind,)).values()
    assert score.moves[5] == Moves(2, 0, 5.0, 0, None)


def test_groups_come_with_the_most_alerts_first_and_their_votes() -> None:
    found = scores([case("ETH", 1, 2), case("BTC", 1), case("SOL"), case("BTC", 0, 1)], lambda each: (each.asset,))
    assert [(name, score.alerts, score.useful, score.noise) for (name,), score in found.items()] == [("BTC", 2, 1, 1), ("ETH", 1, 1, 2), ("SOL", 1, 0, 0)]


@pytest.mark.parametrize("horizon", [5, 15, 60, 240])
def test_each_horizon_is_counted_for_itself(horizon: int) -> None:
    [score] = scores([case(after=horizon, move=known(2.5))], lambda each: (each.kind,)).values()
    assert {each: moves.known for each, moves in score.moves.items()} == {each: int(each == horizon) for each in (5, 15, 60, 240)}
