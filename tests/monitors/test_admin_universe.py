"""Can the operator force assets in and out, see what is kept apart, and how far the backfill is?"""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitors import selectors
from monitors.models import AssetChoice, BackfillCursor, Market

pytestmark = pytest.mark.django_db
ADD = "admin:monitors_assetchoice_add"


@pytest.fixture
def beam() -> Market:
    return Market.objects.create(
        venue="bybit", venue_symbol="BEAMUSDT", symbol="BEAM/USDT:USDT", asset="BEAM.BYBIT", refreshed_at=timezone.now(),
        apart="its mark $0.0202 is not the $0.0031 of Binance BEAMUSDT",
    )  # fmt: skip


def test_a_choice_made_in_the_admin_is_in_force(admin_client: Client, beam: Market) -> None:
    assert selectors.watched_assets() == ("BEAM.BYBIT",)
    answer = admin_client.post(reverse(ADD), {"asset": " beam.bybit", "choice": "out", "reason": "two coins of one name"})
    assert answer.status_code == 302
    assert AssetChoice.objects.get().asset == "BEAM.BYBIT"
    assert "BEAM.BYBIT" not in selectors.watched_assets()


@pytest.mark.parametrize(("asset", "problem"), [("BAEM", "No venue lists BAEM"), ("BEAMUSDT", "BEAM instead of BEAMUSDT"), ("", "required")])
def test_a_slip_of_the_pen_is_said(admin_client: Client, beam: Market, asset: str, problem: str) -> None:
    answer = admin_client.post(reverse(ADD), {"asset": asset, "choice": "in"})
    assert answer.status_code == 200 and problem in answer.content.decode()
    assert not AssetChoice.objects.exists()


def test_one_asset_has_one_choice(admin_client: Client, beam: Market) -> None:
    AssetChoice.objects.create(asset="BEAM.BYBIT", choice="in")
    assert "already exists" in admin_client.post(reverse(ADD), {"asset": "BEAM.BYBIT", "choice": "out"}).content.decode()


def test_the_list_of_markets_says_why_a_contract_is_kept_apart_and_finds_such(admin_client: Client, beam: Market) -> None:
    Market.objects.create(venue="okx", venue_symbol="BTC-USDT-SWAP", symbol="BTC/USDT:USDT", asset="BTC", refreshed_at=timezone.now())
    listed = admin_client.get(reverse("admin:monitors_market_changelist") + "?apart__isempty=0").content.decode()
    assert "not the $0.0031 of Binance BEAMUSDT" in listed and "BTC-USDT-SWAP" not in listed


def test_the_backfill_shows_how_far_each_contract_is(admin_client: Client, beam: Market) -> None:
    now = timezone.now()
    BackfillCursor.objects.create(
        market=beam, feed="candles", from_at=now - timedelta(days=7), began_at=now, reached_at=now - timedelta(days=2), rows=576, note="", updated_at=now
    )
    page = admin_client.get(reverse("admin:monitors_backfillcursor_changelist")).content.decode()
    assert "being filled in" in page and "576" in page and "BEAM.BYBIT" in page
    assert admin_client.get(reverse("admin:monitors_backfillcursor_add")).status_code == 403
