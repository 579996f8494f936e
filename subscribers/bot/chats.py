"""Who is the subscriber behind a chat?"""

from subscribers.bot.screen import Chat
from subscribers.models import Subscriber


def subscriber_of(chat: Chat) -> Subscriber | None:
    """The chat's subscriber, also one that is stopped; None for a chat that never subscribed."""
    return Subscriber.objects.filter(channel=Subscriber.Channel.TELEGRAM, chat_id=chat.id).first()
