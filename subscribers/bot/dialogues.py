"""What does the bot wait for? An answer that somebody types; kept in the database, so that a restart loses no conversation."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from subscribers.bot import texts
from subscribers.bot.screen import Answer, Asked, Reply
from subscribers.models import Dialogue

KEPT = timedelta(days=1)  # an answer that comes later is no answer to this question
CANCEL, CANCELLED = "cancel", "Nothing was changed."


def ask(asked: Asked, name: str, data: Mapping[str, Any] | None = None, message_id: int | None = None) -> None:
    """From now on what this person types in this chat is the answer to the question `name` of the table of dialogues.

    `data` (JSON) comes back with it as `Asked.data`; so does `message_id`, the bot's message that is edited in place. The question before is
    forgotten. In a group or channel only replies are answers: say so in the question.
    """
    Dialogue.objects.filter(changed_at__lte=asked.now - KEPT).delete()
    kept = {"name": name, "data": dict(data or {}), "message_id": message_id, "answered_by": None}
    Dialogue.objects.update_or_create(chat_id=asked.chat.id, user_id=asked.person, defaults=kept)


def answered(asked: Asked, dialogues: Mapping[str, Answer]) -> Reply | None:
    """The reply to a typed answer; None when nothing was asked. The dialogue is over then, unless its function asks again.

    One transaction: when the process dies in it, the update comes again and finds the question still open. When it dies just after it, the
    update comes again as well, and is the same answer once more: it says what shall be.
    """
    question = waiting(asked)
    if question is None or question.name not in dialogues:
        return None
    if not asked.args:  # a picture, a sticker
        return Reply(texts.try_again("I can read words only."))
    with transaction.atomic():
        Dialogue.objects.filter(pk=question.pk).update(answered_by=asked.update)
        if asked.args.lower().removeprefix("/") == CANCEL:
            return Reply(CANCELLED)
        return dialogues[question.name](replace(asked, data=question.data, message_id=question.message_id))


def waiting(asked: Asked) -> Dialogue | None:
    """The question that this person was asked in this chat, for a day; not one that another update has answered.

    Who writes as the chat itself (an anonymous admin, a channel's post) may have been asked by name, after a tap.
    """
    unanswered = Q(answered_by=None) | Q(answered_by=asked.update)
    whose = Q(chat_id=asked.chat.id) if asked.person == asked.chat.id else Q(chat_id=asked.chat.id, user_id=asked.person)
    return Dialogue.objects.filter(unanswered, whose, changed_at__gt=asked.now - KEPT).order_by("-changed_at").first()
