"""Which thresholds of one's own? /set BTC cascade 2M, what that will mean, and the settings' list of them."""

from dataclasses import replace
from decimal import Decimal

from alerts.previews import preview
from monitors import selectors
from monitors.market import UNIT_OF_KIND, Kind, Unit
from monitors.thresholds import Severity
from subscribers import choices as changes
from subscribers import services, typed
from subscribers.bot import dialogues, texts
from subscribers.bot import texts_thresholds as say
from subscribers.bot.assets import asset_named
from subscribers.bot.chats import subscribed, tapped
from subscribers.bot.clock import Clock
from subscribers.bot.screen import Asked, Button, Command, Reply, Row
from subscribers.bot.words import LETTER, asset_of, kind_of
from subscribers.models import Subscriber
from subscribers.preferences import OFF, Choice
from subscribers.selectors import preferences_of
from subscribers.wording import counting

DEFAULT = "default"
LOWEST = {"off": OFF, **{severity.name.lower(): severity.value for severity in Severity if severity}}  # may be typed instead of an amount
WHICH_ASSET = "Which asset? Write all for any."
DUST = Decimal("0.01")  # of LOW: smaller liquidations do not count as events of a cascade either


@subscribed
def set_(asked: Asked, subscriber: Subscriber) -> Reply:
    """Set a threshold, or take it back with "default"; say what that will mean. Without words show them all."""
    if not asked.args:
        return thresholds_screen(subscriber)
    try:
        kind, asset, amount = read(asked.args)
        if not amount:
            return _ask(asked, kind, asset)
        return _set(asked, subscriber, kind, asset, amount)
    except ValueError as problem:
        return Reply(say.not_understood(str(problem)))


def read(text: str) -> tuple[Kind, str, str]:
    """The kind, the asset ("" any) and the amount as it was typed ("" for none); ValueError says what is not understood."""
    kind, words = typed.kind_of(text.split())
    if kind is None:
        raise ValueError("Which kind: liquidation, cascade, oi or volume?")
    if not words:
        raise ValueError(WHICH_ASSET)
    name, *amount = words
    if name.lower() in (*typed.EVERY, *typed.OTHERS):
        return kind, "", " ".join(amount)
    if not amount and typed.looks_like_threshold(kind, name):
        raise ValueError(WHICH_ASSET)
    return kind, asset_named(name), " ".join(amount)


def thresholds_screen(subscriber: Subscriber) -> Reply:
    """Every threshold of one's own, each with a button that takes it back."""
    rows: list[Row] = [
        [(say.threshold_label(kind, asset, choice), f"t:{LETTER[kind]}:{asset}")]
        for (kind, asset), choice in sorted(preferences_of(subscriber).choices.items())
        if choice.custom_threshold is not None
    ]
    return Reply(say.thresholds(len(rows)), [*rows[: say.MOST], [(texts.TO_SETTINGS, "s")]])


@tapped
def show(asked: Asked, subscriber: Subscriber) -> Reply:
    """The thresholds in the place of another screen; with a kind and asset, that one is taken back first."""
    if asked.args:
        kind, asset = kind_of(asked), asset_of(asked)
        services.choose(subscriber, kind, asset, changes.without_threshold(preferences_of(subscriber), kind, asset), asked.now)
    return replace(thresholds_screen(subscriber), edit=True)


@tapped
def take_back(asked: Asked, subscriber: Subscriber) -> Reply:
    """Under the answer to /set: the lowest severity counts again."""
    return replace(_set(asked, subscriber, kind_of(asked), asset_of(asked), DEFAULT), edit=True)


@tapped
def ask(asked: Asked, _: Subscriber) -> Reply:
    """Which threshold?"""
    return _ask(asked, kind_of(asked), asset_of(asked))


@subscribed
def amount_typed(asked: Asked, subscriber: Subscriber) -> Reply:
    """The threshold that was typed."""
    kind, asset = Kind(asked.data["kind"]), str(asked.data["asset"])
    try:
        return _set(asked, subscriber, kind, asset, asked.args)
    except ValueError as problem:
        dialogues.ask(asked, "threshold", asked.data)
        return Reply(texts.try_again(str(problem)))


def _ask(asked: Asked, kind: Kind, asset: str) -> Reply:
    dialogues.ask(asked, "threshold", {"kind": kind.value, "asset": asset})
    return Reply(say.ask(kind, asset, private=asked.chat.private))


def _set(asked: Asked, subscriber: Subscriber, kind: Kind, asset: str, amount: str) -> Reply:
    """Set what was typed and say what it will mean; ValueError when it is no amount."""
    before = preferences_of(subscriber)
    own = before.choices.get((kind, asset))
    choice: Choice | None
    if (lowest := LOWEST.get(amount.lower())) is not None:
        choice = changes.with_lowest(before, kind, asset, lowest)
    elif amount.lower() in (DEFAULT, *typed.NONE):
        if own is None or own.custom_threshold is None:
            return Reply(say.no_threshold(kind, asset, counting(before.choices, kind, asset)))
        choice = changes.without_threshold(before, kind, asset)
    else:
        choice = changes.with_threshold(before, kind, asset, _amount(kind, asset, amount))
    expected = preview(subscriber, kind, asset, choice, asked.now)  # before the change: it may lower the floor
    try:
        services.choose(subscriber, kind, asset, choice, asked.now)
    except services.TooMany as problem:
        return Reply(texts.too_many(problem))
    change = say.Change(kind, asset, before, changes.after(before, kind, asset, choice), expected)
    return Reply(_said(asked, subscriber, change), _buttons(kind, asset, choice))


def _amount(kind: Kind, asset: str, amount: str) -> Decimal:
    """The threshold; one in dollars may not be dust beside the system's LOW."""
    value, rule = typed.threshold(kind, amount), selectors.rulebook_of(asset).rule(kind, asset)
    if rule is not None and UNIT_OF_KIND[kind] is Unit.USD and value < rule.low * DUST:
        raise ValueError(say.dust(kind, asset, rule.low * DUST))
    return value


def _said(asked: Asked, subscriber: Subscriber, change: say.Change) -> str:
    """What was changed and what that will mean."""
    watched = selectors.watched_assets() if UNIT_OF_KIND[change.kind] is Unit.USD else selectors.scanned_assets()
    return say.changed(change, Clock.of(subscriber, asked.now), paused=not subscriber.active, watched=not change.asset or change.asset in watched)


def _buttons(kind: Kind, asset: str, choice: Choice | None) -> list[Row]:
    taking_back: list[Row] = [[(say.TAKE_BACK, f"tb:{LETTER[kind]}:{asset}")]] if choice is not None and choice.custom_threshold is not None else []
    return [*taking_back, [(texts.ALL_SETTINGS, "s")]]


COMMANDS = (
    Command(
        "set", set_, "thresholds of your own: /set BTC cascade 2M, /set SOL oi 4%, /set all cascade 500k, /set BTC cascade default", changes=True, admins=True
    ),
)
BUTTONS = (Button("t", show), Button("tb", take_back), Button("ti", ask))
DIALOGUES = {"threshold": amount_typed}
