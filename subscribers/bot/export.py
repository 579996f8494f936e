"""What is kept of a chat? All of it as one JSON document."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, Q

from alerts.models import Delivery, Vote
from subscribers import snapshots
from subscribers.models import Dialogue, Subscriber
from subscribers.selectors import preferences_of

FORMAT = "alertsystem.export"
OURS = {"live", "revision", "attempts", "unknown_outcomes", "claimed_at"}  # how a message was sent, not what was


def export_of(subscriber: Subscriber, now: datetime) -> bytes:
    """The document. A person's own chat has the votes and open questions of this person in groups as well."""
    person = Q(user_id=subscriber.chat_id) if subscriber.chat_type == "private" else Q(pk__in=[])
    document = {
        "format": FORMAT,
        "version": 1,
        "exported_at": now,
        "chat": {name: getattr(subscriber, name) for name in ("chat_id", "chat_type", "title", "created_at", "changed_at", "deactivated_reason", "charts")},
        "preferences": snapshots.as_json(preferences_of(subscriber)),
        "changes": list(subscriber.changes.order_by("at", "pk").values("at", "wanted")),
        "votes": list(Vote.objects.filter(Q(subscriber=subscriber) | person).order_by("at").values("alert_id", "user_id", "useful", "at")),
        "open_questions": list(_open_questions(Q(chat_id=subscriber.chat_id) | person)),
        "webhooks": list(subscriber.webhooks.values("url", "failing_since", "last_success_at", "last_error")),
        "messages": list(_messages(subscriber)),
    }
    return json.dumps(document, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1).encode()


def _open_questions(whose: Q) -> Iterable[Mapping[str, Any]]:
    """What the bot waits for."""
    return Dialogue.objects.filter(whose, answered_by=None).values("chat_id", "user_id", "name", "data", "changed_at")


def _messages(subscriber: Subscriber) -> Iterator[dict[str, Any]]:
    """The record of the chat's messages, without what is empty."""
    for delivery in Delivery.objects.filter(subscriber=subscriber).select_related("alert").order_by("pk").iterator(chunk_size=2000):
        about = {"alert": str(delivery.alert)} if delivery.alert is not None else {}
        yield about | {name: value for name, value in _fields(delivery) if value not in (None, "") and name not in OURS}


def _fields(row: Model) -> Iterator[tuple[str, Any]]:
    for field in row._meta.concrete_fields:
        if field.name != "subscriber":
            yield field.attname, field.value_from_object(row)
