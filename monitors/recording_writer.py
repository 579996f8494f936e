"""How is a recording written? The header, then one line for each thing that arrived, in the order of arrival."""

import gzip
import heapq
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

import orjson

from monitors.market import Venue
from monitors.recording import FORMAT, VERSION


class RecordingWriter:
    """A new file, packed when its name ends in .gz; `counts` are the lines written of each feed.

    What comes late by less than `hold_ms` still gets into its place; what is later counts as arriving after the line before it.
    """

    def __init__(self, path: Path, markets: Mapping[str, Any], source: str, note: str, hold_ms: int = 0) -> None:
        """Create the file; raises FileExistsError when there is one, or another OSError."""
        self.counts: Counter[str] = Counter()
        self._raw = path.open("xb")
        self._file = cast("IO[bytes]", gzip.GzipFile(path.name, "wb", fileobj=self._raw) if path.suffix == ".gz" else self._raw)
        self._hold_ms, self._last_ms = hold_ms, 0
        self._held: list[tuple[int, int, str, str, Any]] = []  # at, order, venue, feed, payload
        self._added = 0
        self._write({"format": FORMAT, "version": VERSION, "markets": markets, "source": source, "note": note})
        self._flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def add(self, at_ms: int, venue: Venue, feed: str, payload: Any) -> None:
        """One thing that arrived at `at_ms`, epoch ms."""
        self._added += 1
        heapq.heappush(self._held, (at_ms, self._added, venue.value, feed, payload))

    def write_due(self, now_ms: int) -> None:
        """Write what has been held long enough, so that it is in the file whatever happens to the process."""
        written = False
        while self._held and self._held[0][0] <= now_ms - self._hold_ms:
            at_ms, _, venue, feed, payload = heapq.heappop(self._held)
            self._last_ms = max(self._last_ms, at_ms)
            self._write({"at": self._last_ms, "venue": venue, "feed": feed, "payload": payload})
            self.counts[feed] += 1
            written = True
        if written:
            self._flush()

    def close(self) -> None:
        """Write all that is held, and close."""
        if self._held:
            self.write_due(max(at_ms for at_ms, *_ in self._held) + self._hold_ms)
        self._file.close()
        self._raw.close()

    def _write(self, line: Mapping[str, Any]) -> None:
        self._file.write(orjson.dumps(line) + b"\n")

    def _flush(self) -> None:
        self._file.flush()  # a packed file is readable up to here, too
        self._raw.flush()
