"""The set-based query, and that it says the same as the rule in values."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitors.market import Direction, Kind, Signal
from monitors.thresholds import Severity
from subscribers.models import OFF, Subscriber, Subscription
from subscribers.preferences import Choice, Preferences, Verdict, verdict
from subscribers.selectors import wanting

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, tzinfo=UTC)
ASSETS = ("BTC", "ETH", "")
# Values on and around the thresholds, cents and tiny parts included, on both databases
AMOUNTS = st.sampled_from([Decimal(text) for text in ("0.1", "99999.99", "100000", "100000.01", "250000.333333333333", "5000000")])


@dataclass(frozen=True)
class Person:
    """What one subscriber chose."""

    active: bool
    confirmed_only: bool
    choices: dict[tuple[Kind, str], Choice]


CHOICES = st.builds(Choice, st.sampled_from([1, 2, 3, 4, OFF]), st.none() | AMOUNTS, st.sampled_from(["", "LONG", "SHORT"]))
KEYS = st.tuples(st.sampled_from([Kind.LIQUIDATION, Kind.CASCADE]), st.sampled_from(ASSETS))
PEOPLE = st.builds(Person, st.booleans(), st.booleans(), st.dictionaries(KEYS, CHOICES))


def store(people: list[Person]) -> list[int]:
    """Their rows; returns the subscribers' ids in order."""
    Subscriber.objects.all().delete()
    ids = []
    for number, person in enumerate(people, start=1):
        row = Subscriber.objects.create(chat_id=number, active=person.active, confirmed_only=person.confirmed_only)
        ids.append(row.pk)
        for (kind, asset), choice in person.choices.items():
            Subscription.objects.create(subscriber=row, kind=kind.value, asset=asset, **asdict(choice))
    return ids


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(PEOPLE, max_size=6),
    st.sampled_from(["BTC", "ETH", "SOL"]),
    AMOUNTS,
    st.sampled_from(Severity),
    st.sampled_from([Direction.LONG, Direction.SHORT, Direction.NONE]),
    st.booleans(),
)
def test_the_query_and_the_rule_in_values_agree(
    people: list[Person], asset: str, value: Decimal, severity: Severity, direction: Direction, unconfirmed: bool
) -> None:
    ids = store(people)
    signal = Signal(Kind.CASCADE, asset, direction, value, 5, {}, 30, 0, 0)
    wishes = [Preferences(person.choices, person.active, person.confirmed_only) for person in people]
    expected = [pk for pk, wish in zip(ids, wishes, strict=True) if verdict(wish, signal, severity, NOW, unconfirmed=unconfirmed) is Verdict.WANTED]
    wanted = wanting(Kind.CASCADE, asset, value, severity, direction, unconfirmed=unconfirmed)
    assert list(wanted.order_by("pk").values_list("pk", flat=True)) == expected


def test_it_is_one_query_however_many_there_are() -> None:
    store([Person(True, False, {(Kind.CASCADE, ""): Choice(Severity.LOW)})] * 50)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert wanting(Kind.CASCADE, "BTC", Decimal(1), Severity.LOW).count() == 50
    assert len(queries) == 1
