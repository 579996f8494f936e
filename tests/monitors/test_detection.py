"""Does a raw frame lead to the right signals, rows and counts? No database, no socket."""

import json
from decimal import Decimal
from typing import Any

import pytest

from monitors.detection import Detection
from monitors.market import Contract, Kind, Venue
from monitors.marks import MarkBook
from monitors.thresholds import Rule, Rulebook
from monitors.venues.contracts import of_rows
from monitors.venues.wire import MalformedFrame
from monitors.watch import Watch

T = 1789672235690


def rule(kind: Kind, low: int, min_events: int = 1) -> Rule:
    return Rule(kind, "", Decimal(low), Decimal(2 * low), Decimal(4 * low), Decimal(8 * low), 30, min_events, 1, Decimal(0), 300)


RULES = [rule(Kind.LIQUIDATION, 100), rule(Kind.CASCADE, 100, min_events=3)]
WATCH = Watch(Rulebook.of(RULES), {venue: of_rows(venue, []) for venue in Venue}, dict.fromkeys(["BTC"]), {})


def bybit(dollars: int, at_ms: int, asset: str = "BTC") -> str:
    row = {"T": at_ms, "s": f"{asset}USDT", "S": "Buy", "v": str(dollars), "p": "1"}
    return json.dumps({"topic": f"allLiquidation.{asset}USDT", "data": [row]})


def take(detection: Detection, raw: Any, at_ms: int, venue: Venue = Venue.BYBIT) -> list[tuple[str, int]]:
    return [(signal.kind, int(signal.value)) for signal in detection.take(venue, raw, at_ms).signals]


def test_signals_come_of_watched_assets_only_and_everything_is_saved() -> None:
    detection = Detection(WATCH)
    assert take(detection, bybit(500, T), T) == [("liquidation", 500)]
    unwatched = detection.take(Venue.BYBIT, bybit(500, T, "ETH"), T)
    assert (unwatched.signals, len(unwatched.admission.saved)) == ([], 1)


def test_stale_and_future_events_are_saved_but_not_counted_and_repeats_are_neither() -> None:
    detection = Detection(WATCH)
    for odd, reason in ((T - 61_000, "stale"), (T + 6_000, "future")):
        outcome = detection.take(Venue.BYBIT, bybit(500, odd), T)
        assert (outcome.signals, [why for _, why in outcome.admission.saved]) == ([], [reason])
    detection.take(Venue.BYBIT, bybit(500, T), T)
    again = detection.take(Venue.BYBIT, bybit(500, T), T + 10)
    assert (again.signals, again.admission.saved, again.admission.repeats) == ([], [], 1)


def test_an_edited_rulebook_and_asset_list_apply_from_the_next_frame_on() -> None:
    detection = Detection(WATCH)
    assert take(detection, bybit(40, T), T) == []
    stricter = rule(Kind.LIQUIDATION, 10)
    detection.follow(Watch(Rulebook.of([stricter]), WATCH.contracts, WATCH.assets, {}), [])
    assert take(detection, bybit(41, T), T + 1) == [("liquidation", 41)]
    detection.follow(Watch(Rulebook.of([stricter]), WATCH.contracts, {}, {}), [])
    assert take(detection, bybit(42, T), T + 2) == []


def test_two_frames_of_one_millisecond_give_signals_with_keys_of_their_own() -> None:
    detection = Detection(WATCH)
    signals = [
        detection.take(venue, raw, T).signals for venue, raw in ((Venue.BYBIT, bybit(150, T)), (Venue.BYBIT, bybit(450, T)), (Venue.BYBIT, bybit(1800, T)))
    ]
    keys = [(signal.kind, signal.received_at_ms) for of_frame in signals for signal in of_frame]
    assert len(keys) >= 3 and len(set(keys)) == len(keys)


def test_no_signal_of_a_story_counts_as_earlier_than_one_before_it() -> None:
    detection = Detection(WATCH)
    frames = [detection.take(Venue.BYBIT, bybit(dollars, T), T).signals for dollars in (450, 451, 1800)]  # the third makes it a cascade
    signals = [signal for of_frame in frames for signal in of_frame]
    assert Kind.CASCADE in {signal.kind for signal in frames[-1]}
    arrivals = [signal.received_at_ms for signal in signals]
    assert arrivals == sorted(arrivals)


