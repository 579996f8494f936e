"""What does a reader make of a recording?"""

import gzip
import json
from pathlib import Path

import pytest

from monitors.market import Venue
from monitors.recording import Arrival, BrokenLine, RecordingReader, UnreadableRecording

HEADER = {"format": "alertsystem.recording", "version": 1, "markets": {"okx": {"BTC-USDT-SWAP": {"contract_size": 0.01}}}, "source": "us", "note": "n"}
LINE = {"at": 1_783_771_207_500, "venue": "bybit", "feed": "liquidations", "payload": {"topic": "x"}}


def written(folder: Path, *lines: object, name: str = "a.jsonl") -> Path:
    """A recording of these lines; text stays as it is."""
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_a_recording_is_read_compressed_or_not(tmp_path: Path, name: str) -> None:
    reader = RecordingReader(written(tmp_path, HEADER, LINE, name=name))
    assert (reader.header.source, reader.header.markets) == ("us", HEADER["markets"])
    assert list(reader) == [Arrival(1_783_771_207_500, Venue.BYBIT, "liquidations", {"topic": "x"})]


@pytest.mark.parametrize("header", [{**HEADER, "version": 2}, {**HEADER, "version": None}, {**HEADER, "format": "other"}, "no json", "[]", "", {}])
def test_an_unknown_version_or_another_format_is_refused(tmp_path: Path, header: object) -> None:
    with pytest.raises(UnreadableRecording) as refused:
        RecordingReader(written(tmp_path, header, LINE))
    assert "\n" not in str(refused.value)


def test_an_unknown_version_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableRecording, match=r"version 2.* version 1"):
        RecordingReader(written(tmp_path, {**HEADER, "version": 2}))


BROKEN = [
    "{",
    "[]",
    "3",
    {**LINE, "at": "soon"},
    {**LINE, "at": 1.5},
    {**LINE, "at": True},
    {**LINE, "at": -1},
    {**LINE, "venue": "ftx"},
    {**LINE, "feed": "x"},
]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_line_is_reported_by_its_number_and_the_reader_goes_on(tmp_path: Path, broken: object) -> None:
    first, second, third = RecordingReader(written(tmp_path, HEADER, LINE, broken, LINE))
    assert isinstance(first, Arrival)
    assert isinstance(second, BrokenLine)
    assert second.number == 3
    assert isinstance(third, Arrival)


def test_an_empty_line_is_no_line(tmp_path: Path) -> None:
    assert len(list(RecordingReader(written(tmp_path, HEADER, "", LINE, "")))) == 1


def test_a_file_cut_in_the_middle_gives_what_it_holds(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER, *[LINE] * 50_000, name="a.jsonl.gz")
    path.write_bytes(path.read_bytes()[:-200])
    read = list(RecordingReader(path))
    assert isinstance(read[0], Arrival)
    assert isinstance(read[-1], BrokenLine)


def test_numbers_are_read_as_they_stand(tmp_path: Path) -> None:
    sample = {**LINE, "feed": "open_interest", "payload": {"open_interest": "9460949.4600000009"}}
    [arrival] = RecordingReader(written(tmp_path, HEADER, sample))
    assert isinstance(arrival, Arrival)
    assert arrival.payload["open_interest"] == "9460949.4600000009"
