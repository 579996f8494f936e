"""What holds a message back, and until when? A mute, quiet hours or the hourly cap, worked out by the database for many subscribers at once."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import Case, DateTimeField, Expression, ExpressionWrapper, F, OuterRef, Q, Subquery, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from alerts.models import Delivery
from monitors.thresholds import Severity
from subscribers.models import Mute
from subscribers.preferences import HOURLY_CAP, Verdict

State = Delivery.State
MUTED, QUIET_HOURS, OVER_THE_CAP = Verdict.MUTED.value, Verdict.QUIET_HOURS.value, Verdict.OVER_THE_CAP.value
REASONS = {"mute_ends": MUTED, "quiet_hours_end": QUIET_HOURS, "cap_ends": OVER_THE_CAP}  # by the hold's name; the first that holds is told
CAP_WINDOW = timedelta(minutes=60)

Moment = datetime | Expression
About = tuple[str | Expression, str | Expression]  # kind and asset


def holds(severity: Severity, about: About | None, now: Moment, cap_since: Moment) -> Mapping[str, Combinable]:
    """Until when each hold keeps a message of this severity from the subscriber of a query, by the names in REASONS; NULL where it does not.

    `about` None: the message is market-wide, and no mute is for it. `cap_since`: CAP_WINDOW before `now`.
    """
    never: Combinable = Cast(Value(None), DateTimeField())
    muted = never if about is None else mute_ends(OuterRef("pk"), about, now)
    capped = cap_ends(OuterRef("pk"), severity, cap_since) if severity in HOURLY_CAP else never
    return {"mute_ends": muted, "quiet_hours_end": quiet_hours_end(severity, now), "cap_ends": capped}


def mute_ends(subscriber: OuterRef, about: About, now: Moment) -> Combinable:
    """When the last mute of this kind and asset ends that `subscriber` has in force."""
    kind, asset = about
    in_force = Mute.objects.filter(subscriber=subscriber, kind__in=["", kind], asset__in=["", asset], until__gt=now)
    return Subquery(in_force.order_by("-until").values("until")[:1])


def quiet_hours_end(severity: Severity, now: Moment) -> Combinable:
    """When the subscriber's quiet hours end, if they run and do not let this severity through."""
    return Case(When(quiet_starts_at__lte=now, quiet_ends_at__gt=now, quiet_lets_through__gt=severity, then=F("quiet_ends_at")))


def cap_ends(subscriber: OuterRef, severity: Severity, since: Moment) -> Combinable:
    """When the cap of this severity allows `subscriber` another message, if it does not now; neither digests, summaries nor tests count."""
    of_the_market = Q(alert__isnull=False) | Q(move__isnull=False)
    recent = Delivery.objects.filter(of_the_market, subscriber=subscriber, queued_at__gt=since).exclude(state__in=(State.HELD, State.FOLDED))
    last_allowed = HOURLY_CAP[severity] - 1
    oldest = recent.order_by("-queued_at").values("queued_at")[last_allowed : last_allowed + 1]
    leaves_the_window = ExpressionWrapper(Subquery(oldest) + CAP_WINDOW, output_field=DateTimeField())
    return Case(When(capped=True, then=leaves_the_window))
