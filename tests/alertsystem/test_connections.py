"""Does a worker go on with a sound connection, without asking, and replace one that the server has ended?"""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alertsystem.connections import use_sound_connections
from monitors.models import Lease

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_sound_connection_is_kept_without_a_question() -> None:
    Lease.objects.count()
    kept = connection.connection
    with CaptureQueriesContext(connection) as asked:
        use_sound_connections()
        Lease.objects.count()
    assert connection.connection is kept and len(asked) == 1


def test_one_that_the_server_has_ended_is_replaced() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no server")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        ((ours,),) = cursor.fetchall()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [ours])
    other.close()
    use_sound_connections()
    assert Lease.objects.count() == 0


def test_postgresql_compiles_no_statements() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has nothing to compile")
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)
