"""May only one do a thing at a time, and does nobody hold it for ever?"""

from datetime import timedelta

import pytest
from django.utils import timezone

from monitors.lease import Held
from monitors.models import Lease

pytestmark = pytest.mark.django_db


def run_out() -> None:
    Lease.objects.update(until=timezone.now() - timedelta(milliseconds=1))


def test_one_holder_at_a_time() -> None:
    first, second = Held("a"), Held("a")
    assert first.acquire()
    assert not second.acquire()
    assert not first.acquire()
    first.release()
    assert second.acquire()
    assert not second.inherited


def test_other_names_are_other_leases() -> None:
    assert Held("a").acquire() and Held("b").acquire()


def test_a_dead_holders_lease_runs_out_and_is_inherited() -> None:
    dead, heir = Held("a"), Held("a")
    assert dead.acquire()
    run_out()
    assert heir.acquire() and heir.inherited
    assert not dead.renew()


def test_renewing_keeps_it_for_as_long_as_it_lasts() -> None:
    holder = Held("a", lasts_s=60)
    assert holder.acquire()
    run_out()
    assert holder.renew()
    assert Lease.objects.get().until > timezone.now() + timedelta(seconds=55)


def test_releasing_what_was_lost_takes_it_from_nobody() -> None:
    slow, quick = Held("a"), Held("a")
    slow.acquire()
    run_out()
    quick.acquire()
    slow.release()
    assert quick.renew()
