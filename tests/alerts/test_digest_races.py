"""Do several workers, a drainer and a kill still make one digest that tells everything once, and one summary?"""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from alerts import claims, digest_message, digests, outbox, summaries
from alerts.models import Delivery
from monitors.thresholds import Severity
from tests.alerts.builders import escalate, make_alert, make_delivery, make_fan_out, make_subscriber
from tests.alerts.test_trigger_races import together
from tests.harness import wait_until

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.usefixtures("valkey")]
State, Purpose = Delivery.State, Delivery.Purpose
PEOPLE = 60


def hold(people: int = PEOPLE, each: int = 3) -> None:
    now = timezone.now()
    alerts = [make_alert() for _ in range(each)]
    for _ in range(people):
        somebody = make_subscriber()
        for alert in alerts:
            make_delivery(somebody, alert=alert, state=State.HELD, reason="muted", held_until=now - timedelta(minutes=1))


def assert_told_once(people: int = PEOPLE, each: int = 3) -> None:
    written = Delivery.objects.filter(purpose=Purpose.DIGEST)
    assert written.count() == written.values("subscriber").distinct().count() == people
    assert Delivery.objects.filter(state=State.HELD, digest__isnull=False).count() == people * each
    assert all(digest.told.count() == each for digest in written)


def test_workers_that_look_at_once_write_one_digest_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "ROWS", 20)
    hold()
    now = timezone.now()
    together(*[lambda: digests.write_due(now)] * 4)
    digests.write_due(now)
    assert_told_once()


def test_a_worker_that_dies_in_the_middle_leaves_nothing_half_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "ROWS", 30)
    hold()
    written: list[int] = []

    def dies(due: list[digests.Due], now: object) -> int:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(tell(due, now))  # type: ignore[arg-type]
        return written[-1]

    tell = digests._tell
    monkeypatch.setattr(digests, "_tell", dies)
    with pytest.raises(KeyboardInterrupt):
        digests.write_due(timezone.now())
    monkeypatch.undo()
    assert 0 < Delivery.objects.filter(digest__isnull=False).count() == sum(written) < PEOPLE * 3
    digests.write_due(timezone.now())
    assert_told_once()


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite has one writer at a time")
def test_a_digest_that_rows_join_is_not_claimed_before_they_have() -> None:
    hold(people=1, each=1)
    now = timezone.now()
    digests.write_due(now)
    digest = Delivery.objects.get(purpose=Purpose.DIGEST)
    make_delivery(digest.subscriber, alert=make_alert(), state=State.HELD, reason="muted", held_until=now)
    joining, claimed = threading.Event(), []

    def claim() -> None:
        joining.wait(10)
        claimed.append((claims.claim(digest, timezone.now()), digest.told.count()))

    def join() -> None:
        with transaction.atomic():
            digests.write_due(now)
            joining.set()
            wait_until(lambda: _waits_for_a_lock(), 10, "the claim waits")

    together(claim, join)
    assert claimed == [(True, 2)]


def _waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_an_escalation_beside_the_digest_tells_everybody_one_way_or_the_other() -> None:
    hold(each=1)
    alert = Delivery.objects.filter(alert__isnull=False)[0].alert
    assert alert is not None
    outbox.fan_out(make_fan_out(alert))
    louder = escalate(alert, Severity.HIGH)
    now = timezone.now()
    together(lambda: digests.write_due(now), lambda: outbox.fan_out(louder))
    assert Delivery.objects.filter(alert=alert, step=3, state=State.PENDING).count() == PEOPLE
    assert all(digest_message.is_empty(digest) for digest in Delivery.objects.filter(purpose=Purpose.DIGEST))


def test_workers_that_look_at_once_write_one_summary_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summaries, "CHUNK", 7)
    now = timezone.now()
    alert = make_alert(severity=Severity.HIGH, opened_at=now - timedelta(minutes=40), last_seen_at=now)
    for _ in range(PEOPLE):
        make_delivery(make_subscriber(), Severity.HIGH, alert, state=State.SENT, sent_at=alert.opened_at)
    together(*[lambda: summaries.write_due(now)] * 3)
    assert Delivery.objects.filter(purpose=Purpose.SUMMARY, number=1).count() == PEOPLE
