"""How does a webhook come and go? As a subscriber of its own, a chat's or the operator's."""

import secrets
from datetime import datetime

from django.db import transaction

from subscribers import services
from subscribers.models import Subscriber, Webhook


def new_secret() -> str:
    """A key for signatures."""
    return secrets.token_hex(32)


@transaction.atomic
def connect(owner: Subscriber, url: str, now: datetime) -> Webhook:
    """Send what the chat wants to this (checked) address too; in place of its former one, with a new secret."""
    disconnect(owner)
    hook = Webhook.objects.create(subscriber=_subscriber(f"webhook of {owner}"[:255]), owner=owner, url=url, secret=new_secret())
    services.record_change(owner, now)  # copies the choices
    services.record_change(hook.subscriber, now)
    return hook


@transaction.atomic
def connect_operator(hook: Webhook, title: str, now: datetime) -> None:
    """Make an operator's new webhook: every kind, any asset, from LOW, as the console; its choices can be changed."""
    hook.subscriber, hook.secret = _subscriber(title), new_secret()
    hook.save()
    services.replace_choices(hook.subscriber, services.EVERYTHING, now)


def disconnect(owner: Subscriber) -> bool:
    """Forget the chat's webhook with all that was kept of it; False when it had none."""
    hook = Webhook.objects.filter(owner=owner).select_related("subscriber").first()
    if hook is None:
        return False
    services.forget(hook.subscriber)
    return True


def _subscriber(title: str) -> Subscriber:
    return Subscriber.objects.create(channel=Subscriber.Channel.WEBHOOK, chat_type="webhook", title=title, capped=False, charts=False)
