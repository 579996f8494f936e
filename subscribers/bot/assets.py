"""Which asset does somebody mean? What is typed, as assets are kept; one that no venue lists is refused."""

import re

from monitors.models import Market, ThresholdRule
from monitors.rule_checks import normal_asset
from subscribers.bot.words import LONGEST_ASSET

LIKE_A_NAME = re.compile(r"[\w/:.-]{1,32}")
UNKNOWN = "I do not know the asset {asset}: no venue lists a USDT or USDC perpetual of it. Write it like BTC or DOGE."


def asset_named(text: str) -> str:
    """The asset, e.g. BTC for "btc"; ValueError says what is wrong with it."""
    unknown = UNKNOWN.format(asset=text[:20])
    if LIKE_A_NAME.fullmatch(text) is None:
        raise ValueError(unknown)
    asset = normal_asset(text)
    if not asset or len(asset.encode()) > LONGEST_ASSET or not _is_known(asset):
        raise ValueError(unknown)
    return asset


def any_asset(text: str) -> str:
    """The asset, be it known or not; ValueError when it cannot be one."""
    asset = normal_asset(text)
    if len(asset.encode()) > LONGEST_ASSET:
        raise ValueError("Asset: no asset has such a long name.")
    return asset


def _is_known(asset: str) -> bool:
    """Before the contracts are known, any is."""
    return Market.objects.filter(asset=asset).exists() or ThresholdRule.objects.filter(asset=asset).exists() or not Market.objects.exists()
