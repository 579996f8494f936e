"""What is the funding rate, where an answer about open interest or marks carries it anyway? None where it does not, or is no number."""

from collections.abc import Mapping
from typing import Any

from monitors.market import Funding

Json = Mapping[str, Any]
MOST = 1.0  # no venue takes the whole position: a broken number
DAY_H = 24


def of_binance(row: Json) -> Funding | None:
    """`{"symbol":"BTCUSDT","markPrice":"11793.63","lastFundingRate":"0.00038246","nextFundingTime":1597392000000,...}`: premiumIndex does not say how often."""
    return _funding(row.get("lastFundingRate"), None)


def of_bybit(row: Json) -> Funding | None:
    """`{"symbol":"BTCUSDT","fundingRate":"-0.001034","fundingIntervalHour":"8",...}`: older answers do not say how often."""
    return _funding(row.get("fundingRate"), row.get("fundingIntervalHour"))


def _funding(rate: Any, hours: Any) -> Funding | None:
    try:
        found = Funding(float(rate), int(hours) if hours else None)
    except (TypeError, ValueError):  # empty for dated contracts
        return None
    is_known = abs(found.rate) < MOST and (found.hours is None or 0 < found.hours <= DAY_H)  # false for NaN as well
    return found if is_known else None
