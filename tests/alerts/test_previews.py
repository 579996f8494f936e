"""What somebody is told to expect: the same days through a replay, and small cases worked out by hand."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.utils import timezone

from alerts import previews, replay, trigger
from alerts.models import Alert, Silence
from monitors import floors, recorder
from monitors.market import Direction, Kind, Venue, from_epoch_ms
from monitors.models import ThresholdRule
from monitors.recording import RecordingReader
from monitors.thresholds import Rule, Rulebook, Severity
from subscribers import services
from subscribers.models import Subscriber
from subscribers.preferences import OFF, Choice, Preferences
from tests.alerts.builders import make_subscriber
from tests.alerts.recorded import arrivals, play, put_in_force, recorded
from tests.builders import LADDER, NOW_MS, make_signal
from tests.reference import recordings as random_recordings

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
CASCADE, LIQUIDATION = Kind.CASCADE, Kind.LIQUIDATION
NOW = datetime(2026, 7, 11, 13, tzinfo=UTC)  # an hour after NOW_MS, when the recordings and signals of these tests come
Incident = tuple[str, str, int]  # asset, direction, and how many of them were opened before


def incidents_of(path: Path, rules: list[Rule]) -> dict[Incident, list[Any]]:
    """The incidents that a replay prints, each with its events but the closing one."""
    listed = {("liquidations", asset): set(Venue) for asset in random_recordings.ASSETS}
    found: dict[Incident, list[Any]] = defaultdict(list)
    opened: dict[tuple[str, str], int] = defaultdict(int)
    events = replay.Replay(RecordingReader(path).header, Rulebook.of(rules), listed).run(arrivals(path))
    for event in sorted(events, key=lambda event: event.order):  # as they were decided; those of one moment are printed by kind
        story = event.asset, event.direction
        opened[story] += event.name == "opened"
        if event.name != replay.CLOSED:
            found[(*story, opened[story])].append(event)
    return found


@pytest.mark.parametrize("seed", range(12))
def test_the_alerts_from_low_are_the_incidents_of_a_replay(tmp_path: Path, seed: int) -> None:
    path, rules = recorded(tmp_path, seed)
    put_in_force(rules)
    play(path, Random(seed))
    all_assets = make_subscriber(lowest=Severity.LOW)
    off = previews.preview(all_assets, CASCADE, "", Choice(OFF), NOW)
    cascades = [key for key, events in incidents_of(path, rules).items() if any(event.kind is CASCADE for event in events)]
    assert (off.before, off.after) == (len(cascades), 0)
    for asset in random_recordings.ASSETS:
        assert previews.preview(all_assets, CASCADE, asset, Choice(OFF), NOW).before == sum(key[0] == asset for key in cascades)


@pytest.mark.parametrize("seed", range(12))
def test_a_threshold_is_passed_by_the_incidents_that_reach_it_in_a_replay(tmp_path: Path, seed: int) -> None:
    path, rules = recorded(tmp_path, seed)
    rules = [replace(rule, enabled=rule.kind is CASCADE, min_venues=1) for rule in rules]  # so that the printed severity is the rung of the cascade
    put_in_force(rules)
    play(path, Random(seed))
    printed, book = incidents_of(path, rules), Rulebook.of(rules)
    for asset in random_recordings.ASSETS:
        rule, subscriber = book.rule(CASCADE, asset), make_subscriber(lowest=Severity.LOW)
        for severity in (Severity.LOW, Severity.MODERATE, Severity.HIGH) if rule else ():
            reached = [key for key, events in printed.items() if key[0] == asset and max(event.severity for event in events) >= severity]
            threshold = Choice(OFF, getattr(rule, severity.name.lower()))
            found = previews.preview(subscriber, CASCADE, asset, threshold, NOW)
            assert (found.before, found.after) == (sum(key[0] == asset for key in printed), len(reached))
    assert printed


# By hand


@pytest.fixture
def ann() -> Subscriber:
    """Wants cascades of BTC from LOW, which is $1,000 here; nothing else."""
    ThresholdRule.objects.filter(asset="BTC").update(**LADDER)
    floors.remember(NOW - timedelta(days=20))
    return make_subscriber(asset="BTC")


def arrive(*values: float, every: timedelta = timedelta(minutes=10), **fields: Any) -> None:
    """Cascades of BTC longs, stored and decided: each an incident of its own unless they come faster."""
    step_ms = every // timedelta(milliseconds=1)
    recorder.write([(make_signal(value, step_ms * number, **fields), timezone.now()) for number, value in enumerate(values)])
    trigger.evaluate_unread()


def preview(subscriber: Subscriber, threshold: float | None = None, lowest: int = Severity.LOW, **fields: Any) -> previews.Preview:
    custom = None if threshold is None else Decimal(str(threshold))
    return previews.preview(Subscriber.objects.get(pk=subscriber.pk), CASCADE, "BTC", Choice(lowest, custom, **fields), NOW)


def test_an_incident_counts_once_however_far_it_escalates(ann: Subscriber) -> None:
    arrive(1_000, 2_000, 4_000, 8_000, 16_000, every=timedelta(seconds=1))
    arrive(1_500, 5_000, direction=Direction.SHORT)
    assert (preview(ann, 4_000).before, preview(ann, 4_000).after, preview(ann, 20_000).after) == (3, 2, 0)


def test_a_threshold_below_low_counts_what_it_would_have_opened(ann: Subscriber) -> None:
    arrive(600, 1_200, 599, 700)
    assert (preview(ann, 600).before, preview(ann, 600).after) == (1, 3)
    services.choose(ann, CASCADE, "BTC", Choice(OFF, Decimal(600)), NOW)
    assert (preview(ann).before, preview(ann).after) == (3, 1), "and back again"


def test_somebody_elses_low_threshold_is_nobody_elses_alert(ann: Subscriber) -> None:
    make_subscriber(asset="BTC").subscriptions.update(custom_threshold=500)
    services.refresh_custom_floors()
    arrive(600, 1_200)
    assert preview(ann, lowest=Severity.MODERATE).before == 1


def test_alerts_in_the_quiet_hours_are_counted_by_their_first_message(ann: Subscriber) -> None:
    arrive(1_000, 9_000, 2_000, 2_000)  # at 12:00, 12:10, 12:20, 12:30 UTC
    services.set_quiet_hours(ann, time(14, 5), time(14, 25), Severity.EXTREME, NOW)
    services.set_time_zone(ann, "UTC+02:00", NOW)
    assert preview(ann, 1_000).quiet == 1, "12:20; EXTREME at 12:10 is let through"
    services.set_quiet_hours(ann, time(14, 5), time(14, 25), OFF, NOW)
    assert preview(ann, 1_000).quiet == 2


def test_direction_and_confirmation_count_as_they_would(ann: Subscriber) -> None:
    ThresholdRule.objects.filter(asset="BTC").update(min_venues=2)
    arrive(1_000, 2_000, direction=Direction.SHORT)
    arrive(4_000, venues={Venue.BYBIT: 2_000, Venue.OKX: 2_000})
    assert (preview(ann, direction="SHORT").before, preview(ann, direction="SHORT").after, preview(ann, direction="LONG").after) == (3, 2, 1)
    services.set_confirmed_only(ann, True, NOW)
    assert preview(ann).before == 1


def test_what_is_older_than_a_week_does_not_count(ann: Subscriber) -> None:
    arrive(1_000, 1_000)
    later = from_epoch_ms(NOW_MS) + previews.PERIOD + timedelta(minutes=5)
    found = previews.preview(ann, CASCADE, "BTC", None, later)
    assert (found.before, found.begins_at) == (1, None)
    assert preview(ann).begins_at == from_epoch_ms(NOW_MS)


# Signals that low were not kept


def test_it_is_known_since_when_signals_so_low_are_kept(ann: Subscriber) -> None:
    arrive(1_000)
    assert preview(ann, 500).kept_since == preview(ann).kept_since == floors.ALWAYS
    assert preview(ann, 499).kept_since is None
    lower_at = timezone.now()
    services.choose(ann, CASCADE, "BTC", Choice(OFF, Decimal(300)), lower_at)
    found = previews.preview(ann, CASCADE, "BTC", Choice(OFF, Decimal(400)), timezone.now()).kept_since
    assert found is not None and abs(found - lower_at) < timedelta(seconds=10)
    services.choose(ann, CASCADE, "BTC", None, timezone.now())
    assert previews.preview(ann, CASCADE, "BTC", Choice(OFF, Decimal(400)), timezone.now()).kept_since is None


# Stored alerts


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ({}, []),
        ({"": Choice(OFF)}, []),
        ({"": Choice(Severity.LOW)}, [1_000, 2_000, 4_000]),
        ({"": Choice(Severity.MODERATE)}, [2_000, 4_000]),
        ({"BTC": Choice(Severity.HIGH), "": Choice(Severity.LOW)}, [4_000]),
        ({"ETH": Choice(OFF), "": Choice(Severity.LOW, Decimal(1_500))}, [2_000, 4_000]),
        ({"BTC": Choice(OFF), "": Choice(Severity.LOW, Decimal(1_500))}, []),
        ({"BTC": Choice(Severity.LOW, direction="SHORT")}, []),
        ({"BTC": Choice(OFF, Decimal(4_000), "LONG")}, [4_000]),
    ],
)
def test_the_alerts_of_which_somebody_would_have_been_told(ann: Subscriber, choices: dict[str, Choice], expected: list[int]) -> None:
    arrive(1_000, 2_000, 4_000)
    preferences = Preferences({(CASCADE, asset): choice for asset, choice in choices.items()})
    assert list(previews.alerts_for(preferences).order_by("id").values_list("peak__value", flat=True)) == expected


def test_another_kind_a_silence_and_an_unconfirmed_alert_would_have_told_nobody(ann: Subscriber) -> None:
    Silence.objects.create(until=timezone.now() + timedelta(hours=1))
    arrive(1_000)
    Silence.objects.all().delete()
    assert not previews.alerts_for(Preferences({(CASCADE, ""): Choice(Severity.LOW)})).exists()
    ThresholdRule.objects.filter(asset="BTC").update(min_venues=2)
    arrive(1_000, direction=Direction.SHORT)
    assert [
        previews.alerts_for(preferences).count()
        for preferences in (
            Preferences({(CASCADE, ""): Choice(Severity.LOW)}),
            Preferences({(CASCADE, ""): Choice(Severity.LOW)}, confirmed_only=True),
            Preferences({(LIQUIDATION, ""): Choice(Severity.LOW)}),
            Preferences({(CASCADE, ""): Choice(Severity.LOW), (LIQUIDATION, "BTC"): Choice(OFF)}),  # of another kind
        )
    ] == [1, 0, 0, 1]
    assert Alert.objects.count() == 2
