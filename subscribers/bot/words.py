"""Which kind does a word mean? What people type after a command."""

from monitors.market import Kind

KIND_OF_WORD = {
    "liquidation": Kind.LIQUIDATION, "liquidations": Kind.LIQUIDATION, "liq": Kind.LIQUIDATION,
    "cascade": Kind.CASCADE, "cascades": Kind.CASCADE,
    "oi": Kind.OPEN_INTEREST, "open_interest": Kind.OPEN_INTEREST, "openinterest": Kind.OPEN_INTEREST,
    "volume": Kind.VOLUME, "vol": Kind.VOLUME,
}  # fmt: skip
