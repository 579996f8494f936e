"""What does the bot wait for? An answer that somebody types; kept in the database, so that a restart loses no conversation."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from subscribers.bot.screen import Answer, Asked, Reply
from subscribers.models import Dialogue

KEPT = timedelta(days=1)  # an answer that comes later is no answer to this question


def ask(asked: Asked, name: str, data: Mapping[str, Any] | None = None, message_id: int | None = None) -> None:
    """From now on what this person types in this chat is the answer to the question `name` of the table of dialogues.

    `data` (JSON) comes back with it as `Asked.data`; so does `message_id`, the bot's message that is edited in place. The question before is
    forgotten. In a group the bot sees only replies to its messages: say so in the question.
    """
    Dialogue.objects.filter(changed_at__lte=asked.now - KEPT).delete()
    kept = {"name": name, "data": dict(data or {}), "message_id": message_id}
    Dialogue.objects.update_or_create(chat_id=asked.chat.id, user_id=asked.person, defaults=kept)


def answered(asked: Asked, dialogues: Mapping[str, Answer]) -> Reply | None:
    """The reply to a typed answer; None when nothing was asked. The dialogue is over then, unless its function asks again.

    One transaction: when the process dies in it, the update comes again and finds the question still open.
    """
    question = waiting(asked.chat.id, asked.person, asked.now)
    if question is None or question.name not in dialogues:
        return None
    with transaction.atomic():
        Dialogue.objects.filter(pk=question.pk).delete()
        return dialogues[question.name](replace(asked, data=question.data, message_id=question.message_id))


def waiting(chat_id: int, person: int, now: datetime) -> Dialogue | None:
    """The question that this person was asked in this chat, for a day."""
    return Dialogue.objects.filter(chat_id=chat_id, user_id=person, changed_at__gt=now - KEPT).first()
