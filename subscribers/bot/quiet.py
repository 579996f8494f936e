"""When does a chat want to be left alone, and what time is it there? /quiet and /zone, and their screens of the settings."""

from dataclasses import replace

from subscribers import services, typed
from subscribers.bot import dialogues
from subscribers.bot import texts_quiet as say
from subscribers.bot.chats import subscribed, tapped
from subscribers.bot.clock import Clock
from subscribers.bot.screen import Asked, Button, Command, Reply, Row
from subscribers.bot.texts import REPLY_HERE, TO_SETTINGS, try_again
from subscribers.bot.texts_settings import ticked
from subscribers.models import Subscriber
from subscribers.preferences import QuietHours
from subscribers.selectors import preferences_of
from subscribers.zones import zone_named

NIGHTS = ("22:00-07:00", "23:00-07:00", "23:00-08:00", "00:00-08:00")
ZONES = ("UTC", "Europe/London", "Europe/Berlin", "America/New_York", "America/Los_Angeles", "Asia/Dubai", "Asia/Singapore", "Asia/Tokyo")
SETTINGS: Row = [(TO_SETTINGS, "s")]


@subscribed
def quiet(asked: Asked, subscriber: Subscriber) -> Reply:
    """Set quiet hours: /quiet 23:00-07:00 HIGH; end them: /quiet off; without words show them."""
    if not asked.args:
        return quiet_screen(asked, subscriber)
    try:
        hours = read_hours(asked.args, preferences_of(subscriber).quiet)
    except ValueError as problem:
        return Reply(say.not_understood(str(problem)))
    return _set(asked, subscriber, hours)


@subscribed
def zone(asked: Asked, subscriber: Subscriber) -> Reply:
    """Set the time zone: /zone Zurich; without words show it."""
    if not asked.args:
        return zone_screen(asked, subscriber)
    return _set_zone(asked, subscriber) or _zone_is_set(asked, subscriber)


def read_hours(text: str, before: QuietHours | None) -> QuietHours | None:
    """From when to when, and what comes through (as before, where nothing is said of it); None for "off". ValueError says what is wrong."""
    words = text.split()
    if len(words) == 1 and words[0].lower() in typed.NONE:
        return None
    if len(words) > 1 and words[-1].isalpha() and words[-1].lower() not in ("am", "pm"):
        times = " ".join(words[:-1]).lower().removesuffix(" except")  # "23:00-07:00, except HIGH"
        return QuietHours(*typed.hours(times), typed.severity(words[-1]))
    begin, end = typed.hours(text)
    return QuietHours(begin, end) if before is None else replace(before, begin=begin, end=end)


def quiet_screen(asked: Asked, subscriber: Subscriber) -> Reply:
    """The quiet hours, with buttons for usual ones and for what comes through."""
    hours, clock = preferences_of(subscriber).quiet, Clock.of(subscriber, asked.now)
    nights = [(ticked(night, hours is not None and say.hours_words(hours) == night), f"qh:{night.replace(':', '')}") for night in NIGHTS]
    through = [(ticked(label, hours is not None and hours.lets_through == value), f"ql:{value}") for value, label in say.LETS_THROUGH.items()]
    buttons: list[Row] = [nights[:2], nights[2:], [(say.OTHER_HOURS, "qi")], *([through, [(say.NO_QUIET_HOURS, "qh:off")]] if hours else []), SETTINGS]
    return Reply(say.quiet(hours, clock), buttons)


def zone_screen(asked: Asked, subscriber: Subscriber) -> Reply:
    """The time zone, with buttons for some."""
    zones = [(ticked(say.zone_label(name), name == subscriber.time_zone), f"zs:{name}") for name in ZONES]
    buttons: list[Row] = [*(zones[first : first + 2] for first in range(0, len(zones), 2)), [(say.OTHER_ZONE, "zi")], SETTINGS]
    return Reply(say.zone(Clock.of(subscriber, asked.now)), buttons)


@tapped
def show_quiet(asked: Asked, subscriber: Subscriber) -> Reply:
    """The quiet hours in the place of another screen."""
    return replace(quiet_screen(asked, subscriber), edit=True)


