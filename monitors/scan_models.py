"""What is kept of the scans? Samples and candles of each contract, the state of each episode and of each venue's scans."""

from django.db import models

from monitors.fields import DIRECTIONS, KINDS, VENUES, decimal_field
from monitors.market import Kind

SCANNED_KINDS = [(kind, name) for kind, name in KINDS if kind in (Kind.OPEN_INTEREST, Kind.VOLUME)]


class OpenInterestSample(models.Model):
    """Open interest of one contract at the venue's time: one-sided, in coins of the asset; stored once."""

    market = models.ForeignKey("monitors.Market", on_delete=models.CASCADE, related_name="+", db_index=False)
    oi_base = decimal_field("open interest, coins")
    mark_price = decimal_field("mark price, $", null=True, help_text="dollars per coin of the asset; empty when the venue gave none")
    occurred_at = models.DateTimeField(help_text="the venue's time of the value")
    received_at = models.DateTimeField()
    funding_rate = models.FloatField(null=True, help_text="of the position's value, 0.0001 is 0.01 %; empty where the answer does not carry it")
    funding_hours = models.PositiveSmallIntegerField(null=True, help_text="how often it is paid, in hours; empty where the answer does not say")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["market", "occurred_at"], name="one_sample_per_market_and_time")]


class CandleRow(models.Model):
    """One 5-minute candle of one contract, prices in dollars per coin of the asset; an unfinished one is overwritten until it is closed."""

    market = models.ForeignKey("monitors.Market", on_delete=models.CASCADE, related_name="+", db_index=False)
    opened_at = models.DateTimeField()
    open = models.FloatField()
    close = models.FloatField()
    volume_usd = models.FloatField("volume, $")
    closed = models.BooleanField()
    received_at = models.DateTimeField()

    class Meta:
        verbose_name = "candle"
        constraints = [models.UniqueConstraint(fields=["market", "opened_at"], name="one_candle_per_market_and_time")]


class PriceCandle(models.Model):
    """The mark price of an asset in one closed minute, dollars per coin, as one venue has it; fetched where something asks what the price did."""

    venue = models.CharField(max_length=16, choices=VENUES)
    asset = models.CharField(max_length=32)
    opened_at = models.DateTimeField(db_index=True)
    open = models.FloatField()
    high = models.FloatField()
    low = models.FloatField()
    close = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["asset", "venue", "opened_at"], name="one_price_candle_per_asset_venue_and_minute")]


class EpisodeState(models.Model):
    """Where one story's episode stands, so that any worker continues it; its row is locked while the asset is judged."""

    kind = models.CharField(max_length=16, choices=SCANNED_KINDS)
    asset = models.CharField(max_length=32)
    direction = models.CharField(max_length=5, blank=True, choices=DIRECTIONS)
    index = models.PositiveIntegerField("episode", default=0)
    number = models.PositiveIntegerField(default=0, help_text="signals within the episode")
    step = models.PositiveIntegerField(default=0, help_text="rung of the last measurement")
    running = models.BooleanField(default=False)
    peak = decimal_field(default=0)
    written_ms = models.BigIntegerField(null=True, help_text="when the last signal was written, epoch ms")
    signal_at_ms = models.BigIntegerField(default=0)
    judged_ms = models.BigIntegerField(default=0, help_text="volume: open time of the newest closed candle that was judged, epoch ms")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "asset", "direction"], name="one_episode_per_story")]


class OwnHistory(models.Model):
    """What is usual for an asset: percentiles of its own 15-minute open interest changes on 5-minute points, in percent."""

    asset = models.CharField(max_length=32, primary_key=True)
    days = models.FloatField(help_text="days of history behind the numbers")
    low = models.FloatField("LOW")
    moderate = models.FloatField("MODERATE")
    high = models.FloatField("HIGH")
    usual_price_move = models.FloatField("usual 15-minute price move, %")
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "own histories"


class ScanStatus(models.Model):
    """How one venue's scans of one kind are doing."""

    venue = models.CharField(max_length=16, choices=VENUES)
    kind = models.CharField(max_length=16, choices=SCANNED_KINDS)
    started_at = models.DateTimeField("last scan", null=True)
    succeeded_at = models.DateTimeField("last success", null=True, help_text="a scan that brought data")
    paused_until = models.DateTimeField(null=True, help_text="the venue's limit was reached: nobody asks it before")
    note = models.CharField(max_length=200, blank=True, help_text="why the last scan brought nothing, or not all")
    contracts = models.PositiveIntegerField(default=0, help_text="sampled by the last scan")
    requests = models.PositiveIntegerField(default=0, help_text="made by the last scan")
    duration_ms = models.PositiveIntegerField(default=0)
    failed = models.JSONField(default=dict, help_text="scans and answers that brought nothing, by reason")
    unjudged = models.JSONField(default=dict, help_text="assets that the last scan could not judge, by reason")
    resume_from = models.CharField(max_length=64, blank=True, help_text="the contract at which the last slice ended; empty: it was complete")

    class Meta:
        verbose_name_plural = "scans"
        constraints = [models.UniqueConstraint(fields=["venue", "kind"], name="one_scan_status_per_venue_and_kind")]

    def __str__(self) -> str:
        return f"{self.get_venue_display()} {self.get_kind_display()}"


class Lease(models.Model):
    """Who alone may do a thing until when: the drainer of the outbox, a venue's scan."""

    name = models.CharField(max_length=48, primary_key=True)
    holder = models.CharField(max_length=64, blank=True)
    until = models.DateTimeField()
