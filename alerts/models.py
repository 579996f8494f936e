"""What was decided and who was told? Incidents, the decision on each signal, and the outbox."""

from django.db import models
from django.db.models import Q

from monitors.fields import VENUES
from monitors.models import DIRECTIONS, KINDS, Signal, decimal_field
from monitors.thresholds import Severity
from subscribers.models import Subscriber

IN_WORDS = {"LONG": "of longs", "SHORT": "of shorts", "UP": "up", "DOWN": "down", "": ""}
ALL_SEVERITIES = [(severity.value, severity.name) for severity in Severity]


class MarketMove(models.Model):
    """Incidents of one family and direction that opened shortly after one another; who wants four of them or more is told in one message."""

    family = models.CharField(max_length=16, help_text="liquidations (with cascades), open_interest or volume")
    direction = models.CharField(max_length=5, blank=True, choices=DIRECTIONS)
    opened_at = models.DateTimeField(db_index=True, help_text="when its first incident opened")
    over = models.BooleanField(default=False, help_text="a later move of this family and direction has begun")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["family", "direction"], condition=Q(over=False), name="one_running_move_per_family_and_direction")]

    def __str__(self) -> str:
        return f"market-wide {self.family.replace('_', ' ')} {self.direction}".strip()


class Alert(models.Model):
    """One incident: open until it has been quiet for its cooldown; severity and step are the highest it has had."""

    fingerprint = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, choices=KINDS, help_text="cascade once a cascade was seen")
    asset = models.CharField(max_length=32)
    direction = models.CharField(max_length=5, blank=True, choices=DIRECTIONS)
    severity = models.PositiveSmallIntegerField(choices=ALL_SEVERITIES)
    step = models.PositiveSmallIntegerField(help_text="0 below LOW, 1 LOW ... 4 EXTREME, then one for each doubling")
    opened_at = models.DateTimeField(help_text="arrival of the frame behind the signal that opened it")
    last_seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True, help_text="last seen + cooldown")
    cooldown_s = models.PositiveIntegerField()
    rule = models.JSONField(help_text="the threshold rule of the last decision")
    peak = models.ForeignKey(Signal, on_delete=models.PROTECT, related_name="+", help_text="the largest signal")
    largest = decimal_field("largest value", default=0, help_text="the peak's, in the unit of the kind")
    newest_signal_at = models.DateTimeField(help_text="arrival of the frame behind the newest signal applied")
    unconfirmed = models.BooleanField(default=False)
    tally = models.JSONField(default=dict, help_text="running total of dollars and events")
    record = models.JSONField(default=dict, blank=True, help_text="the last one that was at least as large, and since when that is known")
    revision = models.PositiveIntegerField(default=1, help_text="rises with each change of what the message says")
    changed_at = models.DateTimeField()
    summaries = models.PositiveIntegerField(default=0, help_text="the number of the last summary that was written")
    move = models.ForeignKey(
        MarketMove, on_delete=models.SET_NULL, null=True, blank=True, related_name="alerts", help_text="the move it may be told with; empty: it stands alone"
    )
    companion_of = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="companions",
        help_text="the open incident of the same asset and another kind whose message tells of this one too",
    )  # fmt: skip

    class Meta:
        constraints = [models.UniqueConstraint(fields=["fingerprint"], condition=Q(closed_at=None), name="one_open_incident_per_fingerprint")]
        indexes = [models.Index(fields=["opened_at"]), models.Index(fields=["asset", "opened_at"]), models.Index(fields=["changed_at"])]
        indexes += [models.Index(fields=["fingerprint", "id", "largest"], name="alert_story")]  # the newest of a story, and the last one as large

    def __str__(self) -> str:
        return f"{self.get_severity_display()} {self.asset} {self.get_kind_display()} {IN_WORDS[self.direction]}".strip()


class Decision(models.Model):
    """What the trigger engine made of one signal, and the system-side reason."""

    signal = models.OneToOneField(Signal, on_delete=models.CASCADE, related_name="decision")
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, null=True, related_name="decisions")
    outcome = models.CharField(max_length=24)
    reason = models.CharField(max_length=200, blank=True)
    severity = models.PositiveSmallIntegerField(choices=ALL_SEVERITIES)
    step = models.PositiveSmallIntegerField()
    unconfirmed = models.BooleanField(default=False)
    rule = models.JSONField(null=True, help_text="the threshold rule in force; empty: it was switched off")
    decided_at = models.DateTimeField()


