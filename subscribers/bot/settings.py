"""What can be changed, and how? /settings: one message, edited in place as its buttons are tapped; kinds, assets, severities and directions here."""

from dataclasses import replace

from monitors.market import Direction, Kind
from subscribers import choices as changes
from subscribers import services
from subscribers.bot import dialogues, texts
from subscribers.bot import texts_settings as say
from subscribers.bot.assets import asset_named
from subscribers.bot.chats import subscribed, tapped
from subscribers.bot.clock import Clock
from subscribers.bot.expected import count
from subscribers.bot.guided import LARGEST
from subscribers.bot.screen import Asked, Button, Command, Reply, Row
from subscribers.bot.words import LETTER, asset_of, kind_of
from subscribers.models import Subscriber
from subscribers.preferences import OFF, Choice, Preferences
from subscribers.selectors import preferences_of
from subscribers.wording import PLURALS, counting

MOST_ASSETS = 24  # buttons of assets on a screen
IN_A_ROW = 3
TO_SETTINGS: Row = [(texts.TO_SETTINGS, "s")]


@subscribed
def settings(asked: Asked, subscriber: Subscriber) -> Reply:
    """All settings, with buttons to what can be changed."""
    return main(asked, subscriber)


def main(asked: Asked, subscriber: Subscriber) -> Reply:
    """The first screen."""
    fresh = Subscriber.objects.get(pk=subscriber.pk)
    preferences, clock = preferences_of(fresh), Clock.of(fresh, asked.now)
    buttons: list[Row] = [
        *_rows([(PLURALS[kind].capitalize(), f"sk:{LETTER[kind]}") for kind in Kind], 2),
        [
            (say.switched(say.CONFIRMED_ONLY, preferences.confirmed_only), f"so:{int(not preferences.confirmed_only)}"),
            (say.switched(say.CHARTS, fresh.charts), f"sc:{int(not fresh.charts)}"),
        ],
        [(say.QUIET, "q"), (say.ZONE, "z")],
        [(say.THRESHOLDS, "t"), (say.MUTES, "u")],
        [(say.CLOSE, "sx")],
    ]
    return Reply(say.main(fresh, preferences, clock), buttons)


@tapped
def show(asked: Asked, subscriber: Subscriber) -> Reply:
    """The first screen in the place of another one."""
    return replace(main(asked, subscriber), edit=True)


@tapped
def close(_: Asked, __: Subscriber) -> Reply:
    """No buttons any more."""
    return Reply(say.DONE, edit=True)


@tapped
def show_kind(asked: Asked, subscriber: Subscriber) -> Reply:
    """The assets of one kind."""
    kind = kind_of(asked)
    choices = preferences_of(subscriber).choices
    own = sorted({asset for of_kind, asset in choices if of_kind is kind and asset} - set(LARGEST))
    assets = [*LARGEST, *own][:MOST_ASSETS]
    labels = [(say.choice_label(asset, kind, counting(choices, kind, asset)), f"sa:{LETTER[kind]}:{asset}") for asset in assets]
    others = (say.choice_label("", kind, counting(choices, kind, "")), f"sa:{LETTER[kind]}:")
    return Reply(say.kind(kind), [*_rows(labels, 2), [others], [(say.ANOTHER_ASSET, f"si:{LETTER[kind]}")], TO_SETTINGS], edit=True)


@tapped
def show_asset(asked: Asked, subscriber: Subscriber) -> Reply:
    """What is wanted of one kind and asset."""
    return _asset_screen(asked, subscriber, kind_of(asked), asset_of(asked))


@tapped
def set_lowest(asked: Asked, subscriber: Subscriber) -> Reply:
    """From this severity on, or off."""
    kind, asset, lowest = kind_of(asked), asset_of(asked), int(asked.parts[2])
    if lowest not in say.SEVERITY_LABELS:
        raise ValueError(lowest)
    return _change(asked, subscriber, kind, asset, changes.with_lowest(preferences_of(subscriber), kind, asset, lowest))


@tapped
def set_direction(asked: Asked, subscriber: Subscriber) -> Reply:
    """One direction only, or both."""
    kind, asset, direction = kind_of(asked), asset_of(asked), Direction(asked.parts[2])
    if direction not in say.direction_labels(kind):
        raise ValueError(direction)
    return _change(asked, subscriber, kind, asset, changes.with_direction(preferences_of(subscriber), kind, asset, direction))


