"""The rule and the lowest custom threshold that a decision asks for by one query: the same as the whole rulebook says."""

from decimal import Decimal

import pytest

from monitors import selectors
from monitors.market import Kind
from monitors.models import CustomFloor, ThresholdRule

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "floors", [{}, {"": 900}, {"BTC": 900}, {"": 900, "BTC": 700}, {"": 700, "BTC": 900}, {"ETH": 500}], ids=lambda floors: str(floors) if floors else "none"
)
@pytest.mark.parametrize("switched_off", ["nothing", "BTC", ""])
def test_one_query_says_what_the_rulebook_says(floors: dict[str, int], switched_off: str) -> None:
    ThresholdRule.objects.filter(asset=switched_off).update(enabled=False)
    CustomFloor.objects.bulk_create(CustomFloor(kind=Kind.CASCADE, asset=asset, value=Decimal(value)) for asset, value in floors.items())
    book = selectors.rulebook()
    for asset in ("BTC", "ETH", "NOPE"):
        for kind in Kind:
            rule, floor = selectors.in_force(kind, asset)
            assert rule == book.rule(kind, asset)
            assert floor == (book.custom_floor(kind, asset) if rule is not None else None)
    assert selectors.in_force(Kind.CASCADE, "BTC")[0] == selectors.rulebook_of("BTC").rule(Kind.CASCADE, "BTC")
