"""What does an alert say of liquidations? The lock screen's line, and the lines below it."""

from decimal import Decimal

from alerts.rules.incident import Incident
from alerts.rules.money import dollars, percent, price
from monitors.market import Direction, Kind, Signal, Venue

SAMPLED = frozenset({Venue.BINANCE, Venue.OKX})  # these push about one liquidation a contract and second: their dollars are a floor
LIQUIDATED = {Direction.LONG: "longs liquidated", Direction.SHORT: "shorts liquidated"}
PRICE_GOES = {Direction.LONG: "▼", Direction.SHORT: "▲"}  # what pushed these positions out


def liquidation_story(peak: Signal, room: int) -> str:
    """The headline's part behind the asset, in `room` characters where the numbers allow it: who, dollars, the price and its change."""
    what = f"{LIQUIDATED[peak.direction]} {bounded(peak.value, peak)}"
    within = f" in {peak.window_s} s" if peak.kind is Kind.CASCADE else " in one order"
    cost = f", {_price(peak)}" if "mark_price" in peak.details else ""
    return f"{what}{within}{cost}" if len(what + within + cost) <= room else f"{what}{cost}"


def liquidation_lines(incident: Incident) -> list[str]:
    """Events, the running total, duration, and the venues with their shares."""
    peak, tally = incident.peak, incident.tally
    seen = f"{peak.count} events in {peak.window_s} s" if peak.kind is Kind.CASCADE else "one order"
    lines = [f"{LIQUIDATED[peak.direction].capitalize()} {PRICE_GOES[peak.direction]} {seen}"]
    if peak.kind is not incident.kind:
        lines.append("Smaller liquidations followed in a cascade")
    if tally.events:
        events = "1 event" if tally.events == 1 else f"{tally.events:,} events"
        lines.append(f"Incident so far: {bounded(tally.usd, peak)} in {events}, {_duration(incident)}")
    lines.append(", ".join(f"{venue.title} {_share(venue, peak)}" for venue in peak.venues))
    return lines


def bounded(usd: Decimal, peak: Signal) -> str:
    """Dollars, as a floor where a venue that sends samples is in them."""
    return f"{'≥ ' if SAMPLED & set(peak.venues) else ''}{dollars(usd)}"


def _share(venue: Venue, peak: Signal) -> str:
    usd = peak.venues[venue]
    bound = "≥ " if venue in SAMPLED else ""
    return f"{bound}{dollars(usd)} ({usd / peak.value * 100:.0f} %)" if len(peak.venues) > 1 else f"{bound}{dollars(usd)}"


def _price(peak: Signal) -> str:
    """The mark and its change over the window; never the price of a liquidation."""
    change = peak.details.get("mark_change_percent")
    mark = price(Decimal(peak.details["mark_price"]))
    return f"{percent(Decimal(change))} at {mark}" if change else f"price {mark}"


def _duration(incident: Incident) -> str:
    minutes, seconds = divmod((incident.last_seen_ms - incident.opened_at_ms) // 1000, 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