@tapped
def forget_own(asked: Asked, subscriber: Subscriber) -> Reply:
    """What counts for all others counts for this asset as well."""
    return _change(asked, subscriber, kind_of(asked), asset_of(asked), None)


@tapped
def ask_asset(asked: Asked, _: Subscriber) -> Reply:
    """Which other asset?"""
    kind = kind_of(asked)
    dialogues.ask(asked, "asset", {"kind": kind.value}, asked.message_id)
    return Reply(say.ASK_ASSET + ("" if asked.chat.private else texts.REPLY_HERE))


@subscribed
def asset_typed(asked: Asked, subscriber: Subscriber) -> Reply:
    """The screen of the asset that was typed, as a new message: it stands below the answer."""
    kind = Kind(asked.data["kind"])
    try:
        asset = asset_named(asked.args)
    except ValueError as problem:
        dialogues.ask(asked, "asset", asked.data, asked.message_id)
        return Reply(texts.try_again(str(problem)))
    return replace(_asset_screen(asked, subscriber, kind, asset), edit=False)


@tapped
def set_confirmed_only(asked: Asked, subscriber: Subscriber) -> Reply:
    """Whether unconfirmed alerts are unwanted."""
    services.set_confirmed_only(subscriber, bool(int(asked.args)), asked.now)
    return replace(main(asked, subscriber), edit=True)


@tapped
def set_charts(asked: Asked, subscriber: Subscriber) -> Reply:
    """Whether charts follow alerts."""
    services.set_charts(subscriber, bool(int(asked.args)), asked.now)
    return replace(main(asked, subscriber), edit=True)


def _change(asked: Asked, subscriber: Subscriber, kind: Kind, asset: str, choice: Choice | None) -> Reply:
    try:
        services.choose(subscriber, kind, asset, choice, asked.now)
    except services.TooMany as problem:
        return Reply(toast=texts.too_many(problem))
    return _asset_screen(asked, subscriber, kind, asset)


def _asset_screen(asked: Asked, subscriber: Subscriber, kind: Kind, asset: str) -> Reply:
    preferences = preferences_of(subscriber)
    own, counts, key = preferences.choices.get((kind, asset)), counting(preferences.choices, kind, asset), f"{LETTER[kind]}:{asset}"
    lowest = counts.lowest_severity if counts.custom_threshold is None else None
    severities = [(say.ticked(label, value == lowest), f"sl:{key}:{value}") for value, label in say.SEVERITY_LABELS.items()]
    directions = [(say.ticked(label, value == counts.direction), f"sd:{key}:{value}") for value, label in say.direction_labels(kind).items()]
    as_others = [(say.AS_OTHERS, f"sn:{key}")] if own is not None and asset else []
    buttons: list[Row] = [*_rows(severities, IN_A_ROW), directions, [(say.OWN_THRESHOLD, f"ti:{key}"), *as_others], [(texts.BACK, f"sk:{LETTER[kind]}")]]
    return Reply(say.asset(kind, asset, own, counts, _count(asked, preferences, kind, asset, counts)), buttons, edit=True)


def _count(asked: Asked, preferences: Preferences, kind: Kind, asset: str, counts: Choice) -> int:
    """How many alerts this one choice brought in the last 7 days; for all others, those of assets with a choice of their own left out."""
    own = {key: Choice(OFF) for key in preferences.choices if not asset and key[0] is kind and key[1]}
    return count(replace(preferences, choices={**own, (kind, asset): counts}), asked.now)


def _rows(buttons: list[tuple[str, str]], size: int) -> list[Row]:
    return [buttons[first : first + size] for first in range(0, len(buttons), size)]


COMMANDS = (Command("settings", settings, "all settings of this chat, with buttons", admins=True),)
BUTTONS = (
    Button("s", show, changes=False),
    Button("sx", close, changes=False),
    Button("sk", show_kind, changes=False),
    Button("sa", show_asset, changes=False),
    Button("si", ask_asset),
    Button("sl", set_lowest),
    Button("sd", set_direction),
    Button("sn", forget_own),
    Button("so", set_confirmed_only),
    Button("sc", set_charts),
)
DIALOGUES = {"asset": asset_typed}
