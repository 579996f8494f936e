"""What somebody wants, in words."""

from decimal import Decimal

import pytest

from monitors.market import Kind
from monitors.thresholds import Severity
from subscribers.preferences import OFF, Choice
from subscribers.services import FIRST_CHOICES
from subscribers.wording import Choices, amount_words, wanted_lines

CASCADE, OI = Kind.CASCADE, Kind.OPEN_INTEREST
HALF_A_MILLION = Decimal(500_000)


@pytest.mark.parametrize(
    ("choices", "lines"),
    [
        ({}, []),
        ({(CASCADE, ""): Choice(OFF)}, []),
        (FIRST_CHOICES, ["Liquidations, cascades and open interest: BTC, ETH, SOL from MODERATE; all others from EXTREME.", "Volume: off."]),
        ({(kind, ""): Choice(Severity.LOW) for kind in Kind}, ["Liquidations, cascades, open interest and volume: all assets from LOW."]),
        (
            {(CASCADE, "BTC"): Choice(OFF), (CASCADE, ""): Choice(Severity.LOW), (OI, "SOL"): Choice(OFF, Decimal(4), "UP")},
            ["Cascades: BTC off; all others from LOW.", "Open interest: SOL from 4 %, rises only.", "Liquidations and volume: off."],
        ),
        (
            {(CASCADE, "BTC"): Choice(Severity.LOW), (CASCADE, "ETH"): Choice(OFF), (CASCADE, ""): Choice(Severity.HIGH, HALF_A_MILLION)},
            ["Cascades: BTC, all others from $500k; ETH off.", "Liquidations, open interest and volume: off."],
        ),
    ],
)
def test_one_sentence_for_kinds_with_the_same_choices(choices: Choices, lines: list[str]) -> None:
    assert wanted_lines(choices) == lines


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (CASCADE, "2000000", "$2M"),
        (CASCADE, "1500000.00", "$1.5M"),
        (CASCADE, "90000", "$90k"),
        (CASCADE, "1234567", "$1,234,567"),
        (CASCADE, "1234567.89", "$1,234,567.89"),
        (CASCADE, "12000000000", "$12B"),
        (CASCADE, "1000", "$1k"),
        (OI, "4.000", "4 %"),
        (OI, "0.55", "0.55 %"),
        (Kind.VOLUME, "800", "9x usual (+800 %)"),
        (Kind.VOLUME, "150", "2.5x usual (+150 %)"),
    ],
)
def test_a_threshold_is_said_exactly(kind: Kind, value: str, words: str) -> None:
    assert amount_words(kind, Decimal(value)) == words
