"""How does a chat come and choose? /start subscribes at once; three taps, or a preset's link, make it somebody's own."""

from dataclasses import replace

from subscribers import services
from subscribers.bot import guided, texts, texts_start
from subscribers.bot.chats import subscriber_of
from subscribers.bot.expected import count, expected
from subscribers.bot.guided import LOUD, Taps
from subscribers.bot.screen import Asked, Button, Command, Reply, Row
from subscribers.models import Preset, Subscriber
from subscribers.selectors import choices_of, preferences_of
from subscribers.services import FIRST_CHOICES

SETTINGS: Row = [(texts.ALL_SETTINGS, "s")]
LAST = len(texts_start.QUESTIONS)


def start(asked: Asked) -> Reply:
    """Subscribe the chat, with a preset's choices when its link was followed; say to what, and what that would have brought."""
    known = subscriber_of(asked.chat)
    preset = Preset.objects.filter(slug=asked.args, enabled=True).first() if asked.args else None
    first = choices_of(preset) if preset is not None else FIRST_CHOICES
    subscriber = services.subscribe_chat(asked.chat.id, asked.chat.type, asked.chat.title, first)
    untouched = known is None or choices_of(known) == FIRST_CHOICES
    if preset is not None:
        return _use(asked, subscriber, preset) if untouched or choices_of(subscriber) == first else _offer(asked, subscriber, preset)
    title = texts_start.unknown_preset(asked.args, new=known is None) if asked.args else texts_start.SUBSCRIBED
    return _question(asked, subscriber, Taps(), title, first=True) if untouched else _own(asked, subscriber, title)


def tapped(asked: Asked) -> Reply:
    """One of the three taps: what it chooses counts at once, and the next question is asked."""
    subscriber = subscriber_of(asked.chat)
    if subscriber is None:
        return Reply(toast=texts.NOT_SUBSCRIBED)
    try:
        taps = guided.taps_of(asked.parts)
    except ValueError:
        return Reply(toast=texts.OLD_BUTTON)
    if taps.step:
        thresholds = {key: choice for key, choice in choices_of(subscriber).items() if choice.custom_threshold is not None}
        services.replace_choices(subscriber, {**guided.choices_of(taps), **thresholds}, asked.now)
    if taps.step < LAST:
        return replace(_question(asked, subscriber, taps, _title(subscriber)), edit=True)
    kept = any(choice.custom_threshold is not None for choice in choices_of(subscriber).values())
    end = f"{texts_start.KEPT} {texts_start.READY}" if kept else texts_start.READY
    return replace(_screen(asked, subscriber, _title(subscriber), end, [[(texts_start.CHOOSE_ANEW, "g")], SETTINGS]), edit=True)


def use_preset(asked: Asked) -> Reply:
    """Let the preset take the place of the chat's own choices; without a name they stay."""
    subscriber = subscriber_of(asked.chat)
    if subscriber is None:
        return Reply(toast=texts.NOT_SUBSCRIBED)
    if not asked.args:
        return replace(_own(asked, subscriber, _title(subscriber)), edit=True)
    preset = Preset.objects.filter(slug=asked.args, enabled=True).first()
    return Reply(toast=texts.OLD_BUTTON) if preset is None else replace(_use(asked, subscriber, preset), edit=True)


def _title(subscriber: Subscriber) -> str:
    return texts_start.SUBSCRIBED if subscriber.active else texts_start.PAUSED


def _use(asked: Asked, subscriber: Subscriber, preset: Preset) -> Reply:
    services.replace_choices(subscriber, choices_of(preset), asked.now)
    return _screen(asked, subscriber, texts_start.subscribed_to(preset.title, preset.description), texts_start.ALWAYS_LATER, [SETTINGS])


def _offer(asked: Asked, subscriber: Subscriber, preset: Preset) -> Reply:
    buttons: list[Row] = [[(texts_start.use_label(preset.title), f"p:{preset.slug}")], [(texts_start.KEEP_MINE, "p")]]
    return _screen(asked, subscriber, texts_start.SUBSCRIBED, texts_start.offer(preset.title), buttons)


def _own(asked: Asked, subscriber: Subscriber, title: str) -> Reply:
    return _screen(asked, subscriber, title, texts_start.OWN_CHOICES, [[(texts_start.CHOOSE_ANEW, "g")], SETTINGS])


def _question(asked: Asked, subscriber: Subscriber, taps: Taps, title: str, *, first: bool = False) -> Reply:
    if taps.step == LAST - 1:
        wanted = {letter: replace(preferences_of(subscriber), choices=guided.choices_of(taps.then(letter))) for letter in LOUD}
        options = {letter: texts_start.loud_label(LOUD[letter], count(each, asked.now)) for letter, each in wanted.items()}
    else:
        options = dict(texts_start.labels(taps))
    buttons: list[Row] = [[(label, f"g:{taps.then(letter).data}")] for letter, label in options.items()]
    return _screen(asked, subscriber, title, texts_start.question(taps, first=first), buttons)


def _screen(asked: Asked, subscriber: Subscriber, title: str, end: str, buttons: list[Row]) -> Reply:
    """What the chat gets now, with buttons; a channel's readers have nothing to choose."""
    fresh = Subscriber.objects.get(pk=subscriber.pk)
    quiet = asked.chat.type == "channel"
    text = texts_start.start(title, choices_of(fresh), expected(preferences_of(fresh), asked.now), texts_start.ALWAYS_LATER if quiet else end, asked.now)
    return Reply(text, [] if quiet else buttons)


COMMANDS = (Command("start", start, "get alerts in this chat", changes=True, admins=True),)
BUTTONS = (Button("g", tapped), Button("p", use_preset))
