"""Which contracts are the same asset? Those of one name, as long as their prices agree; the others are kept apart and shown so."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

from monitors.market import Contract
from monitors.venues.market_data import MarketFacts

AGREE_WITHIN = Decimal("0.03")  # of the price; catches same-ticker coins, redenominations and misread multipliers


def assets_of(facts: Sequence[MarketFacts]) -> Mapping[Contract, str]:
    """The asset of each contract: its own name's, or `NAME.VENUE` where its price per coin is not that of the contract of most turnover."""
    by_name: dict[str, list[MarketFacts]] = defaultdict(list)
    for fact in facts:
        by_name[fact.contract.asset].append(fact)
    return {fact.contract: _asset(fact, reference) for alike in by_name.values() for reference in [_reference(alike)] for fact in alike}


def _reference(alike: Sequence[MarketFacts]) -> Decimal | None:
    priced = [fact for fact in alike if fact.price_usd]
    return max(priced, key=lambda fact: fact.turnover_usd).price_usd if priced else None


def _asset(fact: MarketFacts, reference: Decimal | None) -> str:
    agrees = not fact.price_usd or not reference or abs(fact.price_usd / reference - 1) <= AGREE_WITHIN
    return fact.contract.asset if agrees else f"{fact.contract.asset}.{fact.contract.venue.upper()}"
