"""What people write for their time zone."""

from datetime import UTC, datetime

import pytest

from subscribers.zones import local, zone_named, zone_of


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Europe/Zurich", "Europe/Zurich"),
        (" europe/zurich ", "Europe/Zurich"),
        ("Zurich", "Europe/Zurich"),
        ("new york", "America/New_York"),
        ("Zürich", "Europe/Zurich"),
        ("São Paulo", "America/Sao_Paulo"),
        ("buenos  aires", "America/Buenos_Aires"),  # two names of one zone
        ("utc", "UTC"),
        ("GMT", "UTC"),
        ("+2", "UTC+02:00"),
        ("UTC+05:30", "UTC+05:30"),
        ("utc +0530", "UTC+05:30"),
        ("GMT-3", "UTC-03:00"),  # as people mean it, not as the folder Etc has it
        ("−5", "UTC-05:00"),
        ("+0", "UTC"),
    ],
)
def test_a_zone_is_known_by_name_or_offset(text: str, name: str) -> None:
    assert zone_named(text) == name
    assert zone_named(name) == name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Write a city"),
        ("Narnia", "I know no time zone Narnia"),
        ("+15", "from -12 to \\+14"),
        ("+2:75", "I know no"),
        ("../../etc/passwd", "I know no"),
        ("Melbourne" * 50, "I know no"),
        ("west", "There are several: Australia/West, Brazil/West. Write the whole name"),
        ("\x00", "I know no"),
    ],
)
def test_what_is_none_is_refused_with_what_to_write(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        zone_named(text)


def test_the_clock_of_a_zone() -> None:
    noon = datetime(2026, 7, 11, 12, tzinfo=UTC)
    shown = {name: local(noon, name).strftime("%H:%M") for name in ("Europe/Zurich", "UTC+05:30", "UTC-03:00", "UTC", "No/Such")}
    assert shown == {"Europe/Zurich": "14:00", "UTC+05:30": "17:30", "UTC-03:00": "09:00", "UTC": "12:00", "No/Such": "12:00"}


def test_a_name_from_elsewhere_is_utc_instead_of_an_error() -> None:
    assert zone_of("../etc/passwd") is UTC
