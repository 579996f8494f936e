"""Who is the subscriber behind a chat? Answers that are for subscribers only are given them."""

from collections.abc import Callable
from functools import wraps

from subscribers.bot import texts
from subscribers.bot.screen import Answer, Asked, Chat, Reply
from subscribers.models import Subscriber

ForSubscriber = Callable[[Asked, Subscriber], Reply]


def subscriber_of(chat: Chat) -> Subscriber | None:
    """The chat's subscriber, also one that is stopped; None for a chat that never subscribed."""
    return Subscriber.objects.filter(channel=Subscriber.Channel.TELEGRAM, chat_id=chat.id).first()


def subscribed(answer: ForSubscriber) -> Answer:
    """The answer to a command or to something typed, for chats that have subscribed at some time."""

    @wraps(answer)
    def answered(asked: Asked) -> Reply:
        subscriber = subscriber_of(asked.chat)
        return Reply(texts.NOT_SUBSCRIBED) if subscriber is None else answer(asked, subscriber)

    return answered


def tapped(answer: ForSubscriber) -> Answer:
    """The same for a button. Data that `answer` cannot read (LookupError, ValueError) come from a button of old, or from somebody who made them up."""

    @wraps(answer)
    def answered(asked: Asked) -> Reply:
        subscriber = subscriber_of(asked.chat)
        if subscriber is None:
            return Reply(toast=texts.NOT_SUBSCRIBED)
        try:
            return answer(asked, subscriber)
        except (LookupError, ValueError):
            return Reply(toast=texts.OLD_BUTTON)

    return answered
