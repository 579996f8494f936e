"""How does a chat pause or go, and what is kept of it? /stop, /delete and /export."""

from django.db import transaction
from django.db.models import Q

from alerts.models import Vote
from subscribers import services
from subscribers.bot import texts, texts_leaving
from subscribers.bot.chats import subscribed, tapped
from subscribers.bot.export import export_of
from subscribers.bot.screen import Asked, Button, Chat, Command, Document, Reply
from subscribers.models import Dialogue, Subscriber

KEEP = "no"


def stop(asked: Asked) -> Reply:
    """No more alerts in this chat, until /start."""
    return Reply(texts_leaving.STOPPED if services.unsubscribe_chat(asked.chat.id) else texts.NOT_SUBSCRIBED)


@subscribed
def delete(_: Asked, subscriber: Subscriber) -> Reply:
    """Ask once whether all shall be deleted. The button names the subscriber: an old one deletes nothing of who came back."""
    return Reply(texts_leaving.SURE, [[(texts_leaving.DELETE, f"d:{subscriber.pk}")], [(texts_leaving.KEEP, f"d:{KEEP}")]])


@tapped
def deleted(asked: Asked, subscriber: Subscriber) -> Reply:
    """Delete all that is kept of the chat, or nothing."""
    if asked.args == KEEP:
        return Reply(texts_leaving.KEPT, edit=True)
    if int(asked.args) != subscriber.pk:
        raise ValueError(asked.args)
    forget(asked.chat, subscriber)
    return Reply(texts_leaving.DELETED, edit=True)


@subscribed
def export(asked: Asked, subscriber: Subscriber) -> Reply:
    """All that is kept of the chat, as a file."""
    return Reply(texts_leaving.EXPORT, document=Document(f"alerts-{asked.chat.id}-{asked.now:%Y-%m-%d}.json", export_of(subscriber, asked.now)))


@transaction.atomic
def forget(chat: Chat, subscriber: Subscriber) -> None:
    """Delete the subscriber with its choices, mutes, changes, deliveries and votes, and what the bot waited for; of a person also what they did in groups."""
    of_chat = Q(chat_id=chat.id)
    Dialogue.objects.filter(of_chat | Q(user_id=chat.id) if chat.private else of_chat).delete()
    if chat.private:
        Vote.objects.filter(user_id=chat.id).delete()
    services.forget(subscriber)


COMMANDS = (
    Command("stop", stop, "pause: no more alerts in this chat until /start", changes=True, admins=True),
    Command("export", export, "all that is kept of this chat, as JSON", admins=True),
    Command("delete", delete, "delete all that is kept of this chat", admins=True),
)
BUTTONS = (Button("d", deleted),)
