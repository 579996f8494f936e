"""How do measurements of many workers make one story? The episodes of an asset are locked while it is judged, and stored with its signals."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from alertsystem.celery import FIRST, enqueue
from monitors import recorder, selectors
from monitors.detectors.episode import Episode
from monitors.detectors.scan_signals import Episodes, Scan, Story
from monitors.market import Direction, Kind, Signal, epoch_ms
from monitors.models import EpisodeState

log = logging.getLogger(__name__)

AT_ONCE = 20  # assets locked together: no writer waits long
DIRECTIONS = {Kind.OPEN_INTEREST: (Direction.UP, Direction.DOWN), Kind.VOLUME: (Direction.NONE,)}
STATE = ("index", "number", "step", "running", "peak", "written_ms", "signal_at_ms")  # as Episode calls them


@dataclass(frozen=True, slots=True)
class Round:
    """Some assets whose episodes are held; `judged_ms` is the open time of each one's newest closed candle that was judged, to be kept up to date."""

    assets: Sequence[str]
    scan: Scan
    judged_ms: dict[str, int]
    rows: Mapping[Story, EpisodeState]

    def climbs(self, asset: str) -> bool:
        """Whether a rung was passed just now: what is measured is news."""
        return any(self.scan.episodes[story].step > row.step for story, row in self.rows.items() if row.asset == asset)

    def undo(self, asset: str) -> None:
        """As if the asset had not been measured."""
        for story, row in self.rows.items():
            if row.asset == asset:
                self.scan.episodes[story], self.judged_ms[asset] = _episode(row), row.judged_ms


def judge(kind: Kind, assets: Sequence[str], offset_ms: int, measure: Callable[[Round], list[Signal]]) -> int:
    """Measure the assets, a few at a time, each by one worker only; store the signals, announce all at once, and return how many there were.

    `offset_ms`: how far the venue's clock, by which is measured, is ahead of ours.
    """
    rulebook, raised = selectors.rulebook(), list[Signal]()
    for few in (assets[first : first + AT_ONCE] for first in range(0, len(assets), AT_ONCE)):
        with transaction.atomic():
            rows = _lock(kind, few)
            now = timezone.now()
            episodes: Episodes = {story: _episode(row) for story, row in rows.items()}
            judged_ms = {asset: row.judged_ms for (_, asset, _), row in rows.items()}
            signals = measure(Round(few, Scan(epoch_ms(now) + offset_ms, rulebook, episodes), judged_ms, rows))
            _store(rows, episodes, judged_ms)
            recorder.write([(signal, now) for signal in _apart(signals, offset_ms)])
        raised += signals
    announce(raised)
    return len(raised)


def announce(signals: Sequence[Signal]) -> None:
    """Tell the workers to look now; a broker that is away is no loss, because a sweep looks as well."""
    for fingerprint in dict.fromkeys(signal.fingerprint for signal in signals):
        try:
            enqueue("alerts.evaluate_signal", fingerprint, priority=FIRST)
        except OperationalError as error:
            log.warning("Workers cannot be told to look now (%s); the sweep will find what waits", error)
            return


def _lock(kind: Kind, assets: Sequence[str]) -> dict[Story, EpisodeState]:
    stories = [(kind, asset, direction) for asset in assets for direction in DIRECTIONS[kind]]
    found = _held(kind, assets)
    if missing := [EpisodeState(kind=kind, asset=asset, direction=direction) for kind, asset, direction in stories if (kind, asset, direction) not in found]:
        EpisodeState.objects.bulk_create(missing, ignore_conflicts=True)
        found = _held(kind, assets)
    return found


def _held(kind: Kind, assets: Sequence[str]) -> dict[Story, EpisodeState]:
    rows = EpisodeState.objects.select_for_update().filter(kind=kind, asset__in=assets).order_by("pk")  # one order, so that no two wait for each other
    return {(Kind(row.kind), row.asset, Direction(row.direction)): row for row in rows}


def _episode(row: EpisodeState) -> Episode:
    return Episode(**{name: getattr(row, name) for name in STATE})


def _store(rows: Mapping[Story, EpisodeState], episodes: Episodes, judged_ms: Mapping[str, int]) -> None:
    changed = []
    for story, row in rows.items():
        after = {name: getattr(episodes[story], name) for name in STATE} | {"judged_ms": judged_ms[row.asset]}
        if any(getattr(row, name) != value for name, value in after.items()):
            for name, value in after.items():
                setattr(row, name, value)
            changed.append(row)
    if changed:
        EpisodeState.objects.bulk_update(changed, [*STATE, "judged_ms"])


def _apart(signals: Sequence[Signal], offset_ms: int) -> Iterator[Signal]:
    """The signals with their arrival by our clock, 1 ms later for a second one of the same story: that is the key of stored signals."""
    seen: dict[str, int] = {}
    for signal in signals:
        nth = seen[signal.fingerprint] = seen.get(signal.fingerprint, -1) + 1
        yield replace(signal, received_at_ms=signal.received_at_ms - offset_ms + nth)