def test_arrivals_of_several_threads_never_go_back_but_a_clock_that_was_set_is_followed() -> None:
    detection = Detection(WATCH)
    times = [detection.take(Venue.BYBIT, bybit(1, T), at_ms).at_ms for at_ms in (T, T - 40, T + 5, T - 3_600_000, T - 3_599_000)]
    assert times == [T, T, T + 5, T - 3_600_000, T - 3_599_000]


def test_a_signal_carries_the_mark_price_and_its_change_over_the_window() -> None:
    detection = Detection(WATCH)
    for at_ms, price in ((T - 31_000, "64000"), (T - 3_000, "63104")):
        mark = {"stream": "!markPrice@arr", "data": [{"e": "markPriceUpdate", "E": at_ms, "s": "BTCUSDT", "p": price}]}
        detection.take(Venue.BINANCE, json.dumps(mark), at_ms)
    (signal,) = detection.take(Venue.BYBIT, bybit(500, T), T).signals
    assert signal.details.items() >= {"mark_price": "63104", "mark_change_percent": "-1.40"}.items()


def test_an_old_mark_is_no_price() -> None:
    book = MarkBook()
    assert book.details("BTC", 30, T) == {}
    book.add({"BTC": Decimal(64_000)}, T)
    assert book.details("BTC", 30, T + 10_000) == {"mark_price": "64000"}
    assert book.details("BTC", 30, T + 16_000) == {}


def test_how_many_live_venues_list_an_asset() -> None:
    known = {venue: of_rows(venue, [contract]) for venue in Venue if (contract := of_rows(Venue.BYBIT, []).find("BTCUSDT"))}
    watch = Watch(WATCH.rulebook, known, WATCH.assets, {"BTC": frozenset({Venue.BINANCE, Venue.OKX})})
    assert watch.listed_on(list(Venue))("BTC") == 2
    assert watch.listed_on([Venue.OKX])("BTC") == 1
    assert watch.listed_on([])("NONSENSE") == 1


def test_a_frame_that_is_not_understood_changes_nothing() -> None:
    detection = Detection(WATCH)
    with pytest.raises(MalformedFrame):
        detection.take(Venue.OKX, b"garbage", T)
    assert take(detection, bybit(500, T), T) == [("liquidation", 500)]


def test_a_blind_venue_is_named_and_does_not_count() -> None:
    everywhere = Watch(WATCH.rulebook, WATCH.contracts, WATCH.assets, {"BTC": frozenset(Venue)})
    detection = Detection(Watch(everywhere.rulebook, {venue: of_rows(venue, [contract(venue)]) for venue in Venue}, everywhere.assets, everywhere.listing))
    detection.follow(detection.watch, [Venue.BINANCE, Venue.BYBIT])
    (signal,) = detection.take(Venue.BYBIT, bybit(500, T), T).signals
    assert (signal.listed_on, signal.details["missing"]) == (2, "okx")
    detection.follow(detection.watch, list(Venue))
    (signal,) = detection.take(Venue.BYBIT, bybit(900, T + 1), T + 1).signals
    assert (signal.listed_on, "missing" in signal.details) == (3, False)


def test_a_venue_that_went_blind_within_the_window_has_still_had_its_say() -> None:
    detection = Detection(Watch(WATCH.rulebook, {venue: of_rows(venue, [contract(venue)]) for venue in Venue}, WATCH.assets, {"BTC": frozenset(Venue)}))
    detection.follow(detection.watch, [Venue.BINANCE])
    (signal,) = detection.take(Venue.BYBIT, bybit(500, T), T).signals
    assert (signal.listed_on, signal.details["missing"]) == (1, "okx")


def test_a_venue_that_is_missing_since_the_start_is_named_though_nobody_knows_what_it_lists() -> None:
    known = {venue: of_rows(venue, [] if venue is Venue.OKX else [contract(venue)]) for venue in Venue}
    detection = Detection(Watch(WATCH.rulebook, known, WATCH.assets, {"BTC": frozenset({Venue.BINANCE, Venue.BYBIT})}), [Venue.BINANCE, Venue.BYBIT])
    (signal,) = detection.take(Venue.BYBIT, bybit(500, T), T).signals
    assert (signal.listed_on, signal.details["missing"]) == (2, "okx")


def contract(venue: Venue) -> Contract:
    return Contract(venue, "BTCUSDT", "BTC/USDT:USDT", "BTC")
