"""What is on record of an incident's story when its largest measurement grows."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from alerts import records, trigger
from alerts.messages import text_of
from alerts.models import Alert
from alerts.rules.record import Record
from monitors.market import Direction, Kind, fingerprint_of
from monitors.models import BlindSpot, Signal
from tests.alerts.builders import make_alert, make_signal

pytestmark = pytest.mark.django_db
NOW = timezone.now()
DAY = timedelta(days=1)
VENUES = ("binance", "bybit", "okx")


def incident(value: int, days_ago: float, asset: str = "BTC", kind: Kind = Kind.CASCADE) -> Alert:
    at = NOW - days_ago * DAY
    return make_alert(make_signal(value, asset, kind, at), opened_at=at, closed_at=at)


def raised(value: int, at: datetime = NOW, asset: str = "BTC") -> Alert:
    """The incident after a cascade of this size was decided."""
    signal = make_signal(value, asset, at=at)
    Signal.objects.filter(pk=signal.pk).update(decided_at=None)
    trigger.evaluate(signal.fingerprint)
    return Alert.objects.select_related("peak").get(closed_at=None, asset=asset)


def dark(days_ago: float, hours: float, venues: tuple[str, ...] = VENUES) -> None:
    """Nothing came of these venues for so long."""
    for minutes, venue in enumerate(venues):
        since = NOW - days_ago * DAY - timedelta(minutes=minutes)
        BlindSpot.objects.create(venue=venue, feed="liquidations", since=since, until=since + timedelta(hours=hours))


def test_the_last_one_as_large_counts_whatever_else_there_was() -> None:
    incident(9_000_000, 20)
    incident(6_000_000, 9.5)
    incident(5_000_000, 4)
    assert records.line_of(raised(6_000_000)) == "Largest in 9 days"
    assert "Largest in 9 days" in text_of(Alert.objects.get(closed_at=None)).plain.splitlines()


def test_a_single_liquidation_and_a_cascade_are_one_family_other_sides_and_assets_are_not() -> None:
    first = incident(9_000_000, 9.5, kind=Kind.LIQUIDATION)
    incident(99_000_000, 3, "ETH")
    shorts = incident(99_000_000, 3)
    Alert.objects.filter(pk=shorts.pk).update(fingerprint=fingerprint_of(Kind.CASCADE, "BTC", Direction.SHORT))
    assert first.fingerprint == fingerprint_of(Kind.CASCADE, "BTC", Direction.LONG)
    assert records.line_of(raised(6_000_000)) == "Largest in 9 days"


def test_without_a_larger_one_it_says_since_when_records_go() -> None:
    make_signal(300_000, "BTC", at=NOW - 9.5 * DAY)  # below LOW: history only
    assert records.line_of(raised(6_000_000)) == "Largest since records began 9 days ago"
    assert records.line_of(raised(6_000_000, asset="ETH")) == "", "nothing is known of its past"


def test_records_begin_anew_after_a_long_time_in_which_nobody_was_seen() -> None:
    incident(9_000_000, 20)
    dark(5, hours=3)
    assert records.line_of(raised(6_000_000)) == "Largest since records began 4 days ago"


@pytest.mark.parametrize(("hours", "venues"), [(0.9, VENUES), (30, VENUES[:2])])
def test_a_short_time_or_a_venue_that_was_seen_does_not_end_the_records(hours: float, venues: tuple[str, ...]) -> None:
    incident(9_000_000, 20)
    dark(5, hours, venues)
    assert records.line_of(raised(6_000_000)) == "Largest in 20 days"


def test_it_is_asked_again_only_when_the_incident_grows_past_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    look_up = records._look_up

    def counting(alert: Alert, peak: Signal, is_first: bool) -> Record:
        asked.append(int(peak.value))
        return look_up(alert, peak, is_first)

    monkeypatch.setattr(records, "_look_up", counting)
    incident(30_000_000, 40)
    incident(7_000_000, 9.5)
    lines = [
        records.line_of(raised(value, NOW + timedelta(seconds=second))) for second, value in enumerate((1_000_000, 5_000_000, 6_900_000, 8_000_000, 9_000_000))
    ]
    assert asked == [1_000_000, 8_000_000]
    assert lines == ["Largest in 9 days"] * 3 + ["Largest in 40 days"] * 2
