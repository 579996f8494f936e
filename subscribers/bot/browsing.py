"""Which alerts came lately? /recent: filters in any order, pages turned by buttons."""

from collections.abc import Sequence
from dataclasses import replace

from alerts import recent
from alerts.recent import Filter, Page
from monitors.rule_checks import normal_asset
from monitors.thresholds import Severity
from subscribers.bot import texts, texts_recent
from subscribers.bot.assets import any_asset
from subscribers.bot.chats import subscriber_of
from subscribers.bot.clock import Clock
from subscribers.bot.screen import Asked, Button, Command, Reply, Row
from subscribers.bot.words import KIND_OF_LETTER, LETTER
from subscribers.models import Subscriber
from subscribers.typed import kind_of

ALL, MINE = "a", "m"
NEWEST, OLDER, NEWER = "", "o", "n"


def recent_(asked: Asked) -> Reply:
    """The newest alerts that the words ask for."""
    subscriber = subscriber_of(asked.chat)
    try:
        which, mine = read_filter(asked.args.split())
    except ValueError as problem:
        return Reply(texts_recent.not_understood(str(problem)))
    if mine and subscriber is None:
        return Reply(texts.NOT_SUBSCRIBED)
    return _page(asked, subscriber, which, mine, NEWEST)


def turn(asked: Asked) -> Reply:
    """Another page, or the other set of alerts, in the place of this one."""
    try:
        edge, letters, asset = asked.args.split(":", 2)
        which = Filter(normal_asset(asset), KIND_OF_LETTER[letters[0]], Severity(int(letters[1])))
        subscriber = subscriber_of(asked.chat)
        return replace(_page(asked, subscriber, which, letters[2] == MINE and subscriber is not None, edge), edit=True)
    except (LookupError, ValueError):  # made up, or from before a change
        return Reply(toast=texts.OLD_BUTTON)


def read_filter(words: Sequence[str]) -> tuple[Filter, bool]:
    """The filter that words in any order make, and whether only this chat's alerts are wanted; ValueError says what is not understood.

    A severity's name that comes again is an asset: there is one called HIGH.
    """
    kind, rest = kind_of(words)
    which, mine, loud = Filter(kind=kind), False, False
    for word in rest:
        if word.lower() in ("mine", "all"):
            mine = word.lower() == "mine"
        elif word.upper() in Severity.__members__ and not loud:
            which, loud = replace(which, lowest=Severity[word.upper()]), True
        elif which.asset:
            raise ValueError(f"One asset at a time: {which.asset} or {word[:20]}.")
        else:
            which = replace(which, asset=any_asset(word))
    return which, mine


def _page(asked: Asked, subscriber: Subscriber | None, which: Filter, mine: bool, edge: str) -> Reply:
    filtered = replace(which, subscriber=subscriber if mine else None)
    match edge[:1]:
        case "o":
            page = recent.older_than(int(edge[1:]), filtered)
        case "n":
            page = recent.newer_than(int(edge[1:]), filtered)
        case _:
            page = recent.newest(filtered)
    return Reply(texts_recent.page(page.alerts, which, mine=mine, clock=Clock.of(subscriber, asked.now)), _keyboard(page, subscriber, which, mine))


def _keyboard(page: Page, subscriber: Subscriber | None, which: Filter, mine: bool) -> list[Row]:
    turning = []
    if page.newer:
        turning.append((texts_recent.NEWER, _data(f"{NEWER}{page.alerts[0].pk}", which, mine)))
    if page.older:
        turning.append((texts_recent.OLDER, _data(f"{OLDER}{page.alerts[-1].pk}", which, mine)))
    rows: list[Row] = [turning] if turning else []
    if subscriber is not None:
        rows.append([(texts_recent.SHOW_ALL if mine else texts_recent.SHOW_MINE, _data(NEWEST, which, not mine))])
    return rows


def _data(edge: str, which: Filter, mine: bool) -> str:
    return f"r:{edge}:{LETTER[which.kind]}{int(which.lowest)}{MINE if mine else ALL}:{which.asset}"


COMMANDS = (Command("recent", recent_, "the last alerts: /recent BTC cascade HIGH, in any order; mine: only what this chat got"),)
BUTTONS = (Button("r", turn, changes=False, anyone=True),)
