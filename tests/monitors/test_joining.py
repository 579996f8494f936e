"""Are contracts one asset only while their prices agree?"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from monitors.joining import join
from monitors.market import Contract, Venue, epoch_ms
from monitors.models import BackfillCursor, Market, OpenInterestSample
from monitors.services import store_markets
from monitors.venues.contracts import split_multiplier
from monitors.venues.market_data import MarketFacts

NOW = timezone.now()
HOUR = timedelta(hours=1)


def fact(venue: Venue, base: str, price: str | None, turnover: float = 1e6, listed_at_ms: int | None = None) -> MarketFacts:
    """A listing whose price is for one coin of the venue's base."""
    asset, multiplier = split_multiplier(base)
    contract = Contract(venue, f"{base}USDT", f"{base}/USDT:USDT", asset, Decimal(1), Decimal(multiplier))
    return MarketFacts(contract, turnover, Decimal(price) / multiplier if price else None, listed_at_ms)


def assets(*facts: MarketFacts) -> dict[str, str]:
    return {f"{contract.venue} {contract.venue_symbol}": joined.contract.asset for contract, joined in join(facts).items()}


def test_a_multiplied_contract_is_the_same_asset_while_the_converted_marks_agree() -> None:
    found = assets(fact(Venue.BINANCE, "1000PEPE", "0.0031", 2e6), fact(Venue.BYBIT, "10000PEPE", "0.0311"), fact(Venue.OKX, "PEPE", "0.0000032"))
    assert found == {"binance 1000PEPEUSDT": "PEPE", "bybit 10000PEPEUSDT": "PEPE", "okx PEPEUSDT": "PEPE.OKX"}


@pytest.mark.parametrize(("price", "joined"), [("103", True), ("97", True), ("103.1", False), ("96.9", False)])
def test_the_limit_is_three_percent_of_the_mark_of_most_turnover(price: str, joined: bool) -> None:
    found = assets(fact(Venue.BINANCE, "ABC", "100", 2e6), fact(Venue.BYBIT, "ABC", price))
    assert found == {"binance ABCUSDT": "ABC", "bybit ABCUSDT": "ABC" if joined else "ABC.BYBIT"}


def test_1inch_is_a_coin_of_its_own() -> None:
    assert set(assets(fact(Venue.BINANCE, "1INCH", "0.1"), fact(Venue.OKX, "1INCH", "0.1")).values()) == {"1INCH"}


def test_a_multiplier_that_was_misread_leaves_the_contract_under_its_own_base_with_coins_as_the_venue_counts_them() -> None:
    odd = fact(Venue.BYBIT, "1000CAT", "7")
    joined = join([fact(Venue.BINANCE, "CAT", "0.5", 9e6), odd])[odd.contract]
    assert (joined.contract.asset, joined.contract.multiplier) == ("1000CAT.BYBIT", Decimal(1))
    assert joined.apart == "its mark $0.007 is not the $0.5 of Binance CATUSDT"


def test_a_redenomination_is_noticed_at_the_next_refresh_and_forgotten_when_all_have_followed() -> None:
    before, after = fact(Venue.OKX, "XYZ", "0.001"), fact(Venue.OKX, "XYZ", "1.0")
    assert set(assets(fact(Venue.BINANCE, "XYZ", "0.001", 5e6), before).values()) == {"XYZ"}
    assert assets(fact(Venue.BINANCE, "XYZ", "0.001", 5e6), after)["okx XYZUSDT"] == "XYZ.OKX"
    assert set(assets(fact(Venue.BINANCE, "XYZ", "1.0", 5e6), after).values()) == {"XYZ"}


@pytest.mark.django_db
def test_why_a_contract_is_kept_apart_is_stored_and_goes_when_it_is_joined_again() -> None:
    apart = fact(Venue.BYBIT, "BEAM", "0.0202")
    largest = fact(Venue.BINANCE, "BEAM", "0.0031", 9e6)
    store_markets({Venue.BINANCE: [largest], Venue.BYBIT: [apart], Venue.OKX: []}, NOW)
    row = Market.objects.get(venue="bybit")
    assert (row.asset, row.apart) == ("BEAM.BYBIT", "its mark $0.0202 is not the $0.0031 of Binance BEAMUSDT")
    store_markets({Venue.BINANCE: [largest], Venue.BYBIT: [replace(apart, price_usd=Decimal("0.0031"))], Venue.OKX: []}, NOW + HOUR)
    row.refresh_from_db()
    assert (row.asset, row.apart) == ("BEAM", "")


@pytest.mark.django_db
def test_samples_go_when_their_coins_are_counted_otherwise_from_now_on() -> None:
    joined = fact(Venue.BYBIT, "1000PEPE", "0.0031")
    largest = fact(Venue.BINANCE, "1000PEPE", "0.0031", 9e6)
    store_markets({Venue.BINANCE: [largest], Venue.BYBIT: [joined], Venue.OKX: []}, NOW)
    for row in Market.objects.all():
        OpenInterestSample.objects.create(market=row, oi_base=Decimal(1), occurred_at=NOW, received_at=NOW)
        BackfillCursor.objects.create(market=row, feed="candles", from_at=NOW, began_at=NOW, reached_at=NOW, done=True, updated_at=NOW)
    store_markets({Venue.BINANCE: [largest], Venue.BYBIT: [replace(joined, price_usd=Decimal(1))], Venue.OKX: []}, NOW + HOUR)
    assert Market.objects.get(venue="bybit").asset == "1000PEPE.BYBIT"
    assert [row.market.venue for row in OpenInterestSample.objects.all()] == ["binance"]
    assert [row.market.venue for row in BackfillCursor.objects.all()] == ["binance"]


@pytest.mark.django_db
def test_the_time_of_listing_is_kept_when_the_venue_does_not_say_it_any_more() -> None:
    listed_at_ms = epoch_ms(NOW)
    store_markets({Venue.OKX: [fact(Venue.OKX, "WIF", "1", listed_at_ms=listed_at_ms)]}, NOW)
    store_markets({Venue.OKX: [fact(Venue.OKX, "WIF", "1")]}, NOW + HOUR)
    listed_at = Market.objects.get().listed_at
    assert listed_at is not None and epoch_ms(listed_at) == listed_at_ms
