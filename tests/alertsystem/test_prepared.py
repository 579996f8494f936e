"""Does a query that was compiled once find, change and write what the plain one does, on both databases?"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Thread

import pytest
from django.db import connection
from django.db.models import Max
from django.test.utils import CaptureQueriesContext

from alertsystem.prepared import Given, Prepared, PreparedUpdate, insert, inserting
from alertsystem.statements import run_together
from monitors.market import Direction, Kind
from monitors.models import CustomFloor, Lease, Signal
from tests.alerts.builders import make_alert, make_delivery, make_signal, make_subscriber

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_a_query_is_run_again_with_other_values() -> None:
    of_asset = Prepared(lambda: Signal.objects.filter(asset=Given("asset")).order_by("id"))
    bitcoin, ether = make_signal(asset="BTC"), make_signal(asset="ETH")
    assert of_asset.rows(asset="BTC") == [bitcoin]
    assert of_asset.rows(asset="ETH") == [ether]
    assert of_asset.first(asset="SOL") is None


def test_rows_are_as_the_plain_query_gives_them() -> None:
    signal = make_signal(1_234_567)
    found = Prepared(lambda: Signal.objects.filter(pk=Given("pk"))).first(pk=signal.pk)
    plain = Signal.objects.get(pk=signal.pk)
    assert found is not None
    assert {field.name: getattr(found, field.attname) for field in Signal._meta.concrete_fields} == {
        field.name: getattr(plain, field.attname) for field in Signal._meta.concrete_fields
    }


def test_related_rows_come_with_it() -> None:
    delivery = make_delivery(alert=make_alert(make_signal(asset="SOL")), subscriber=make_subscriber())
    with_all = Prepared(lambda: type(delivery).objects.select_related("subscriber", "alert__peak").filter(pk=Given("pk")))
    found = with_all.first(pk=delivery.pk)
    with CaptureQueriesContext(connection) as asked:
        assert found is not None and found.alert is not None
        assert (found.alert.peak.asset, found.subscriber) == ("SOL", delivery.subscriber)
    assert not asked.captured_queries


@pytest.mark.parametrize("value", ["0.00000001", "99.99999999", "100", "123456789012345678"])
def test_decimals_and_times_compare_as_they_do_in_the_plain_query(value: str) -> None:
    make_signal(100, at=NOW)
    of_value = Prepared(lambda: Signal.objects.filter(value__lte=Given("value"), received_at__gte=Given("since")))
    for since in (NOW - timedelta(microseconds=1), NOW, NOW + timedelta(microseconds=1)):
        assert of_value.rows(value=Decimal(value), since=since) == list(Signal.objects.filter(value__lte=Decimal(value), received_at__gte=since))


def test_single_columns_lists_and_aggregates_are_found_too() -> None:
    make_signal(5, asset="BTC"), make_signal(7, asset="BTC"), make_signal(9, asset="ETH")
    values = Prepared(lambda: Signal.objects.filter(asset__in=["", Given("asset")]).order_by("value").values_list("value", flat=True))
    assert values.rows(asset="BTC") == [5, 7]
    most = Prepared(lambda: Signal.objects.filter(asset=Given("asset")).values("asset").annotate(most=Max("value")).values_list("asset", "most"))
    assert most.rows(asset="BTC") == [("BTC", 7)]


def test_a_value_that_was_not_given_is_an_error() -> None:
    with pytest.raises(KeyError):
        Prepared(lambda: Signal.objects.filter(asset=Given("asset"))).rows(kind="cascade")


def test_an_update_says_how_many_rows_it_changed() -> None:
    Lease.objects.create(name="one", until=NOW), Lease.objects.create(name="two", until=NOW)
    take = PreparedUpdate(lambda: Lease.objects.filter(name=Given("name"), until__lte=Given("now")), holder=Given("holder"), until=Given("until"))
    assert take.run(name="one", now=NOW, holder="me", until=NOW + timedelta(seconds=5)) == 1
    assert take.run(name="one", now=NOW, holder="you", until=NOW) == 0
    assert list(Lease.objects.order_by("name").values_list("holder", "until")) == [("me", NOW + timedelta(seconds=5)), ("", NOW)]


def test_a_row_is_inserted_as_saving_it_would() -> None:
    plain = make_signal(12)
    row = Signal.objects.get(pk=plain.pk)
    row.pk, row.kind, row.direction, row.details = None, Kind.LIQUIDATION, Direction.SHORT, {"mark_price": "1.5"}
    insert(row)
    stored = Signal.objects.get(pk=row.pk)
    assert (stored.kind, stored.value, stored.venues, stored.details, stored.received_at, stored.price) == (
        "liquidation", plain.value, plain.venues, {"mark_price": "1.5"}, plain.received_at, plain.price,
    )  # fmt: skip
    stored.value = Decimal(13)
    row.save()  # is an update now


@pytest.mark.django_db(transaction=True)
def test_threads_share_what_was_compiled_and_not_the_connection() -> None:
    of_asset = Prepared(lambda: Signal.objects.filter(asset=Given("asset")))
    signal, found = make_signal(asset="BTC"), list[Signal]()

    def look() -> None:
        found.extend(of_asset.rows(asset="BTC"))
        connection.close()

    assert of_asset.rows(asset="BTC") == [signal]
    other = Thread(target=look)
    other.start()
    other.join()
    assert found == [signal]


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_knows_the_statement_too() -> None:
    of_asset = Prepared(lambda: Signal.objects.filter(asset=Given("asset")))
    signal = make_signal(asset="BTC")
    for _ in range(2):
        assert of_asset.rows(asset="BTC") == [signal]
        connection.close()


def test_postgresql_parses_a_statement_once() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite keeps compiled statements by itself")
    of_value = Prepared(lambda: Signal.objects.filter(value=Given("value"), kind="cascade"))
    for value in (5, 7, 9):
        of_value.rows(value=value)
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%\"value\" = ($1)%'")
        ((statement,),) = cursor.fetchall()
    assert "'cascade'" in statement  # constants stand in it, else no partial index would serve


def test_statements_that_go_together_are_carried_out_in_their_order() -> None:
    raised = PreparedUpdate(lambda: CustomFloor.objects.filter(kind="cascade"), value=Given("value"))
    floor_of("BTC").save()
    ether, sol = floor_of("ETH"), floor_of("SOL")
    insert(sol, inserting(ether), raised.call(value=Decimal(2)))
    assert {floor.asset: int(floor.value) for floor in CustomFloor.objects.all()} == {"BTC": 2, "ETH": 2, "SOL": 1}
    assert CustomFloor.objects.get(asset="SOL") == sol and ether.pk is None


def test_a_row_that_is_there_already_may_stay_as_it_is() -> None:
    floor_of("BTC").save()
    assert run_together(inserting(floor_of("BTC", 2), once=True)) is None
    assert [int(floor.value) for floor in CustomFloor.objects.all()] == [1]
    assert run_together(inserting(floor_of("ETH"), once=True)) == (CustomFloor.objects.get(asset="ETH").pk,)


def floor_of(asset: str, value: int = 1) -> CustomFloor:
    return CustomFloor(kind="cascade", asset=asset, value=Decimal(value))
