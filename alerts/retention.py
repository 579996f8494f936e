"""What of the alert history is too old to keep? Nothing, unless the operator sets a limit; then alerts with all that belongs to them, a slice at a time."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from alerts.models import Alert, Decision, Delivery, MarketMove, Outcome, Vote
from alertsystem.pruning import SLICE_S, chunks_of, delete

ALERTS = 50  # at a time: each may have 100,000 deliveries


def prune(now: datetime, slice_s: float = SLICE_S) -> tuple[int, bool]:
    """Delete what is older than the operator wants to keep; returns how many rows went, and whether that was all."""
    if not settings.ALERT_RETENTION_DAYS:
        return 0, True
    return delete(_old(now - timedelta(days=settings.ALERT_RETENTION_DAYS)), slice_s)


def _old(before: datetime) -> "Iterator[QuerySet[Any]]":
    """What has to go, a chunk at a time, an alert after what points to it; each is gone when the next is asked for.

    Its signals then belong to no alert, and go with the others.
    """
    over = Alert.objects.filter(closed_at__isnull=False, last_seen_at__lt=before).order_by("pk")
    while keys := list(over.values_list("pk", flat=True)[:ALERTS]):
        for rows in (Delivery.objects.filter(alert__in=keys), Delivery.objects.filter(about__in=keys)):
            yield from chunks_of(rows)
        for belonging in (Decision, Outcome, Vote):
            yield from chunks_of(belonging._default_manager.filter(alert__in=keys))
        yield Alert.objects.filter(pk__in=keys)
    yield from chunks_of(Delivery.objects.filter(alert=None, about=None, queued_at__lt=before))
    yield from chunks_of(MarketMove.objects.filter(opened_at__lt=before, alerts=None, over=True))
