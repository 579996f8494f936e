"""How does a chat choose what it gets?"""

from subscribers import services
from subscribers.bot import texts
from subscribers.bot.looking import recent_lines
from subscribers.bot.screen import Asked, Command, Reply
from subscribers.selectors import choices_of

WELCOME_ALERTS = 3


def start(asked: Asked) -> Reply:
    """Subscribe the chat, say to what, and show the last alerts."""
    subscriber = services.subscribe_chat(asked.chat.id, asked.chat.type, asked.chat.title)
    return Reply(texts.welcome(choices_of(subscriber), recent_lines(WELCOME_ALERTS, asked.now)))


def stop(asked: Asked) -> Reply:
    """No more alerts in this chat."""
    return Reply(texts.STOPPED if services.unsubscribe_chat(asked.chat.id) else texts.NOT_SUBSCRIBED)


COMMANDS = (
    Command("start", start, "get alerts in this chat", changes=True, admins=True),
    Command("stop", stop, "no more alerts in this chat", changes=True, admins=True),
)
