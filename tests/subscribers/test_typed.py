"""What people type, and what it means."""

from datetime import time, timedelta
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.market import Kind
from monitors.thresholds import Severity
from subscribers import typed
from subscribers.preferences import OFF

CASCADE, OI, VOLUME = Kind.CASCADE, Kind.OPEN_INTEREST, Kind.VOLUME


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (CASCADE, "2M", 2_000_000),
        (CASCADE, "500k", 500_000),
        (CASCADE, "500K", 500_000),
        (CASCADE, "1.5m", 1_500_000),
        (CASCADE, "1,5 m", 1_500_000),
        (CASCADE, "1.500M", 1_500_000),
        (CASCADE, "1,500k", 1_500_000),
        (CASCADE, "$2,000,000", 2_000_000),
        (CASCADE, "2.000.000", 2_000_000),
        (CASCADE, "$1.500", 1_500),
        (CASCADE, "1,500", 1_500),
        (CASCADE, "2'000'000 USD", 2_000_000),
        (CASCADE, "2 000 000", 2_000_000),
        (CASCADE, "2 mio?", 2_000_000),
        (CASCADE, "2 million dollars", 2_000_000),
        (CASCADE, "≥ $0.125bn", 125_000_000),
        (CASCADE, "1,234,567.89", "1234567.89"),
        (CASCADE, "1.234.567,89", "1234567.89"),
        (CASCADE, "1234.567", "1234.57"),
        (OI, "4%", 4),
        (OI, "4 %", 4),
        (OI, "+4,2 percent", "4.2"),
        (OI, "0.125", "0.125"),
        (OI, "1.500%", "1.5"),
        (VOLUME, "9x", 800),
        (VOLUME, "9 x usual", 800),
        (VOLUME, "x9", 800),
        (VOLUME, "2.5 times", 150),
        (VOLUME, "+800 %", 800),
    ],
)
def test_an_amount_is_read_leniently(kind: Kind, text: str, value: float | str) -> None:
    assert typed.threshold(kind, text) == Decimal(str(value))


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        (CASCADE, "", "It is counted in dollars, for example 2M."),
        (CASCADE, "a lot", "cannot read"),
        (CASCADE, "4%", "dollars, for example 2M"),
        (CASCADE, "9x", "cannot read"),
        (CASCADE, "-2M", "cannot read"),
        (CASCADE, "999", "from \\$1k to \\$100B"),
        (CASCADE, "0", "from \\$1k"),
        (CASCADE, "999999999999999999999B", "from \\$1k"),
        (CASCADE, "1e9", "cannot read"),
        (CASCADE, "١٢٣٤٥", "cannot read"),
        (CASCADE, "nan", "cannot read"),
        (CASCADE, "2M" * 2000, "cannot read"),
        (Kind.LIQUIDATION, "x", "dollars, for example 1.5M"),
        (OI, "2M", "percent, for example 4%"),
        (OI, "0.05%", "from 0.1 % to"),
        (VOLUME, "9", "times the usual, for example 9x"),
        (VOLUME, "1.5x", "from 2x"),
    ],
)
def test_what_is_no_amount_is_refused_with_an_example(kind: Kind, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        typed.threshold(kind, text)


@given(st.sampled_from(Kind), st.text() | st.text("0123456789.,kmx%$' "))
def test_nothing_that_is_typed_breaks_the_reading(kind: Kind, text: str) -> None:
    for read in (partial(typed.threshold, kind), typed.duration, typed.hours, typed.severity):
        try:
            read(text)
        except ValueError as refusal:
            assert len(str(refusal)) < 200
    assert typed.looks_like_duration(text) in (True, False)


@pytest.mark.parametrize(
    ("text", "kind", "rest"),
    [
        ("BTC cascade 2M", CASCADE, ["BTC", "2M"]),
        ("Cascades BTC 2M", CASCADE, ["BTC", "2M"]),
        ("SOL open interest 4 %", OI, ["SOL", "4", "%"]),
        ("SOL OI", OI, ["SOL"]),
        ("eth vol 9x", VOLUME, ["eth", "9x"]),
        ("liq", Kind.LIQUIDATION, []),
        ("BTC 2h", None, ["BTC", "2h"]),
    ],
)
def test_the_kind_among_the_words(text: str, kind: Kind | None, rest: list[str]) -> None:
    assert typed.kind_of(text.split()) == (kind, rest)


def test_two_kinds_are_one_too_many() -> None:
    with pytest.raises(ValueError, match="One kind at a time"):
        typed.kind_of(["cascade", "oi"])


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("2h", timedelta(hours=2)),
        ("30m", timedelta(minutes=30)),
        ("90 minutes", timedelta(minutes=90)),
        ("1.5 hours", timedelta(minutes=90)),
        ("1h30m", timedelta(minutes=90)),
        ("1 hour 30 minutes", timedelta(minutes=90)),
        ("1d", timedelta(days=1)),
        ("1W", timedelta(days=7)),
        ("8", timedelta(hours=8)),
    ],
)
def test_a_time_span(text: str, span: timedelta) -> None:
    assert typed.duration(text) == span
    assert typed.looks_like_duration(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [("soon", "like 30m, 2h or 1d"), ("", "like"), ("1h30", "like"), ("0h", "from 1 minute"), ("60d", "30 days"), ("9" * 99, "like")],
)
def test_what_is_no_time_span(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        typed.duration(text)


def test_an_asset_is_not_a_time_span() -> None:
    assert [word for word in ("BTC", "1INCH", "0G", "1000PEPE", "H", "2h") if typed.looks_like_duration(word)] == ["2h"]


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("23:00-07:00", time(23), time(7)),
        ("23-7", time(23), time(7)),
        ("23:00 – 07:00", time(23), time(7)),
        ("2300-0730", time(23), time(7, 30)),
        ("11pm to 7 am", time(23), time(7)),
        ("12am-12pm", time(0), time(12)),
        ("22:30-24:00", time(22, 30), time(0)),
        ("from 23:00 to 07:00", time(23), time(7)),
        ("23:00 07:00", time(23), time(7)),
        ("23.00-07.30", time(23), time(7, 30)),
        ("23h-7h30", time(23), time(7, 30)),
    ],
)
def test_hours(text: str, begin: time, end: time) -> None:
    assert typed.hours(text) == (begin, end)


@pytest.mark.parametrize(
    ("text", "words"), [("23:00", "like 23:00-07:00"), ("25-7", "like"), ("23-13pm", "like"), ("7-7", "differ"), ("7:70-8", "like"), ("1-2-3", "like")]
)
def test_what_are_no_hours(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        typed.hours(text)


def test_a_severity_by_its_first_letters() -> None:
    assert [typed.severity(word) for word in ("LOW", "mod", "high", "ex", "off", "nothing")] == [*list(Severity)[1:], OFF, OFF]
    for word in ("", "loud", "below_low"):
        with pytest.raises(ValueError, match="LOW, MODERATE, HIGH and EXTREME"):
            typed.severity(word)
