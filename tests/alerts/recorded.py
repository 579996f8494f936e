"""A random recording, and its frames through the live pipeline's functions and rows."""

import json
from pathlib import Path
from random import Random

import orjson
from django.utils import timezone

from alerts import trigger
from monitors import recorder, rulefile, selectors
from monitors.detection import Detection
from monitors.market import Signal, Venue, from_epoch_ms
from monitors.models import ThresholdRule
from monitors.recording import Arrival, RecordingReader
from monitors.thresholds import Rule
from monitors.venues.contracts import of_recording
from monitors.venues.wire import MalformedFrame
from monitors.watch import Watch
from tests.reference import recordings as random_recordings


def recorded(folder: Path, seed: int) -> tuple[Path, list[Rule]]:
    """A random recording with its rules. No two frames share a millisecond: live moves the second one's signal 1 ms on, for the key of its row."""
    random = Random(seed)
    (folder / "rules.json").write_text(json.dumps([{**rule, "enabled": True} for rule in random_recordings.rules(random)]))
    header, *lines = random_recordings.recording(random, 60)
    frames = [json.loads(line) for line in lines if line not in random_recordings.BROKEN]
    later = [json.dumps({**frame, "at": frame["at"] + 2 * index}) for index, frame in enumerate(frames)]
    path = folder / "recording.jsonl"
    path.write_text("\n".join([header, *later]) + "\n")
    return path, rulefile.read(folder / "rules.json")


def arrivals(path: Path) -> list[Arrival]:
    """The recording's lines."""
    return [line for line in RecordingReader(path) if isinstance(line, Arrival)]


def put_in_force(rules: list[Rule]) -> None:
    """These rules and no others."""
    ThresholdRule.objects.all().delete()
    ThresholdRule.objects.bulk_create(ThresholdRule(**rulefile.as_object(rule)) for rule in rules)


def play(path: Path, random: Random) -> None:
    """Send the frames the live way, the trigger engine looking now and then."""
    header = RecordingReader(path).header
    contracts = {venue: of_recording(venue, header.markets.get(venue, {})) for venue in Venue}
    listing = {asset: frozenset(Venue) for asset in random_recordings.ASSETS}
    detection = Detection(Watch(selectors.rulebook(), contracts, dict.fromkeys(random_recordings.ASSETS), listing), live=list(Venue))
    for arrival in arrivals(path):
        _store(detection.flush(arrival.at_ms))
        if arrival.feed == "liquidations":
            _store(_taken(detection, arrival))
        if random.random() < 0.3:
            trigger.evaluate_unread()
            trigger.close_due(from_epoch_ms(arrival.at_ms))
    _store(detection.flush(arrival.at_ms + 250))
    trigger.evaluate_unread()
    trigger.close_due(from_epoch_ms(arrival.at_ms))


def _taken(detection: Detection, arrival: Arrival) -> list[Signal]:
    """The signals of one raw frame."""
    try:
        return detection.take(arrival.venue, orjson.dumps(arrival.payload), arrival.at_ms).signals
    except MalformedFrame:
        return []


def _store(signals: list[Signal]) -> None:
    """As the liquidation monitor does."""
    recorder.write([(signal, timezone.now()) for signal in signals])
