"""Is somebody's liquidation, or a cascade of them, worth a signal? All assets and position sides of one process."""

from collections.abc import Callable, Collection, Container, Iterable

from monitors.detectors.story import Graded, Story
from monitors.market import Direction, Kind, Liquidation, Signal
from monitors.thresholds import Rulebook

ListedOn = Callable[[str], int]
Key = tuple[str, Direction]


class LiquidationDetector:
    """All windows of one process. `rulebook` may be exchanged at any time; the next frame of a story follows it."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self._stories: dict[Key, Story] = {}
        self._holding: dict[Key, Story] = {}  # those that may hold a peak back
        self._next_flush_ms: int | None = None

    def continue_episodes(self, kind: Kind, asset: str, direction: Direction, index: int) -> None:
        """Number the next episode of this kind, asset and side after `index`, the last one on record."""
        story = self._story((asset, direction))
        (story.cascade if kind is Kind.CASCADE else story.liquidation).index = index

    def observe(self, liquidations: Collection[Liquidation], at_ms: int, listed_on: ListedOn, watched: Container[str] | None = None) -> list[Signal]:
        """The signals of one frame: what was due before it, then its own, the most severe first, at a tie the cascade.

        `liquidations` are the frame's counted events (see intake.py), `listed_on` tells how many live
        venues list an asset. Those of assets that are not `watched` are passed over; None: all are.
        """
        due = [] if self._next_flush_ms is None or at_ms < self._next_flush_ms else self.flush(at_ms)
        signals: list[Graded] = []
        for key, events in _by_story(liquidations, watched):
            story = self._stories.get(key)
            if story is None or story.rulebook is not self.rulebook:
                story = self._story(key)
            written = story.observe(events, at_ms, listed_on(story.asset))
            if written:
                due += story.overtaken(at_ms)
                signals += written
            due_ms = story.due_ms
            if due_ms is not None:
                self._holding[key] = story
                if self._next_flush_ms is None or due_ms < self._next_flush_ms:
                    self._next_flush_ms = due_ms
        return due + [signal for _, signal in sorted(signals, key=lambda pair: (pair[1].received_at_ms, -pair[0]))] if signals else due

    def flush(self, now_ms: int) -> list[Signal]:
        """The peaks held back until now (see episode.py)."""
        if self._next_flush_ms is None or now_ms < self._next_flush_ms:
            return []
        signals = [signal for story in self._holding.values() for signal in story.flush(now_ms)]
        due = {key: story.due_ms for key, story in self._holding.items()}
        self._holding = {key: story for key, story in self._holding.items() if due[key] is not None}
        self._next_flush_ms = min((due_ms for due_ms in due.values() if due_ms is not None), default=None)
        return signals

    @property
    def next_flush_ms(self) -> int | None:
        """From when on `flush` may have something to give; None while nothing is held back."""
        return self._next_flush_ms

    def _story(self, key: Key) -> Story:
        """The story as it is under the rules in force."""
        story = self._stories.get(key)
        if story is None:
            story = self._stories[key] = Story(*key)
        if story.rulebook is not self.rulebook:
            story.follow(self.rulebook)
        return story


def _by_story(liquidations: Collection[Liquidation], watched: Container[str] | None) -> Iterable[tuple[Key, list[Liquidation]]]:
    grouped: dict[Key, list[Liquidation]] = {}
    for event in liquidations:
        if watched is None or event.asset in watched:
            grouped.setdefault((event.asset, event.position_side), []).append(event)
    return grouped.items()
