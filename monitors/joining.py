"""Which contracts are the same asset? Those of one name, as long as their prices agree; the others are kept apart and shown so."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from monitors.market import Contract
from monitors.venues.market_data import MarketFacts

AGREE_WITHIN = Decimal("0.03")  # of the price; catches same-ticker coins, redenominations and misread multipliers


@dataclass(frozen=True, slots=True)
class Joined:
    """The contract as it is watched; `apart` says why it does not count as the asset of its name ("" when it does)."""

    contract: Contract
    apart: str = ""


def join(facts: Sequence[MarketFacts]) -> Mapping[Contract, Joined]:
    """Each contract under the asset of its name, or under one of its own where its mark is not that of the contract of most turnover."""
    by_name: dict[str, list[MarketFacts]] = defaultdict(list)
    for fact in facts:
        by_name[fact.contract.asset].append(fact)
    return {fact.contract: _judge(fact, reference) for alike in by_name.values() for reference in [_reference(alike)] for fact in alike}


def keep_apart(contract: Contract, why: str) -> Joined:
    """Under the venue's own base and name, its coins counted as the venue counts them: a multiplier that was misread does no harm."""
    base = contract.symbol.partition("/")[0]
    return Joined(replace(contract, asset=f"{base}.{contract.venue.upper()}", multiplier=Decimal(1)), why)


def _reference(alike: Sequence[MarketFacts]) -> MarketFacts | None:
    return max((fact for fact in alike if fact.price_usd), key=lambda fact: fact.turnover_usd, default=None)


def _judge(fact: MarketFacts, reference: MarketFacts | None) -> Joined:
    if not fact.price_usd or reference is None or not reference.price_usd or abs(fact.price_usd / reference.price_usd - 1) <= AGREE_WITHIN:
        return Joined(fact.contract)
    other = reference.contract
    return keep_apart(fact.contract, f"its mark ${fact.price_usd:.6g} is not the ${reference.price_usd:.6g} of {other.venue.title} {other.venue_symbol}")
