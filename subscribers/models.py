"""Who wants what? Subscribers, for each kind and asset how loud it must be, and when they want to be left alone."""

from django.db import models

from monitors.models import DIRECTIONS, KINDS, decimal_field
from monitors.thresholds import Severity
from subscribers.preferences import OFF as OFF

SEVERITIES = [(severity.value, severity.name) for severity in Severity if severity]


class Subscriber(models.Model):
    """One chat, the console or a webhook that receives alerts."""

    class Channel(models.TextChoices):
        TELEGRAM = "telegram"
        CONSOLE = "console"
        WEBHOOK = "webhook"

    channel = models.CharField(max_length=16, choices=Channel.choices, default=Channel.TELEGRAM)
    chat_id = models.BigIntegerField(default=0, help_text="Telegram's id of the chat; negative for groups and channels; 0 for the console")
    chat_type = models.CharField(max_length=16, default="private", help_text="private, group, supergroup or channel")
    title = models.CharField(max_length=255, blank=True, help_text="name of the person or chat, as Telegram gives it")
    active = models.BooleanField(default=True)
    deactivated_reason = models.CharField(max_length=200, blank=True)
    capped = models.BooleanField("hourly cap applies", default=True, help_text="off for the console and for operators' chats")
    confirmed_only = models.BooleanField(default=False, help_text="nothing that other venues do not confirm")
    charts = models.BooleanField(default=True, help_text="a chart after each alert of HIGH or EXTREME")
    time_zone = models.CharField(max_length=64, default="UTC", help_text="a name (Europe/Zurich) or an offset (UTC+05:30)")
    quiet_from = models.TimeField(null=True, blank=True, help_text="quiet hours begin, in the subscriber's time zone; empty: none")
    quiet_until = models.TimeField(null=True, blank=True, help_text="quiet hours end, in the subscriber's time zone")
    quiet_lets_through = models.PositiveSmallIntegerField(
        choices=[*SEVERITIES, (OFF, "nothing")], default=Severity.EXTREME.value, help_text="from this severity on quiet hours do not hold an alert back"
    )
    quiet_starts_at = models.DateTimeField(null=True, blank=True, help_text="the quiet hours that run, or the next ones")
    quiet_ends_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True, db_index=True, help_text="last change of what this subscriber wants")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "chat_id"], condition=~models.Q(channel="webhook"), name="one_subscriber_per_chat")]
        indexes = [models.Index(fields=["quiet_ends_at"], name="quiet_hours_to_renew", condition=models.Q(quiet_ends_at__isnull=False))]

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
    direction = models.CharField(
        max_length=5, blank=True, default="", choices=DIRECTIONS, help_text="only this one (LONG: longs liquidated; UP: rising); empty: both"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscriber", "kind", "asset"], name="one_subscription_per_kind_and_asset")]
        indexes = [
            models.Index(fields=["kind", "asset", "subscriber"]),
            # Few have one, and every change of a wish and every new peak of an incident asks for them
            models.Index(fields=["kind", "asset", "custom_threshold"], name="custom_thresholds", condition=models.Q(custom_threshold__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.asset or 'any other asset'}"


class Mute(models.Model):
    """A subscriber's wish to be told later: alerts of the kind and asset are held back until then."""

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="mutes")
    kind = models.CharField(max_length=16, blank=True, default="", choices=KINDS, help_text="empty: every kind")
    asset = models.CharField(max_length=32, blank=True, default="", help_text="empty: every asset")
    until = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subscriber", "kind", "asset"], name="one_mute_per_kind_and_asset")]

    def __str__(self) -> str:
        return f"{self.kind or 'every kind'} {self.asset or 'every asset'} until {self.until:%Y-%m-%d %H:%M} UTC"


class PreferenceChange(models.Model):
    """What a subscriber wanted from a moment on, kept so that a later question can be answered as of then."""

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="changes", db_index=False)
    at = models.DateTimeField()
    wanted = models.JSONField(help_text="all preferences after the change")

    class Meta:
        indexes = [models.Index(fields=["subscriber", "at"])]


class Preset(models.Model):
    """A set of choices that the operator made; the bot's link with ?start=slug subscribes to it."""

    slug = models.SlugField(max_length=48, unique=True, help_text="as it stands in the link: letters, digits, - and _")
    title = models.CharField(max_length=80)
    description = models.CharField(max_length=300, blank=True)
    enabled = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.title


class PresetChoice(models.Model):
    """What the preset wants of one kind and asset; as a subscription, without a subscriber."""

    preset = models.ForeignKey(Preset, on_delete=models.CASCADE, related_name="choices")
    kind = models.CharField(max_length=16, choices=KINDS)
    asset = models.CharField(max_length=32, blank=True, default="", help_text="e.g. BTC; empty: any asset that has no row of its own")
    lowest_severity = models.PositiveSmallIntegerField(choices=[*SEVERITIES, (OFF, "off")], default=Severity.MODERATE.value)
    custom_threshold = decimal_field(null=True, blank=True, help_text="threshold in the kind's unit (dollars or percent); replaces the lowest severity")
    direction = models.CharField(max_length=5, blank=True, default="", choices=DIRECTIONS, help_text="only this one; empty: both")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["preset", "kind", "asset"], name="one_preset_choice_per_kind_and_asset")]


class Dialogue(models.Model):
    """What the bot waits for from a person in a chat: an answer that is typed, the next tap of a guided choice. A restart loses none."""

    chat_id = models.BigIntegerField()
    user_id = models.BigIntegerField(help_text="only this person's answer counts")
    name = models.CharField(max_length=32, help_text="which question was asked")
    data = models.JSONField(default=dict, help_text="what was answered so far")
    message_id = models.BigIntegerField(null=True, help_text="the bot's message that is edited in place")
    answered_by = models.BigIntegerField(null=True, help_text="the update that answered it; it may be told again after a crash")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chat_id", "user_id"], name="one_dialogue_per_person_and_chat")]


class Webhook(models.Model):
    """Where a subscriber of the channel `webhook` is reached: an address that takes JSON, signed with the secret."""

    subscriber = models.OneToOneField(Subscriber, on_delete=models.CASCADE, related_name="webhook")
    owner = models.ForeignKey(
        Subscriber, on_delete=models.CASCADE, null=True, blank=True, related_name="webhooks",
        help_text="the chat whose choices it follows; empty: the operator's own, with choices of its own",
    )  # fmt: skip
    url = models.CharField("address", max_length=500)
    secret = models.CharField(max_length=64, help_text="key of the signature")
    failing_since = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    next_try_at = models.DateTimeField(null=True, blank=True, help_text="it asked, or failed, so that nothing is sent before")
    last_error = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner"], condition=models.Q(owner__isnull=False), name="one_webhook_per_chat")]

    def __str__(self) -> str:
        return f"webhook of {self.owner or 'the operator'}"
