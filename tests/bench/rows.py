"""How large is a row of the scans in the database, with its part of the indexes?

`python -m tests.bench.rows` with the settings of a scratch installation in the environment; prints JSON.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Model  # noqa: E402
from django.utils import timezone  # noqa: E402

from monitors.models import CandleRow, Market  # noqa: E402
from tests.monitors.scanning import sample  # noqa: E402

CONTRACTS, TIMES = 150, 200  # in the order in which scans write them: time by time, contract by contract
ROWS = CONTRACTS * TIMES


def measure() -> dict[str, object]:
    """Bytes a row, by table."""
    call_command("migrate", verbosity=0)
    now = timezone.now()
    Market.objects.bulk_create(
        Market(venue="okx", venue_symbol=f"A{number}-USDT-SWAP", symbol=f"A{number}/USDT:USDT", asset=f"A{number}", refreshed_at=now)
        for number in range(CONTRACTS)
    )
    markets = list(Market.objects.filter(refreshed_at=now))
    tables: dict[str, Callable[[Market, int], Model]] = {
        "sample": lambda market, number: sample(market, Decimal(f"{number}1234.567"), Decimal("64183.12345678"), now - timedelta(minutes=TIMES - number)),
        "candle": lambda market, number: CandleRow(
            market=market, opened_at=now - timedelta(minutes=5 * (TIMES - number)), open=64183.1 + number, close=64190.7, volume_usd=1234567.8 + number,
            closed=True, received_at=now,
        ),
    }  # fmt: skip
    return {"database": connection.vendor, "rows": ROWS} | {name: _bytes_of(make, markets) for name, make in tables.items()}


def _bytes_of(make: Callable[[Market, int], Model], markets: list[Market]) -> float:
    model = type(make(markets[0], 0))
    before = _size(model)
    for number in range(TIMES):
        model._default_manager.bulk_create([make(market, number) for market in markets])
    return (_size(model) - before) / ROWS


def _size(model: type[Model]) -> int:
    """Of the table and its indexes (PostgreSQL), or of the whole file, in which nothing else grows."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_total_relation_size(%s)", [model._meta.db_table])
            return int(cursor.fetchone()[0])
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return Path(str(connection.settings_dict["NAME"])).stat().st_size


def main() -> None:
    """Measure and print."""
    print(json.dumps(measure()))


if __name__ == "__main__":
    main()
