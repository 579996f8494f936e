"""The admin takes only threshold rules that can work, and says what is wrong with the others."""

from typing import Any

import pytest

from monitors.forms import FIELDS, ThresholdRuleForm
from monitors.models import ThresholdRule
from monitors.rule_checks import normal_asset

pytestmark = pytest.mark.django_db


def edited(kind: str = "cascade", **changes: Any) -> ThresholdRuleForm:
    """The form of the kind's BTC rule after an edit of some fields."""
    rule = ThresholdRule.objects.get(kind=kind, asset="BTC")
    data = {name: getattr(rule, name) for name in FIELDS}
    return ThresholdRuleForm({**data, **changes}, instance=rule)


def test_a_good_edit_is_stored() -> None:
    form = edited(low="600000", asset=" btc ")
    assert form.is_valid(), form.errors
    form.save()
    assert ThresholdRule.objects.get(kind="cascade", asset="BTC").low == 600_000


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"low": "1500000"}, "moderate", "MODERATE must be above LOW (1500000); got 1500000."),
        ({"moderate": "6000000"}, "high", "HIGH must be above MODERATE (6000000)"),
        ({"extreme": "5000000"}, "extreme", "EXTREME must be above HIGH"),
        ({"low": "0"}, "low", "LOW must be above 0."),
        ({"low": "-5"}, "low", "LOW must be above 0."),
        ({"low": "NaN"}, "low", "Enter a number."),
        ({"extreme": "Infinity"}, "extreme", "Enter a number."),
        ({"extreme": "1e23"}, "extreme", "EXTREME must be at most 1,000,000,000,000 dollars: no market reaches more."),
        ({"kind": "volume", "extreme": "10000001"}, "extreme", "EXTREME must be at most 10,000,000 %"),
        ({"kind": "volume", "min_usd": "1e13"}, "min_usd", "Dollars, at least: must be at most 1,000,000,000,000"),
        ({"min_usd": "-1"}, "min_usd", "Dollars, at least: must be 0 or more."),
        ({"window_s": "0"}, "window_s", "greater than or equal to 1"),
        ({"cooldown_s": "0"}, "cooldown_s", "greater than or equal to 1"),
        ({"min_events": "0"}, "min_events", "greater than or equal to 1"),
        ({"min_events": "10001"}, "min_events", "10,000 at most"),
        ({"min_venues": "4"}, "min_venues", "less than or equal to 3"),
        ({"asset": "BTC/USDT:USDT"}, "asset", "Asset: write the asset only, BTC instead of BTC/USDT:USDT."),
        ({"asset": "ethusdt"}, "asset", "Asset: write the asset only, ETH instead of ETHUSDT."),
        ({"asset": "B T C"}, "asset", "Asset: letters and digits only"),
    ],
)
def test_a_bad_value_is_named_beside_its_field(changes: dict[str, str], field: str, words: str) -> None:
    errors = edited(**changes).errors
    assert words in " ".join(map(str, errors[field]))


def test_a_rule_for_a_single_liquidation_takes_one_event_of_one_venue() -> None:
    errors = edited(kind="liquidation", min_events="2", min_venues="2").errors
    assert set(errors) == {"min_events", "min_venues"}


def test_a_second_rule_for_the_same_kind_and_asset_is_refused_however_it_is_written() -> None:
    form = edited(asset="eth")
    assert "There is a rule for this kind and asset already" in str(form.errors)


@pytest.mark.parametrize(("text", "asset"), [("", ""), (" btc", "BTC"), ("1inch", "1INCH"), ("usdt", "USDT"), ("币安人生", "币安人生")])
def test_an_asset_is_kept_in_upper_case(text: str, asset: str) -> None:
    assert normal_asset(text) == asset
