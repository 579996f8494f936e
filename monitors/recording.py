"""What arrived, and when? The recording format: JSON lines, a header, then one thing that arrived per line."""

import gzip
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from monitors.market import Venue

FORMAT, VERSION = "alertsystem.recording", 1
FEEDS = ("liquidations", "open_interest", "candles")
GZIP_MAGIC = b"\x1f\x8b"


class UnreadableRecording(ValueError):
    """The file is no recording, or of a version that this reader does not know."""


@dataclass(frozen=True, slots=True)
class Header:
    """`markets`: what the venue's frames do not say, by venue and its symbol (OKX: contract_size in coins)."""

    markets: Mapping[str, Mapping[str, Any]]
    source: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One line: `payload` of `feed` arrived from `venue` at `at_ms`, epoch milliseconds; `number` as of a broken line."""

    at_ms: int
    venue: Venue
    feed: str
    payload: Any
    number: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line that could not be read, by its number in the file (the header is 1)."""

    number: int
    problem: str


class RecordingReader:
    """An open recording; iterate over it for its arrivals, with broken lines in their places."""

    def __init__(self, path: Path) -> None:
        """Open and read the header; raises UnreadableRecording, or OSError when there is no such file."""
        self._stack = ExitStack()
        raw = self._stack.enter_context(path.open("rb"))
        magic = raw.read(2)
        raw.seek(0)
        self._lines: Any = self._stack.enter_context(gzip.GzipFile(fileobj=raw)) if magic == GZIP_MAGIC else raw
        try:
            self.header = _header(self._lines.readline())
        except (UnreadableRecording, OSError) as error:
            self._stack.close()
            raise UnreadableRecording(f"{path}: {error}") from None

    def __iter__(self) -> Iterator[Arrival | BrokenLine]:
        with self._stack:
            number = 1
            try:
                for number, line in enumerate(self._lines, start=2):
                    if line.strip():
                        yield _arrival(line, number)
            except (EOFError, gzip.BadGzipFile) as error:
                yield BrokenLine(number + 1, f"the file ends in the middle: {error}")


def _header(line: bytes) -> Header:
    try:
        header = orjson.loads(line)
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            raise UnreadableRecording(f"no recording: its first line is not a header with format {FORMAT!r}")
    except orjson.JSONDecodeError:
        raise UnreadableRecording("no recording: its first line is not JSON") from None
    if header.get("version") != VERSION:
        raise UnreadableRecording(f"recording version {header.get('version')!r}; this reader knows version {VERSION}")
    markets = header.get("markets") or {}
    if not isinstance(markets, dict) or not all(isinstance(by_symbol, dict) for by_symbol in markets.values()):
        raise UnreadableRecording("the header's markets are not an object of objects")
    return Header(markets, str(header.get("source", "")), str(header.get("note", "")))


def _arrival(line: bytes, number: int) -> Arrival | BrokenLine:
    try:
        entry = orjson.loads(line)
        if type(entry["at"]) is not int or entry["at"] < 0:
            return BrokenLine(number, f"'at' is not epoch milliseconds: {json.dumps(entry['at'])[:40]}")
        if entry["feed"] not in FEEDS:
            return BrokenLine(number, f"unknown feed {json.dumps(entry['feed'])[:40]}")
        return Arrival(entry["at"], Venue(entry["venue"]), entry["feed"], entry["payload"], number)
    except orjson.JSONDecodeError:
        return BrokenLine(number, "not JSON")
    except KeyError as error:
        return BrokenLine(number, f"{error} is missing")
    except (TypeError, ValueError) as error:
        return BrokenLine(number, str(error)[:80])
