"""What the database holds back, `preferences.verdict` holds back, and for the same reason."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts import outbox
from alerts.models import Alert, Delivery
from monitors.market import Kind
from monitors.thresholds import Severity
from subscribers import services
from subscribers.models import OFF, Mute, Subscriber
from subscribers.preferences import Verdict, verdict
from subscribers.selectors import preferences_of
from subscribers.zones import local
from tests.alerts.builders import make_alert, make_delivery, make_fan_out, make_signal, make_subscriber

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
State = Delivery.State
HOURS = st.integers(-23, 23).filter(lambda hours: hours != 0)  # from now, so that the test's own duration does not count


@dataclass(frozen=True)
class Person:
    """What keeps somebody from hearing: mutes by kind and asset with the hours they last, quiet hours in hours from now, messages in the last hour."""

    mutes: dict[tuple[str, str], int]
    quiet: tuple[int, int] | None
    lets_through: int
    time_zone: str
    capped: bool
    recent: int


PEOPLE = st.builds(
    Person,
    st.dictionaries(st.tuples(st.sampled_from(["", "cascade", "volume"]), st.sampled_from(["", "BTC", "ETH"])), HOURS, max_size=2),
    st.none() | st.tuples(HOURS, HOURS).filter(lambda hours: (hours[0] - hours[1]) % 24 != 0),
    st.sampled_from([*(severity.value for severity in Severity if severity), OFF]),
    st.sampled_from(["UTC", "Asia/Tokyo", "UTC-03:30"]),
    st.booleans(),
    st.sampled_from([0, 9, 10, 29, 30]),
)


def store(person: Person, now: datetime, others: list[Alert]) -> Subscriber:
    somebody = make_subscriber(capped=person.capped, lowest=Severity.LOW)
    services.set_time_zone(somebody, person.time_zone, now)
    somebody.refresh_from_db()
    if person.quiet is not None:
        begin, end = (local(now + timedelta(hours=hours), person.time_zone) for hours in person.quiet)
        services.set_quiet_hours(somebody, begin.time(), end.time(), person.lets_through, now)
    for (kind, asset), hours in person.mutes.items():
        Mute.objects.create(subscriber=somebody, kind=kind, asset=asset, until=now + timedelta(hours=hours))
    for alert in others[: person.recent]:
        make_delivery(somebody, alert=alert)
    somebody.refresh_from_db()
    return somebody


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PEOPLE, min_size=1, max_size=3), st.sampled_from(Severity))
def test_the_database_and_the_rule_in_values_agree(people: list[Person], severity: Severity) -> None:
    Subscriber.objects.all().delete()
    Alert.objects.filter(closed_at=None).update(closed_at=timezone.now())
    now = timezone.now()
    others = [make_alert() for _ in range(max(person.recent for person in people))]
    stored = [store(person, now, others) for person in people]
    alert = make_alert(make_signal(1_000_000, "BTC", Kind.CASCADE), severity)
    outbox.fan_out(make_fan_out(alert))
    for person, somebody in zip(people, stored, strict=True):
        said = verdict(preferences_of(somebody), alert.peak.as_value(), severity, now, last_hour=person.recent)
        row = Delivery.objects.filter(alert=alert, subscriber=somebody).first()
        if row is None:
            assert not said.holds and said is not Verdict.WANTED
        else:
            assert (row.state, row.reason) == ((State.HELD, said.value) if said.holds else (State.PENDING, ""))
            assert said.holds == (row.held_until is not None and row.held_until > now)
