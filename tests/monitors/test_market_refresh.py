"""Do contracts come from the venues as they list them, and do those that fail leave the others alone?"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis

from monitors import selectors, services
from monitors.market import Contract, Venue
from monitors.models import Market
from monitors.venues.market_data import MarketDataError, fetch_contracts
from tests.fakes.venues import FakeVenues

pytestmark = pytest.mark.django_db


@pytest.fixture
def venues(settings: Any, valkey: "Redis") -> Iterator[FakeVenues]:
    with FakeVenues() as fakes:
        for name, url in fakes.env.items():
            setattr(settings, name, url)
        yield fakes


def refresh() -> int:
    return services.refresh_markets(timezone.now())


def test_the_watched_universe_is_linear_crypto_perpetuals_that_trade(venues: FakeVenues) -> None:
    assert refresh() == Market.objects.filter(active=True).count() > 90
    assets = set(Market.objects.values_list("asset", flat=True))
    assert {"BTC", "PEPE", "SHIB", "1INCH"} <= assets
    assert not {"XAU", "TSLA", "NVDA", "BTCDOM", "SPCX", "USDC", "USDE", "LUNA", "SRM"} & assets
    symbols = set(Market.objects.values_list("venue_symbol", flat=True))
    assert not {"BTC-USD-SWAP", "BTCUSDT_261225", "BTCUSDT-25DEC26"} & symbols
    assert {"BTCPERP", "BTC-USDC-SWAP", "BTCUSDC"} <= symbols


def test_sizes_multipliers_and_turnover_are_kept_as_the_parsers_need_them(venues: FakeVenues) -> None:
    refresh()
    contracts = selectors.contracts()
    assert contracts[Venue.OKX].find("PEPE-USDT-SWAP") == Contract(Venue.OKX, "PEPE-USDT-SWAP", "PEPE/USDT:USDT", "PEPE", Decimal(10_000_000))
    shib = contracts[Venue.BYBIT].find("SHIB1000USDT")
    assert shib is not None and (shib.asset, shib.multiplier) == ("SHIB", Decimal(1000))
    assert contracts[Venue.BINANCE].find("XAUUSDT") is None
    turnover = {row.venue: row.turnover_usd for row in Market.objects.filter(symbol="BTC/USDT:USDT")}
    assert turnover == pytest.approx({"binance": 12.5e9, "bybit": 6.25e9, "okx": 12.5e9 / 3})


def test_the_assets_of_most_turnover_are_watched_unless_the_setting_names_them(venues: FakeVenues, settings: Any) -> None:
    assert selectors.watched_assets() == ("BTC", "ETH", "SOL", "XRP", "DOGE")
    refresh()
    settings.MAX_ASSETS = 3
    assert selectors.watched_assets() == ("BTC", "ETH", "SOL")
    settings.ASSETS = ["pepe", "BTC"]
    assert selectors.watched_assets() == ("PEPE", "BTC")


def test_two_coins_of_one_ticker_are_kept_apart(venues: FakeVenues) -> None:
    refresh()
    beams = dict(Market.objects.filter(venue_symbol="BEAMUSDT").values_list("venue", "asset"))
    assert beams == {"binance": "BEAM", "bybit": "BEAM.BYBIT"}
    venues.rest_answers("binance", 503, times=20)
    refresh()
    assert dict(Market.objects.filter(venue_symbol="BEAMUSDT").values_list("venue", "asset")) == beams


@pytest.mark.parametrize("broken", list(Venue))
def test_a_venue_that_fails_leaves_the_others_and_its_own_rows(venues: FakeVenues, broken: Venue) -> None:
    refresh()
    before = Market.objects.filter(venue=broken, active=True).count()
    venues.rest_answers(broken, 500, {"oops": [1]}, times=20)
    later = timezone.now()
    assert services.refresh_markets(later) > 60
    assert Market.objects.filter(venue=broken, active=True).count() == before
    assert set(Market.objects.filter(refreshed_at=later).values_list("venue", flat=True)) == set(Venue) - {broken}


@pytest.mark.parametrize("body", ["<html>", "null", {}, {"code": "0", "data": None, "result": None, "symbols": None}])
@pytest.mark.parametrize("venue", list(Venue))
def test_an_odd_answer_is_one_clear_error(venues: FakeVenues, venue: Venue, body: Any) -> None:
    venues.rest_answers(venue, 200, body, times=20)
    with pytest.raises(MarketDataError, match=venue.title) as caught:
        fetch_contracts(venue, venues.env[f"{venue.upper()}_REST_URL"])
    assert "\n" not in str(caught.value)


def test_a_vanished_contract_becomes_inactive_but_its_last_events_are_still_read(venues: FakeVenues) -> None:
    refresh()
    venues.markets.listings = [replace(listing, trading=listing.asset != "WIF" or listing.venue != "okx") for listing in venues.markets.listings]
    refresh()
    assert not Market.objects.get(venue="okx", asset="WIF").active
    assert selectors.contracts()[Venue.OKX].find("WIF-USDT-SWAP") is not None
    assert selectors.venues_of_assets()["WIF"] == {Venue.BINANCE, Venue.BYBIT}


def test_a_path_prefix_of_the_rest_url_is_kept(venues: FakeVenues) -> None:
    fetch_contracts(Venue.OKX, venues.env["OKX_REST_URL"] + "/proxy/okx/")
    assert {request.path.split("/api/")[0] for request in venues.requests("okx")} == {"/proxy/okx"}
