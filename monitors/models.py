"""What is kept of the market? Contracts, liquidations, thresholds, signals and the state of each feed."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from monitors import market
from monitors.fields import DIRECTIONS as DIRECTIONS
from monitors.fields import KINDS as KINDS
from monitors.fields import VENUES
from monitors.fields import decimal_field as decimal_field
from monitors.market import Direction, Kind, Unit, Venue
from monitors.scan_models import CandleRow as CandleRow
from monitors.scan_models import EpisodeState as EpisodeState
from monitors.scan_models import Lease as Lease
from monitors.scan_models import OpenInterestSample as OpenInterestSample
from monitors.scan_models import OwnHistory as OwnHistory
from monitors.scan_models import PriceCandle as PriceCandle
from monitors.scan_models import ScanStatus as ScanStatus
from monitors.thresholds import Rule
from monitors.universe_models import AssetChoice as AssetChoice
from monitors.universe_models import BackfillCursor as BackfillCursor


class Market(models.Model):
    """A linear USDT or USDC perpetual of one venue, refreshed through ccxt; an inactive one is no longer listed."""

    venue = models.CharField(max_length=16, choices=VENUES)
    venue_symbol = models.CharField(max_length=64, help_text="as the venue writes it: BTCUSDT, BTC-USDT-SWAP")
    symbol = models.CharField(max_length=64, help_text="as ccxt writes it: BTC/USDT:USDT")
    asset = models.CharField(max_length=32, db_index=True)
    contract_size = decimal_field(default=1, help_text="coins of the venue's base per contract; 1 where the venue counts coins")
    multiplier = decimal_field(default=1, help_text="coins of the asset in one coin of the venue's base: 1000 for 1000PEPE")
    active = models.BooleanField(default=True)
    listed_at = models.DateTimeField(null=True, blank=True)
    turnover_usd = models.FloatField("24 h turnover, $", default=0)
    refreshed_at = models.DateTimeField()
    apart = models.CharField("kept apart", max_length=200, blank=True, help_text="why it does not count as the asset of its name; empty: it does")
    thinned_until = models.DateTimeField(null=True, blank=True, help_text="older open interest samples are 5-minute points")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["venue", "venue_symbol"], name="one_market_per_venue_symbol")]
        ordering = ["-turnover_usd"]

    def __str__(self) -> str:
        return f"{self.venue} {self.venue_symbol}"

    def as_contract(self) -> market.Contract:
        """The value that parsers use."""
        return market.Contract(Venue(self.venue), self.venue_symbol, self.symbol, self.asset, self.contract_size, self.multiplier)


class Liquidation(models.Model):
    """One received liquidation event, saved once; `kept_out` says why detection did not count it."""

    venue = models.CharField(max_length=16, choices=VENUES)
    symbol = models.CharField(max_length=64)
    asset = models.CharField(max_length=32)
    position_side = models.CharField(max_length=5, choices=[("LONG", "LONG"), ("SHORT", "SHORT")], help_text="LONG: a long was closed by force")
    price = decimal_field()
    quantity_base = decimal_field("quantity, coins")
    notional_usd = decimal_field("notional, $")
    occurred_at = models.DateTimeField(help_text="the venue's time of the event")
    received_at = models.DateTimeField(db_index=True)
    occurrence = models.PositiveIntegerField(default=0, help_text="number of this row among equal rows of one frame")
    kept_out = models.CharField(max_length=16, blank=True, help_text="stale or future: saved, but not counted by detection")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["venue", "symbol", "occurred_at", "position_side", "price", "quantity_base", "occurrence"], name="same_liquidation_once"
            )
        ]
        indexes = [models.Index(fields=["asset", "occurred_at"])]

    def __str__(self) -> str:
        return f"{self.venue} {self.asset} {self.position_side} ${self.notional_usd:,.0f}"


class ThresholdRule(models.Model):
    """What to measure and the ladder of severities, for one kind and asset."""

    kind = models.CharField(max_length=16, choices=KINDS)
    asset = models.CharField(max_length=32, blank=True, default="", help_text="e.g. BTC; empty: any asset that has no rule of its own")
    low = decimal_field("LOW")
    moderate = decimal_field("MODERATE")
    high = decimal_field("HIGH")
    extreme = decimal_field("EXTREME")
    window_s = models.PositiveIntegerField("window, s", default=30, validators=[MinValueValidator(1), MaxValueValidator(86_400)])
    min_events = models.PositiveIntegerField("events, at least", default=1, validators=[MinValueValidator(1)])
    min_venues = models.PositiveIntegerField("venues to confirm", default=1, validators=[MinValueValidator(1), MaxValueValidator(len(Venue))])
    min_usd = decimal_field("dollars, at least", default=0)
    cooldown_s = models.PositiveIntegerField("cooldown, s", default=300, validators=[MinValueValidator(1), MaxValueValidator(86_400)])
    enabled = models.BooleanField(default=True, help_text="off: this kind is silent for this asset; it does not fall back to the rule for any other")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "asset"], name="one_rule_per_kind_and_asset")]
        ordering = ["kind", "asset"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.asset or 'any other asset'}"

    def as_rule(self) -> Rule:
        """The value that detectors and the trigger engine use."""
        return Rule(
            Kind(self.kind), self.asset, self.low, self.moderate, self.high, self.extreme,
            self.window_s, self.min_events, self.min_venues, self.min_usd, self.cooldown_s, self.enabled,
        )  # fmt: skip


class CustomFloor(models.Model):
    """The lowest custom threshold of all subscribers for a kind and asset; all that detectors know of people."""

    kind = models.CharField(max_length=16, choices=KINDS)
    asset = models.CharField(max_length=32, blank=True, default="")
    value = decimal_field()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "asset"], name="one_floor_per_kind_and_asset")]


class FloorPeriod(models.Model):
    """From which value on signals of a kind and asset were kept, and when that was so; without an end: it is so now."""

    kind = models.CharField(max_length=16, choices=KINDS)
    asset = models.CharField(max_length=32, blank=True, default="", help_text="empty: any asset that has no period at that time")
    value = decimal_field(null=True, help_text="empty: none were kept, the rule was switched off")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "asset"], condition=models.Q(until=None), name="one_floor_at_a_time")]
        indexes = [models.Index(fields=["kind", "asset", "since"])]


class Signal(models.Model):
    """A measurement, append-only; `decided_at` empty is the trigger engine's inbox."""

    kind = models.CharField(max_length=16, choices=KINDS)
    asset = models.CharField(max_length=32)
    direction = models.CharField(max_length=5, blank=True, choices=DIRECTIONS)
    fingerprint = models.CharField(max_length=64)
    value = decimal_field()
    count = models.PositiveIntegerField()
    venues = models.JSONField(help_text="the part of each venue, in the unit of the value")
    window_s = models.PositiveIntegerField()
    episode = models.PositiveIntegerField()
    number = models.PositiveIntegerField(help_text="number within its episode")
    listed_on = models.PositiveIntegerField(help_text="live venues that list the asset")
    price = decimal_field(null=True)
    details = models.JSONField(default=dict)
    occurred_at = models.DateTimeField(help_text="the venue's time of the newest event behind it")
    received_at = models.DateTimeField(help_text="arrival of the frame behind it")
    detected_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "fingerprint", "received_at"], name="one_signal_per_kind_fingerprint_and_frame")]
        indexes = [
            models.Index(fields=["id"], name="signal_inbox", condition=models.Q(decided_at=None)),
            models.Index(fields=["fingerprint", "received_at"]),
            models.Index(fields=["received_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.asset} {self.direction} {self.value:f} {self.unit}"

    @property
    def unit(self) -> Unit:
        """The unit of `value`."""
        return market.UNIT_OF_KIND[Kind(self.kind)]

    def as_value(self) -> market.Signal:
        """The value that the trigger engine decides on."""
        return market.Signal(
            kind=Kind(self.kind), asset=self.asset, direction=Direction(self.direction), value=self.value, count=self.count,
            venues={Venue(venue): Decimal(part) for venue, part in self.venues.items()}, window_s=self.window_s,
            occurred_at_ms=market.epoch_ms(self.occurred_at), received_at_ms=market.epoch_ms(self.received_at),
            episode=self.episode, number=self.number, listed_on=self.listed_on, price=self.price, details=self.details,
        )  # fmt: skip


class FeedStatus(models.Model):
    """How one venue's liquidation feed is doing, written by the liquidation monitor every two seconds."""

    venue = models.CharField(max_length=16, choices=VENUES, unique=True)
    state = models.CharField(max_length=16, default="connecting", help_text="connecting, live, or waiting for the next try")
    connected_since = models.DateTimeField(null=True)
    last_data_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=200, blank=True)
    events_per_minute = models.FloatField(default=0)
    reconnects = models.PositiveIntegerField(default=0)
    malformed = models.PositiveIntegerField(default=0)
    unknown = models.PositiveIntegerField("unknown contracts", default=0)
    dropped = models.JSONField(default=dict, help_text="events dropped or kept out of detection, by reason")
    unsaved = models.PositiveIntegerField("rows not saved under overload", default=0)
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "feeds"

    def __str__(self) -> str:
        return f"{self.get_venue_display()}: {self.state}"


class BlindSpot(models.Model):
    """A span in which nothing came of a venue's feed; kept so that a later question can be answered."""

    FEEDS = [("liquidations", "liquidations"), (Kind.OPEN_INTEREST.value, "open interest"), (Kind.VOLUME.value, "volume")]

    venue = models.CharField(max_length=16, choices=VENUES)
    feed = models.CharField(max_length=16, choices=FEEDS)
    since = models.DateTimeField(help_text="the last data before it")
    until = models.DateTimeField(db_index=True, help_text="the first data after it, to a few seconds")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["venue", "feed", "since"], name="one_blind_spot_per_feed_and_time")]

    def __str__(self) -> str:
        return f"{self.get_venue_display()} {self.get_feed_display()}"
