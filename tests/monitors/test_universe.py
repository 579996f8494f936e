"""Which assets are watched, and does the operator have the last word?"""

from typing import Any

import pytest
from django.utils import timezone

from monitors import selectors
from monitors.models import AssetChoice, Market
from monitors.universe import Choices, scanned, watched
from monitors.watch import WatchReader

RANKED = ["BTC", "ETH", "SOL", "XRP", "DOGE"]


def test_the_first_by_turnover_are_watched_unless_some_are_named() -> None:
    assert watched(RANKED, [], 3, Choices()) == ("BTC", "ETH", "SOL")
    assert watched(RANKED, ["WIF", "BTC"], 3, Choices()) == ("WIF", "BTC")


def test_the_named_are_scanned_beside_the_first_by_turnover() -> None:
    assert scanned(RANKED, ["WIF", "BTC"], 3, Choices()) == ("BTC", "ETH", "SOL", "WIF")


@pytest.mark.parametrize("choose", [watched, scanned])
def test_what_is_forced_out_leaves_its_place_to_the_next_and_what_is_forced_in_has_one_of_its_own(choose: Any) -> None:
    assert choose(RANKED, [], 2, Choices(wanted=["DOGE"], unwanted=["BTC"])) == ("ETH", "SOL", "DOGE")


def test_forced_out_beats_named() -> None:
    assert watched(RANKED, ["BTC", "WIF"], 2, Choices(unwanted=["WIF"])) == ("BTC",)
    assert scanned(RANKED, ["WIF"], 2, Choices(unwanted=["WIF", "ETH"])) == ("BTC", "SOL")


@pytest.mark.django_db
def test_a_choice_in_the_database_is_in_force_at_the_monitors_next_look(settings: Any) -> None:
    settings.MAX_ASSETS = 2
    for number, asset in enumerate(RANKED):
        Market.objects.create(
            venue="okx", venue_symbol=f"{asset}-USDT-SWAP", symbol=f"{asset}/USDT:USDT", asset=asset, turnover_usd=100 - number, refreshed_at=timezone.now()
        )
    reader = WatchReader()
    assert list(reader.read().assets) == ["BTC", "ETH"]
    AssetChoice.objects.create(asset="ETH", choice=AssetChoice.OUT)
    AssetChoice.objects.create(asset="DOGE", choice=AssetChoice.IN)
    assert list(reader.read().assets) == ["BTC", "SOL", "DOGE"]
    assert selectors.scanned_assets() == ("BTC", "SOL", "DOGE")
