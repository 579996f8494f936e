"""Do several workers that look at once still tell one story?"""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from alerts import trigger
from alerts.models import Alert, Decision, Delivery
from monitors import recorder
from monitors.market import Direction, Kind
from monitors.models import Signal
from monitors.thresholds import Severity
from tests.alerts.builders import make_subscriber
from tests.builders import make_signal
from tests.harness import Processes, wait_until

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
STORIES = [f"COIN{number}" for number in range(12)]
LOOK_TOGETHER = """
import sys, pathlib, time
import django; django.setup()
from alerts import trigger
from django.db import connection
connection.ensure_connection()
ready, go = map(pathlib.Path, sys.argv[1:])
ready.touch()
while not go.exists(): time.sleep(0.001)
for _ in range(3): trigger.evaluate_unread()
"""


@pytest.fixture(autouse=True)
def somebody(valkey: object) -> Iterator[None]:
    """Wants everything."""
    make_subscriber()
    yield


def arrive(after_ms: int = 0, value: float = 90_000, kind: Kind = Kind.CASCADE) -> None:
    """One unread signal of each story."""
    recorder.write([(make_signal(value, after_ms, kind, asset=asset, direction=Direction.LONG), timezone.now()) for asset in STORIES])


def together(*work: object) -> None:
    """Run each in a thread with a connection of its own, all at once; fails as any of them does."""
    barrier, failures = threading.Barrier(len(work)), []

    def run(task: object) -> None:
        try:
            barrier.wait(10)
            task()  # type: ignore[operator]
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(task,)) for task in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []


def assert_one_story_each(signals: int, steps: int = 1) -> None:
    """One open incident an asset, every signal decided once, one message a step."""
    assert sorted(Alert.objects.values_list("asset", flat=True)) == sorted(STORIES)
    assert Decision.objects.count() == Signal.objects.exclude(decided_at=None).count() == signals * len(STORIES)
    assert Decision.objects.filter(outcome="opened").count() == len(STORIES)
    assert Delivery.objects.filter(alert__isnull=False).count() == steps * len(STORIES)
    assert Delivery.objects.filter(alert=None).count() == 1  # so many at once are told in one message


def test_threads_that_look_at_once_open_one_incident() -> None:
    arrive()
    together(*[trigger.evaluate_unread] * 4)
    assert_one_story_each(signals=1)


def test_signals_that_come_while_others_are_decided_join_the_incident() -> None:
    arrive()

    def more() -> None:
        for second in range(1, 6):
            arrive(second * 1_000)

    together(trigger.evaluate_unread, more, trigger.evaluate_unread)
    trigger.evaluate_unread()
    assert_one_story_each(signals=6)


def test_an_incident_is_escalated_once_by_whoever_comes_first() -> None:
    arrive()
    trigger.evaluate_unread()
    arrive(1_000, value=400_000)
    together(*[trigger.evaluate_unread] * 3)
    assert_one_story_each(signals=2, steps=2)
    assert set(Alert.objects.values_list("severity", flat=True)) == {Severity.MODERATE}


def test_closing_and_deciding_at_once_leave_one_open_incident() -> None:
    arrive()
    trigger.evaluate_unread()
    arrive(299_999)
    now = timezone.now()
    together(trigger.evaluate_unread, lambda: trigger.close_due(now), trigger.evaluate_unread)
    assert Alert.objects.count() == len(STORIES)
    assert set(Decision.objects.values_list("outcome", flat=True)) == {"opened", "updated"}


def test_processes_that_look_at_once_open_one_incident(processes: Processes, tmp_path: Path) -> None:
    arrive()
    arrive(1_000)
    go = tmp_path / "go"
    ready = [tmp_path / f"ready{number}" for number in range(2)]
    started = [processes.start(sys.executable, "-c", LOOK_TOGETHER, str(path), str(go)) for path in ready]
    wait_until(lambda: all(path.exists() for path in ready), 30, "both processes")
    go.touch()
    assert [process.wait(30) for process in started] == [0, 0]
    assert_one_story_each(signals=2)