class FanOut(models.Model):
    """Whom a decided signal still has to tell: deliveries up to subscriber `cursor` are written."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="fan_outs")
    signal = models.ForeignKey(Signal, on_delete=models.CASCADE)
    severity = models.PositiveSmallIntegerField(choices=ALL_SEVERITIES)
    step = models.PositiveSmallIntegerField()
    unconfirmed = models.BooleanField(default=False, help_text="who wants confirmed alerts only is not told")
    cursor = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["id"], name="fan_out_open", condition=Q(done_at=None))]


class Silence(models.Model):
    """An operator's silence: incidents live and are stored, nobody is told."""

    kind = models.CharField(max_length=16, blank=True, choices=KINDS, help_text="empty: every kind")
    asset = models.CharField(max_length=32, blank=True, help_text="empty: every asset")
    until = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.kind or 'every kind'} {self.asset or 'every asset'} until {self.until:%Y-%m-%d %H:%M} UTC"


class Broadcast(models.Model):
    """An operator's message to many subscribers, under the same limits as alerts; rows up to subscriber `cursor` are written."""

    text = models.TextField(max_length=3000, help_text="plain text")
    chat_type = models.CharField(max_length=16, blank=True, help_text="only to private chats, groups, supergroups or channels; empty: to all")
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True, blank=True, help_text="empty: a draft, nothing is sent")
    cursor = models.BigIntegerField(default=0)
    done_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"broadcast {self.pk}"


class Chart(models.Model):
    """The picture of an alert, drawn once and sent to everybody who gets it."""

    alert = models.OneToOneField(Alert, on_delete=models.CASCADE, related_name="chart")
    png = models.BinaryField(null=True, help_text="empty: not drawn yet")
    caption = models.CharField(max_length=300, blank=True)
    file_id = models.CharField(max_length=200, blank=True, help_text="Telegram's name of the picture once it was uploaded")
    asked_at = models.DateTimeField(auto_now_add=True)
    drawn_at = models.DateTimeField(null=True, blank=True)
    failed = models.CharField(max_length=200, blank=True, help_text="why it could not be drawn")


