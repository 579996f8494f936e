"""Which rules are in force before anybody edits one? The seeded table as it is written, once more."""

from typing import Any

NAMES = ("low", "moderate", "high", "extreme")
LIQUIDATION = {
    "BTC": (400_000, 1_200_000, 4_000_000, 10_000_000),
    "ETH": (300_000, 1_000_000, 3_000_000, 8_000_000),
    "SOL": (120_000, 400_000, 1_200_000, 3_000_000),
    "": (60_000, 250_000, 800_000, 2_500_000),
}
CASCADE = {
    "BTC": (500_000, 1_500_000, 5_000_000, 12_000_000),
    "ETH": (400_000, 1_500_000, 4_000_000, 10_000_000),
    "SOL": (150_000, 500_000, 1_500_000, 4_000_000),
    "": (75_000, 300_000, 1_000_000, 3_000_000),
}
MIN_EVENTS = {"BTC": 5, "ETH": 5, "SOL": 4, "": 5}


def rule(kind: str, asset: str, ladder: tuple[int, ...], **changed: Any) -> dict[str, Any]:
    """One rule as `thresholds --json` prints it."""
    usual = {
        "window_s": 30,
        "min_events": MIN_EVENTS.get(asset, 5) if kind == "cascade" else 1,
        "min_venues": 1,
        "min_usd": 0,
        "cooldown_s": 300,
        "enabled": True,
    }
    return {"kind": kind, "asset": asset, **dict(zip(NAMES, ladder, strict=True)), **usual, **changed}


def seeded() -> list[dict[str, Any]]:
    """All eight."""
    return [rule("liquidation", asset, ladder) for asset, ladder in LIQUIDATION.items()] + [rule("cascade", asset, ladder) for asset, ladder in CASCADE.items()]
