"""Is a recording written line by line, in the order of arrival, so that the reader reads it whatever happens to the process?"""

import gzip
import json
from pathlib import Path

import pytest

from monitors.market import Venue
from monitors.recording import Arrival, RecordingReader
from monitors.recording_writer import RecordingWriter

MARKETS = {"okx": {"BTC-USDT-SWAP": {"contract_size": 0.01}}}


def written(path: Path) -> list[int]:
    return [line.at_ms for line in RecordingReader(path) if isinstance(line, Arrival)]


@pytest.mark.parametrize("name", ["new.jsonl", "new.jsonl.gz"])
def test_what_is_written_is_what_the_reader_reads(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with RecordingWriter(path, MARKETS, "a test", "nothing") as writer:
        writer.add(2_000, Venue.OKX, "liquidations", {"data": []})
        writer.add(1_000, Venue.BYBIT, "candles", {"closed": True})
    reader = RecordingReader(path)
    assert (reader.header.markets, reader.header.source, reader.header.note) == (MARKETS, "a test", "nothing")
    assert list(reader) == [Arrival(1_000, Venue.BYBIT, "candles", {"closed": True}), Arrival(2_000, Venue.OKX, "liquidations", {"data": []})]
    assert (path.read_bytes()[:2] == b"\x1f\x8b") is name.endswith(".gz")
    assert writer.counts == {"liquidations": 1, "candles": 1}


def test_what_comes_a_little_late_gets_into_its_place_and_what_is_later_comes_last(tmp_path: Path) -> None:
    path = tmp_path / "new.jsonl"
    with RecordingWriter(path, {}, "", "", hold_ms=3_000) as writer:
        writer.add(10_000, Venue.OKX, "liquidations", {})
        writer.write_due(12_000)
        assert written(path) == []
        writer.add(9_500, Venue.BYBIT, "open_interest", {})
        writer.write_due(13_000)
        assert written(path) == [9_500, 10_000]
        writer.add(8_000, Venue.BYBIT, "open_interest", {"late": True})
    assert written(path) == [9_500, 10_000, 10_000]


@pytest.mark.parametrize("name", ["new.jsonl", "new.jsonl.gz"])
def test_each_line_is_in_the_file_at_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    writer = RecordingWriter(path, {}, "", "")
    for at_ms in (1_000, 2_000):
        writer.add(at_ms, Venue.OKX, "liquidations", {})
        writer.write_due(at_ms)
        assert written(path)[-1] == at_ms
    writer.close()
    whole = gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()
    assert len([json.loads(line) for line in whole.splitlines()]) == 3


def test_an_existing_file_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl"
    path.write_text("precious")
    with pytest.raises(FileExistsError):
        RecordingWriter(path, {}, "", "")
    assert path.read_text() == "precious"
