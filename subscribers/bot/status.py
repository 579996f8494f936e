"""Is all well? /status: feeds, the last alert, and what this chat gets."""

from django.conf import settings

from monitors.feeds import feed_states
from subscribers.bot import texts
from subscribers.bot.chats import subscriber_of
from subscribers.bot.looking import recent_lines
from subscribers.bot.screen import Asked, Command, Reply
from subscribers.selectors import choices_of


def status(asked: Asked) -> Reply:
    """Do the feeds see the market, what was the last alert, what does this chat get?"""
    subscriber = subscriber_of(asked.chat)
    wanted = choices_of(subscriber) if subscriber is not None and subscriber.active else None
    last = recent_lines(1, asked.now)
    return Reply(texts.status(feed_states(asked.now, settings.VENUES), last[0] if last else None, wanted))


COMMANDS = (Command("status", status, "are the feeds alive, when was the last alert, what does this chat get"),)
