"""What can be tapped under an alert."""

import pytest

from alerts.rules.buttons import under_alert
from monitors.market import Kind


@pytest.mark.parametrize("chat_type", ["private", "group", "supergroup", "channel"])
def test_the_data_fits_whatever_the_alert(chat_type: str) -> None:
    data = [data for row in under_alert(2**63 - 1, "A" * 32, Kind.OPEN_INTEREST, chat_type) for _, data in row]
    assert max(len(each.encode()) for each in data) <= 64 and len(set(data)) == len(data)


def test_whoever_reads_a_channel_finds_nothing_to_mute() -> None:
    assert "Mute" in str(under_alert(17, "BTC", Kind.CASCADE, "group"))
    assert "Mute" not in str(under_alert(17, "BTC", Kind.CASCADE, "channel"))


def test_a_long_name_is_shortened_on_the_button_only() -> None:
    [(label, data), _] = under_alert(17, "1000000MOGSHIBA", Kind.VOLUME, "private")[0]
    assert (label, data) == ("Mute 1000000MOGS… 1 h", "m:17:1")
