"""What can the bot be asked? The tables of commands, buttons and dialogues, collected from the modules of its screens.

A screen is a module beside this one, of functions `(Asked) -> Reply` that work from the database only. It lists its commands in
`COMMANDS`, its buttons in `BUTTONS` and what is typed (`dialogues.ask`) in `DIALOGUES`; its sentences lie in texts*.py.
Add it to the three tables here: handlers, /help and Telegram's own menu follow from them. Each runs in the database's thread; what an
answer changes is committed before it is sent, and a tap may come twice: let a button's data say what shall be ("m:17:8"), not "the opposite of now".
"""

from subscribers.bot import browsing, dialogues, hooking, leaving, looking, missing, muting, quiet, reacting, settings, starting, status, texts, thresholds
from subscribers.bot.chats import subscriber_of
from subscribers.bot.screen import Answer, Asked, Button, Command, Reply


def help_(_: Asked) -> Reply:
    """All commands."""
    return Reply(texts.help_text(help_lines()))


def hello(asked: Asked) -> Reply:
    """The bot was added to a group; one that was subscribed before it became a supergroup knows it."""
    subscriber = subscriber_of(asked.chat)
    return Reply() if subscriber is not None and subscriber.active else Reply(texts.GROUP_HELLO)


def typed(asked: Asked) -> Reply:
    """What is no command is the answer that a dialogue waits for; else it gets help, and nothing in a group where people talk to each other."""
    reply = dialogues.answered(asked, DIALOGUES)
    if reply is not None:
        return reply
    meant_for_us = asked.chat.private or asked.args.startswith("/")
    return Reply(texts.help_text(help_lines(), unknown=True)) if meant_for_us else Reply()


COMMANDS: tuple[Command, ...] = (
    *starting.COMMANDS,
    *settings.COMMANDS,
    *thresholds.COMMANDS,
    *muting.COMMANDS,
    *quiet.COMMANDS,
    *browsing.COMMANDS,
    *looking.COMMANDS,
    *missing.COMMANDS,
    *status.COMMANDS,
    *hooking.COMMANDS,
    *leaving.COMMANDS,
    Command("help", help_, "this page"),
)
BUTTONS: tuple[Button, ...] = (
    *starting.BUTTONS,
    *settings.BUTTONS,
    *thresholds.BUTTONS,
    *muting.BUTTONS,
    *quiet.BUTTONS,
    *browsing.BUTTONS,
    *looking.BUTTONS,
    *reacting.BUTTONS,
    *leaving.BUTTONS,
)
DIALOGUES: dict[str, Answer] = {**settings.DIALOGUES, **thresholds.DIALOGUES, **quiet.DIALOGUES}

COMMAND = {command.name: command for command in COMMANDS}
BUTTON = {button.name: button for button in BUTTONS}
TYPED = Command("", typed, "", changes=True, admins=True)


def help_lines() -> list[tuple[str, str]]:
    """Names and help lines, for /help."""
    return [(command.name, command.help) for command in COMMANDS]


def menu(*, for_all: bool) -> list[tuple[str, str]]:
    """Names and help lines for Telegram's own menu: all of them, or those that anybody in a group may use."""
    return [(command.name, command.help) for command in COMMANDS if for_all or not command.admins]