class Delivery(models.Model):
    """One message to one subscriber: for one step of an incident, for a market-wide move, or one with its own text (`purpose` says which).

    A step that is told within a market-wide message keeps its row: `folded`, or as it was when it had been sent before; `move` says where it is listed.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        SENDING = "sending"
        SENT = "sent"
        HELD = "held"
        SUPERSEDED = "superseded"
        EXPIRED = "expired"
        FAILED = "failed"
        UNKNOWN = "unknown"
        FOLDED = "folded"

    class Purpose(models.TextChoices):
        ALERT = "alert"  # a step of an incident, or a market-wide move
        DIGEST = "digest"  # what was held back
        SUMMARY = "summary"  # an incident that lasts
        CHART = "chart"
        BROADCAST = "broadcast"
        NOTICE = "notice"  # what the subscriber has to know of its own settings
        TEST = "test"

    purpose = models.CharField(max_length=12, choices=Purpose.choices, default=Purpose.ALERT)
    # A fan-out writes 100,000 rows, so there is no index that another one begins with, and no check of `move`: moves are never deleted
    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, db_index=False, related_name="deliveries")
    alert = models.ForeignKey(
        Alert, on_delete=models.CASCADE, null=True, blank=True, db_index=False, related_name="deliveries", help_text="empty: market-wide, or a test message"
    )
    move = models.ForeignKey(
        MarketMove, on_delete=models.SET_NULL, null=True, blank=True, db_index=False, db_constraint=False, related_name="deliveries",
        help_text="without an alert: the market-wide message itself; with one: it is listed there",
    )  # fmt: skip
    about = models.ForeignKey(
        Alert, on_delete=models.CASCADE, null=True, blank=True, db_index=False, related_name="+", help_text="of a summary or a chart: the incident it is about"
    )
    number = models.PositiveIntegerField(default=0, help_text="of a summary: which one")
    broadcast = models.ForeignKey(Broadcast, on_delete=models.CASCADE, null=True, blank=True, db_index=False, related_name="deliveries")
    digest = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, db_index=False, related_name="told", help_text="the digest that told of this one"
    )
    held_until = models.DateTimeField(null=True, blank=True, help_text="when the digest that tells of it is due")
    text = models.TextField(blank=True, help_text="of a message that is not an alert")
    severity = models.PositiveSmallIntegerField(choices=ALL_SEVERITIES)
    step = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=12, choices=State.choices, default=State.PENDING)
    reason = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    unknown_outcomes = models.PositiveIntegerField(default=0)
    message_id = models.BigIntegerField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=0, help_text="the revision of the alert or the move that the message shows")
    edited_at = models.DateTimeField(null=True, blank=True)
    live = models.BooleanField(default=True, help_text="its text follows the incident: the subscriber's newest message of it that can be edited")
    event_at = models.DateTimeField(null=True, blank=True, help_text="when the venue stamped the event")
    received_at = models.DateTimeField(null=True, blank=True)
    detected_at = models.DateTimeField(null=True, blank=True)
    queued_at = models.DateTimeField(help_text="when this row was written")
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["alert", "subscriber", "step"], name="one_delivery_per_alert_subscriber_and_step"),
            models.UniqueConstraint(fields=["move", "subscriber"], condition=Q(alert=None), name="one_message_per_move_and_subscriber"),
            models.UniqueConstraint(
                fields=["about", "subscriber", "purpose", "number"], condition=Q(about__isnull=False), name="one_summary_or_chart_per_subscriber"
            ),
            models.UniqueConstraint(
                fields=["subscriber"], condition=Q(purpose="digest", state__in=["pending", "sending"]), name="one_unsent_digest_per_subscriber"
            ),
            models.UniqueConstraint(fields=["broadcast", "subscriber"], condition=Q(broadcast__isnull=False), name="one_message_per_broadcast_and_subscriber"),
        ]
        indexes = [
            models.Index(fields=["-severity", "purpose", "id"], name="delivery_outbox", condition=Q(state="pending") & ~Q(purpose="chart")),
            models.Index(fields=["id"], name="delivery_charts", condition=Q(state="pending", purpose="chart")),
            models.Index(fields=["id"], name="delivery_in_flight", condition=Q(state="sending")),
            models.Index(fields=["alert", "revision"], name="delivery_to_edit", condition=Q(state="sent", live=True)),
            models.Index(fields=["subscriber", "queued_at"]),
            models.Index(fields=["move", "subscriber"], name="delivery_listed", condition=~Q(alert=None) & ~Q(move=None)),
            models.Index(fields=["move", "revision"], name="delivery_wide_to_edit", condition=Q(state="sent", live=True, alert=None)),
            models.Index(fields=["held_until"], name="delivery_to_digest", condition=Q(held_until__isnull=False, digest=None)),
            models.Index(fields=["digest"], name="delivery_told_in_digest", condition=Q(digest__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.alert or self.move or self.purpose} to {self.subscriber}: {self.state}"


class Vote(models.Model):
    """What a subscriber thought of an alert."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="votes")
    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="votes")
    user_id = models.BigIntegerField(default=0, help_text="who voted; in a group everybody has a vote")
    useful = models.BooleanField(help_text="no: noise")
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "subscriber", "user_id"], name="one_vote_per_alert_and_person")]


class Outcome(models.Model):
    """What the price did after an incident was detected, over one horizon; numbers are empty while unknown, never zero instead."""

    class State(models.TextChoices):
        WAITING = "waiting"  # the horizon is not over, or its candles are not there yet
        KNOWN = "known"
        UNKNOWN = "unknown"  # a gap in the data

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="outcomes")
    horizon_min = models.PositiveSmallIntegerField("horizon, minutes")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    due_at = models.DateTimeField(help_text="when the minute in which the horizon ends has closed")
    venue = models.CharField(max_length=16, blank=True, choices=VENUES, help_text="whose mark prices were taken")
    price = models.FloatField("mark price at detection, $", null=True)
    change_pct = models.FloatField("return, %", null=True)
    up_pct = models.FloatField("largest move up, %", null=True)
    down_pct = models.FloatField("largest move down, %", null=True)
    usual_pct = models.FloatField("usual move over the horizon, %", null=True, help_text="median of the asset's absolute moves")
    reason = models.CharField(max_length=200, blank=True, help_text="why it is unknown")
    measured_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "horizon_min"], name="one_outcome_per_alert_and_horizon")]
        indexes = [models.Index(fields=["due_at"], name="outcome_to_measure", condition=Q(state="waiting"))]
