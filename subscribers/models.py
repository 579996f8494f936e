"""Who wants what? Subscribers, and for each kind and asset how loud it must be."""

from django.db import models

from monitors.models import KINDS, decimal_field
from monitors.thresholds import Severity

SEVERITIES = [(severity.value, severity.name) for severity in Severity if severity]
OFF = 99  # as lowest severity: above every severity, so nothing is wanted


class Subscriber(models.Model):
    """One chat (or the console) that receives alerts."""

    class Channel(models.TextChoices):
        TELEGRAM = "telegram"
        CONSOLE = "console"

    channel = models.CharField(max_length=16, choices=Channel.choices, default=Channel.TELEGRAM)
    chat_id = models.BigIntegerField(default=0, help_text="Telegram's id of the chat; negative for groups and channels; 0 for the console")
    chat_type = models.CharField(max_length=16, default="private", help_text="private, group, supergroup or channel")
    title = models.CharField(max_length=255, blank=True, help_text="name of the person or chat, as Telegram gives it")
    active = models.BooleanField(default=True)
    deactivated_reason = models.CharField(max_length=200, blank=True)
    capped = models.BooleanField("hourly cap applies", default=True, help_text="off for the console and for operators' chats")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True, db_index=True, help_text="last change of what this subscriber wants")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "chat_id"], name="one_subscriber_per_chat")]

    def __str__(self) -> str:
        return self.title or f"{self.channel} {self.chat_id}"


class Subscription(models.Model):
    """What one subscriber wants of a kind and asset; the asset's own row beats the one for any asset.

    A custom threshold (the asset's own, else the any-asset one) replaces the lowest severity.
    """

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="subscriptions")
    kind = models.CharField(max_length=16, choices=KINDS)
    asset = models.CharField(max_length=32, blank=True, default="", help_text="e.g. BTC; empty: any asset that has no row of its own")
    lowest_severity = models.PositiveSmallIntegerField(choices=[*SEVERITIES, (OFF, "off")], default=Severity.MODERATE.value)
    custom_threshold = decimal_field(null=True, blank=True, help_text="own threshold in the kind's unit (dollars or percent); replaces the lowest severity")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscriber", "kind", "asset"], name="one_subscription_per_kind_and_asset")]
        indexes = [models.Index(fields=["kind", "asset", "subscriber"])]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.asset or 'any other asset'}"
