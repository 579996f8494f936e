"""Which assets does the operator want, and how far is their past filled in? Choices of assets, and the cursor of each contract's backfill."""

from django.db import models

BACKFILLED = [("candles", "candles"), ("open_interest", "open interest")]


class AssetChoice(models.Model):
    """An asset that is watched, or not watched, whatever its turnover; in force within seconds."""

    IN, OUT = "in", "out"
    asset = models.CharField(max_length=32, unique=True, help_text="e.g. BTC, or BEAM.BYBIT for a contract that is kept apart")
    choice = models.CharField(max_length=3, choices=[(IN, "always watched"), (OUT, "never watched")])
    reason = models.CharField(max_length=200, blank=True, help_text="for whoever looks at this later")

    class Meta:
        ordering = ["asset"]

    def __str__(self) -> str:
        return f"{self.asset} {self.get_choice_display()}"


class BackfillCursor(models.Model):
    """How far the past of one contract is filled in, from its first scan backwards: what is newer than `reached_at` is there."""

    market = models.ForeignKey("monitors.Market", on_delete=models.CASCADE, related_name="+", db_index=False)
    feed = models.CharField(max_length=16, choices=BACKFILLED)
    from_at = models.DateTimeField("wanted from", help_text="the oldest moment that is wanted")
    began_at = models.DateTimeField("wanted to", help_text="from then on the scans bring it")
    reached_at = models.DateTimeField("filled back to", help_text="what is newer is there, as far as the venue has it")
    done = models.BooleanField(default=False)
    rows = models.PositiveIntegerField(default=0, help_text="brought so far")
    note = models.CharField(max_length=200, blank=True, help_text="why the last request brought nothing, or why no more is asked for")
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name = "backfill"
        verbose_name_plural = "backfill"
        constraints = [models.UniqueConstraint(fields=["market", "feed"], name="one_backfill_per_market_and_feed")]
        indexes = [models.Index(fields=["id"], name="backfill_unfinished", condition=models.Q(done=False))]

    def __str__(self) -> str:
        return f"{self.market} {self.get_feed_display()}"
