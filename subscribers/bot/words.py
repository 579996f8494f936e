"""How are a kind and an asset written in a button's data, which has 64 bytes? And read again: "c:BTC" are cascades of BTC."""

from monitors.market import Kind
from monitors.rule_checks import normal_asset
from subscribers.bot.screen import Asked

LETTER = {Kind.LIQUIDATION: "l", Kind.CASCADE: "c", Kind.OPEN_INTEREST: "o", Kind.VOLUME: "v", None: "-"}
KIND_OF_LETTER = {letter: kind for kind, letter in LETTER.items()}
LONGEST_ASSET = 40  # bytes; the longest asset there is has 32 characters, some of three bytes


def kind_of(asked: Asked) -> Kind:
    """The kind, which comes first; LookupError when it is none."""
    kind = KIND_OF_LETTER[asked.parts[0]]
    if kind is None:
        raise LookupError
    return kind


def asset_of(asked: Asked) -> str:
    """The asset behind it, "" any other; LookupError or ValueError when it is none."""
    asset = asked.parts[1]
    if asset != normal_asset(asset) or len(asset) > 32 or len(asset.encode()) > LONGEST_ASSET:
        raise ValueError(asset)
    return asset
