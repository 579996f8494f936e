"""From which value on signals were kept, at some time."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from monitors import floors
from monitors.market import Kind
from monitors.models import CustomFloor, ThresholdRule

pytestmark = pytest.mark.django_db
NOW = timezone.now()
HOUR = timedelta(hours=1)


def at(hours_ago: float, asset: str = "BTC") -> Decimal | None:
    return floors.in_force_at(asset, NOW - hours_ago * HOUR)[Kind.CASCADE]


def test_before_anything_is_remembered_it_is_what_is_in_force_now() -> None:
    assert floors.in_force_at("BTC", NOW) == {Kind.LIQUIDATION: 200_000, Kind.CASCADE: 250_000, Kind.OPEN_INTEREST: Decimal("0.275"), Kind.VOLUME: 200}


def test_a_change_counts_from_its_time_on() -> None:
    floors.remember(NOW - 4 * HOUR)
    ThresholdRule.objects.filter(kind="cascade", asset="BTC").update(low=100_000)
    floors.remember(NOW - 3 * HOUR)
    CustomFloor.objects.create(kind="cascade", asset="BTC", value=Decimal(20_000))
    floors.remember(NOW - 2 * HOUR)
    ThresholdRule.objects.filter(kind="cascade", asset="BTC").update(enabled=False)
    floors.remember(NOW - HOUR)
    assert [at(hours) for hours in (5, 3.5, 2.5, 1.5, 0.5)] == [250_000, 250_000, 50_000, 20_000, None]


def test_what_had_nothing_of_its_own_then_had_what_any_asset_had() -> None:
    usual = at(0, "NEW")
    floors.remember(NOW - 2 * HOUR)
    CustomFloor.objects.create(kind="cascade", asset="NEW", value=Decimal(5_000))
    floors.remember(NOW - HOUR)
    assert [at(1.5, "NEW"), at(0.5, "NEW")] == [usual, 5_000]
