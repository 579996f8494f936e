"""What did the windows hold before the restart? Detection is run again over the saved liquidations of the last minutes."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby

from django.db.models import Max, Min

from monitors import models
from monitors.detection import Detection
from monitors.detectors.intake import MAX_AGE_MS
from monitors.market import Direction, Kind, Liquidation, Signal, Venue, epoch_ms
from monitors.watch import Watch

MAKE_GOOD = timedelta(seconds=5)  # signals of the last saved frames may not have been written before a kill
TOO_LONG_AGO = timedelta(minutes=15)  # nothing of then is news: the longest expiry of a message
MARGIN = timedelta(minutes=1)  # so that an episode of before the window is seen to have begun


def rebuild(detection: Detection, now: datetime) -> list[Signal]:
    """Fill the windows and number the episodes on; returns the signals of the last saved frames, which may not have been written."""
    newest = models.Liquidation.objects.filter(received_at__lte=now).aggregate(at=Max("received_at"))["at"]
    if newest is None or now - newest > TOO_LONG_AGO:
        _continue_episodes(detection, since=now)
        return []
    since = newest - _longest_window(detection.watch) - timedelta(milliseconds=MAX_AGE_MS) - MARGIN
    _continue_episodes(detection, since)
    signals: list[Signal] = []
    for at_ms, events in _frames(since, until=now):
        admission = detection.intake.admit(events, at_ms)
        signals += detection.observe(admission.counted, at_ms)
    signals += detection.flush(epoch_ms(now))
    oldest_ms = epoch_ms(newest - MAKE_GOOD)
    return [signal for signal in signals if signal.received_at_ms >= oldest_ms]


def _longest_window(watch: Watch) -> timedelta:
    return timedelta(seconds=max((rule.window_s for rule in watch.rulebook.rules.values() if rule.kind in (Kind.LIQUIDATION, Kind.CASCADE)), default=0))


def _frames(since: datetime, until: datetime) -> Iterator[tuple[int, list[Liquidation]]]:
    rows = models.Liquidation.objects.filter(received_at__gte=since, received_at__lte=until).order_by("received_at", "id")
    fields = ("received_at", "venue", "symbol", "asset", "position_side", "price", "quantity_base", "notional_usd", "occurred_at", "occurrence")
    for received_at, frame in groupby(rows.values_list(*fields).iterator(), key=lambda row: row[0]):
        yield epoch_ms(received_at), [_event(row[1:]) for row in frame]


def _event(row: tuple[str, str, str, str, object, object, object, datetime, int]) -> Liquidation:
    venue, symbol, asset, side, price, quantity_base, notional_usd, occurred_at, occurrence = row
    return Liquidation(Venue(venue), symbol, asset, Direction(side), price, quantity_base, notional_usd, epoch_ms(occurred_at), occurrence)  # type: ignore[arg-type]  # decimals


def _continue_episodes(detection: Detection, since: datetime) -> None:
    """Number episodes after the last one that ended before `since`; those since then are counted again."""
    stored = models.Signal.objects.filter(kind__in=(Kind.LIQUIDATION, Kind.CASCADE)).order_by().values_list("kind", "asset", "direction")
    last = {tuple(story): number for *story, number in stored.filter(received_at__lt=since).annotate(Max("episode"))}
    again = {tuple(story): number - 1 for *story, number in stored.filter(received_at__gte=since).annotate(Min("episode"))}
    for (kind, asset, direction), number in {**last, **again}.items():
        detection.detector.continue_episodes(Kind(kind), asset, Direction(direction), number)