@tapped
def set_hours(asked: Asked, subscriber: Subscriber) -> Reply:
    """From when to when, or no quiet hours."""
    _store(asked, subscriber, read_hours(asked.args, preferences_of(subscriber).quiet))
    return replace(quiet_screen(asked, _fresh(subscriber)), edit=True)


@tapped
def set_exception(asked: Asked, subscriber: Subscriber) -> Reply:
    """What comes through."""
    hours, lets_through = preferences_of(subscriber).quiet, int(asked.args)
    if hours is None or lets_through not in say.LETS_THROUGH:
        raise ValueError(lets_through)
    _store(asked, subscriber, replace(hours, lets_through=lets_through))
    return replace(quiet_screen(asked, _fresh(subscriber)), edit=True)


@tapped
def ask_hours(asked: Asked, _: Subscriber) -> Reply:
    """Which hours?"""
    dialogues.ask(asked, "hours")
    return Reply(say.ASK_HOURS + ("" if asked.chat.private else REPLY_HERE))


@subscribed
def hours_typed(asked: Asked, subscriber: Subscriber) -> Reply:
    """The hours that were typed."""
    try:
        hours = read_hours(asked.args, preferences_of(subscriber).quiet)
    except ValueError as problem:
        dialogues.ask(asked, "hours")
        return Reply(try_again(str(problem)))
    return _set(asked, subscriber, hours)


@tapped
def show_zone(asked: Asked, subscriber: Subscriber) -> Reply:
    """The time zone in the place of another screen."""
    return replace(zone_screen(asked, subscriber), edit=True)


@tapped
def set_zone(asked: Asked, subscriber: Subscriber) -> Reply:
    """This zone from now on."""
    services.set_time_zone(subscriber, zone_named(asked.args), asked.now)
    return replace(zone_screen(asked, _fresh(subscriber)), edit=True)


@tapped
def ask_zone(asked: Asked, _: Subscriber) -> Reply:
    """Which zone?"""
    dialogues.ask(asked, "zone")
    return Reply(say.ASK_ZONE + ("" if asked.chat.private else REPLY_HERE))


@subscribed
def zone_typed(asked: Asked, subscriber: Subscriber) -> Reply:
    """The zone that was typed."""
    refused = _set_zone(asked, subscriber)
    if refused is not None:
        dialogues.ask(asked, "zone")
        return refused
    return _zone_is_set(asked, subscriber)


def _set(asked: Asked, subscriber: Subscriber, hours: QuietHours | None) -> Reply:
    _store(asked, subscriber, hours)
    return replace(quiet_screen(asked, _fresh(subscriber)), text=say.quiet_set(hours, Clock.of(subscriber, asked.now)))


def _store(asked: Asked, subscriber: Subscriber, hours: QuietHours | None) -> None:
    begin, end = (hours.begin, hours.end) if hours else (None, None)
    services.set_quiet_hours(subscriber, begin, end, hours.lets_through if hours else subscriber.quiet_lets_through, asked.now)


def _set_zone(asked: Asked, subscriber: Subscriber) -> Reply | None:
    """Set the zone that was written; what to say when it is none."""
    try:
        services.set_time_zone(subscriber, zone_named(asked.args), asked.now)
    except ValueError as problem:
        return Reply(say.zone_not_understood(str(problem)))
    return None


def _zone_is_set(asked: Asked, subscriber: Subscriber) -> Reply:
    fresh = _fresh(subscriber)
    return replace(zone_screen(asked, fresh), text=say.zone_set(Clock.of(fresh, asked.now)))


def _fresh(subscriber: Subscriber) -> Subscriber:
    return Subscriber.objects.get(pk=subscriber.pk)


COMMANDS = (
    Command("quiet", quiet, "hold alerts back at night: /quiet 23:00-07:00 HIGH, /quiet off", changes=True, admins=True),
    Command("zone", zone, "your time zone: /zone Zurich or /zone +2", changes=True, admins=True),
)
BUTTONS = (
    Button("q", show_quiet, changes=False),
    Button("qh", set_hours),
    Button("ql", set_exception),
    Button("qi", ask_hours),
    Button("z", show_zone, changes=False),
    Button("zs", set_zone),
    Button("zi", ask_zone),
)
DIALOGUES = {"hours": hours_typed, "zone": zone_typed}
