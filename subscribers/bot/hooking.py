"""How does a person have alerts sent to a program of theirs? The command /webhook."""

from django.conf import settings

from alerts.channels.addresses import Forbidden, checked_url
from subscribers import webhooks
from subscribers.bot import texts, texts_hooking
from subscribers.bot.chats import subscriber_of
from subscribers.bot.clock import Clock
from subscribers.bot.screen import Asked, Command, Reply
from subscribers.models import Webhook


def webhook(asked: Asked) -> Reply:
    """Show, set or forget the chat's webhook; in private, as the answer holds a secret."""
    if not asked.chat.private:
        return Reply(texts_hooking.PRIVATE_ONLY)
    subscriber = subscriber_of(asked.chat)
    if subscriber is None or not subscriber.active:
        return Reply(texts.NOT_SUBSCRIBED)
    if not asked.args:
        hook = Webhook.objects.filter(owner=subscriber).select_related("subscriber").first()
        return Reply(texts_hooking.state(hook, Clock.of(subscriber, asked.now)))
    if asked.args.lower() in ("off", "stop", "delete"):
        return Reply(texts_hooking.OFF if webhooks.disconnect(subscriber) else texts_hooking.NONE)
    try:
        url = checked_url(asked.args, allow_private=settings.WEBHOOK_ALLOW_PRIVATE)
    except Forbidden as error:
        return Reply(texts_hooking.refused(str(error)))
    return Reply(texts_hooking.connected(webhooks.connect(subscriber, url, asked.now)))


COMMANDS = (Command("webhook", webhook, "send my alerts to a program too: /webhook https://...", changes=True, admins=True),)
