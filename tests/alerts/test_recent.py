"""The last alerts, filtered and in pages."""

import pytest
from django.utils import timezone

from alerts import recent
from alerts.models import Alert, Outcome
from alerts.recent import Filter
from monitors.market import Kind
from monitors.thresholds import Severity
from tests.alerts.builders import make_alert, make_delivery, make_signal, make_subscriber

pytestmark = pytest.mark.django_db


def make_many(count: int) -> list[Alert]:
    """Numbered alerts, the newest first."""
    return [make_alert() for _ in range(count)][::-1]


def test_pages_go_down_and_up_again() -> None:
    alerts = make_many(7)
    first = recent.newest(Filter(), 3)
    assert (first.alerts, first.newer, first.older) == (alerts[:3], False, True)
    second = recent.older_than(first.alerts[-1].pk, Filter(), 3)
    assert (second.alerts, second.newer, second.older) == (alerts[3:6], True, True)
    last = recent.older_than(second.alerts[-1].pk, Filter(), 3)
    assert (last.alerts, last.newer, last.older) == (alerts[6:], True, False)
    assert recent.newer_than(last.alerts[0].pk, Filter(), 3) == second
    assert recent.newer_than(second.alerts[0].pk, Filter(), 3) == first


def test_a_page_stays_what_it_is_while_new_alerts_come() -> None:
    alerts = make_many(6)
    make_many(4)
    page = recent.older_than(alerts[2].pk, Filter(), 3)
    assert page.alerts == alerts[3:], "counted from an alert, not from the newest one"


def test_filters_narrow_and_combine() -> None:
    moderate = make_alert(make_signal(asset="ETH", kind=Kind.LIQUIDATION), Severity.MODERATE, closed_at=timezone.now())
    high = make_alert(make_signal(asset="BTC", kind=Kind.LIQUIDATION), Severity.HIGH)
    extreme = make_alert(make_signal(asset="ETH", kind=Kind.CASCADE), Severity.EXTREME)

    def found(which: Filter) -> list[Alert]:
        return recent.newest(which).alerts

    assert found(Filter(asset="ETH")) == [extreme, moderate]
    assert found(Filter(kind=Kind.LIQUIDATION)) == [high, moderate]
    assert found(Filter(lowest=Severity.HIGH)) == [extreme, high]
    assert found(Filter("ETH", Kind.LIQUIDATION, Severity.MODERATE)) == [moderate]
    assert found(Filter("ETH", Kind.LIQUIDATION, Severity.HIGH)) == []


def test_own_thresholds_are_seen_by_whom_they_told() -> None:
    ann, bob = make_subscriber(), make_subscriber()
    own = make_alert(severity=Severity.BELOW_LOW)
    make_delivery(ann, Severity.BELOW_LOW, own, state="sent")
    everybodys = make_alert()
    assert recent.newest(Filter()).alerts == [everybodys]
    assert recent.newest(Filter(subscriber=ann)).alerts == [own]
    assert recent.newest(Filter(subscriber=bob)).alerts == []


def test_what_the_price_did_in_a_quarter_of_an_hour_is_at_hand() -> None:
    alert = make_alert()
    for horizon in (5, 15, 60):
        Outcome.objects.create(alert=alert, horizon_min=horizon, due_at=alert.opened_at)
    assert [outcome.horizon_min for outcome in recent.newest(Filter()).alerts[0].outcomes.all()] == [15]
