"""What does the bot say of webhooks? Telegram's HTML; values are escaped here."""

from html import escape

from subscribers.bot.clock import Clock
from subscribers.models import Webhook

PRIVATE_ONLY = "Webhooks are set up in a private chat with me: the answer holds a secret."
HOW = "<code>/webhook https://example.com/alerts</code> sends this chat's alerts there as well."
NONE = "This chat has no webhook. <code>/webhook https://example.com/alerts</code> sends its alerts there as well."
OFF = "Done: nothing is sent to your webhook any more."


def refused(why: str) -> str:
    """An address that will not do."""
    return f"That address is not taken: {escape(why)}.\n{HOW}"


def connected(hook: Webhook) -> str:
    """The answer that shows the secret, once."""
    return (
        f"Your alerts go to <code>{escape(hook.url)}</code> as well, as JSON, also while this chat is muted or quiet.\n\n"
        f"Each request is signed with this secret, which is shown only now:\n<code>{escape(hook.secret)}</code>\n\n"
        "/webhook shows how it is doing, <code>/webhook off</code> ends it."
    )


def state(hook: Webhook | None, clock: Clock) -> str:
    """How the chat's webhook is doing."""
    if hook is None:
        return NONE
    lines = [f"Webhook: <code>{escape(hook.url)}</code>"]
    if not hook.subscriber.active:
        lines.append(f"Off: {escape(hook.subscriber.deactivated_reason)}")
    elif hook.failing_since is not None:
        lines.append(f"Failing since {clock.minutes(hook.failing_since)}: {escape(hook.last_error)}")
    lines.append(f"Last taken: {clock.minutes(hook.last_success_at)}" if hook.last_success_at else "Nothing was taken yet.")
    return "\n".join(lines)
