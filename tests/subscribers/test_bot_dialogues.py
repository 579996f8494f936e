"""What the bot waits for is kept in the database, for one person in one chat, for a day."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from subscribers.bot.dialogues import CANCELLED, answered, ask, waiting
from subscribers.bot.screen import Asked, Chat, Reply
from subscribers.models import Dialogue

pytestmark = pytest.mark.django_db

ANN, BOB, DESK = 1001, 1002, -2002
NOW = timezone.now()
IN_GROUP = Asked(Chat(DESK, "group", "Desk"), ANN, "", NOW)
NUMBERS = itertools.count(700_001)


def zone(asked: Asked) -> Reply:
    """A dialogue that goes on until the answer is a zone."""
    if asked.args != "UTC":
        ask(asked, "zone", {"tries": asked.data["tries"] + 1}, asked.message_id)
        return Reply(f"try {asked.data['tries']}: not a zone")
    return Reply(f"done on {asked.message_id}")


def typed(text: str, person: int = ANN, later: timedelta = timedelta(), update: int | None = None) -> Reply | None:
    """What is typed, in a new update unless `update` says in which."""
    asked = replace(IN_GROUP, person=person, args=text, now=timezone.now() + later, update=update or next(NUMBERS))
    return answered(asked, {"zone": zone})


def test_an_answer_ends_the_dialogue_unless_it_is_asked_again() -> None:
    ask(IN_GROUP, "zone", {"tries": 1}, message_id=7)
    assert typed("nonsense") == Reply("try 1: not a zone")
    assert typed("more nonsense") == Reply("try 2: not a zone")
    assert typed("UTC") == Reply("done on 7")
    assert typed("UTC") is None


def test_an_answer_that_is_told_again_after_a_crash_is_the_same_answer_and_a_new_one_is_none() -> None:
    ask(IN_GROUP, "zone", {"tries": 1}, message_id=7)
    assert [typed("UTC", update=5), typed("UTC", update=5), typed("UTC", update=6)] == [Reply("done on 7"), Reply("done on 7"), None]


def test_a_question_asked_anew_is_open_again() -> None:
    ask(IN_GROUP, "zone", {"tries": 1})
    assert typed("UTC", update=5) is not None
    ask(IN_GROUP, "zone", {"tries": 1})
    assert typed("UTC", update=6) is not None


@pytest.mark.parametrize("word", ["cancel", "Cancel", "/cancel"])
def test_whoever_does_not_want_to_answer_writes_cancel(word: str) -> None:
    ask(IN_GROUP, "zone", {"tries": 1})
    assert typed(word) == Reply(CANCELLED)
    assert typed("UTC") is None


def test_only_the_person_who_was_asked_answers() -> None:
    ask(IN_GROUP, "zone", {"tries": 1})
    assert typed("UTC", person=BOB) is None
    assert typed("UTC") is not None


def test_a_new_question_takes_the_place_of_the_one_before() -> None:
    ask(IN_GROUP, "other", {"old": True}, message_id=3)
    ask(IN_GROUP, "zone", {"tries": 1})
    [kept] = Dialogue.objects.all()
    assert (kept.name, kept.data, kept.message_id) == ("zone", {"tries": 1}, None)


def test_after_a_day_nothing_is_waited_for_and_the_rows_go() -> None:
    ask(IN_GROUP, "zone", {"tries": 1})
    assert typed("UTC", later=timedelta(days=1, seconds=1)) is None
    ask(replace(IN_GROUP, person=BOB, now=timezone.now() + timedelta(days=1, seconds=1)), "zone")
    assert [row.user_id for row in Dialogue.objects.all()] == [BOB]


def test_an_answer_that_fails_leaves_the_question_open() -> None:
    ask(IN_GROUP, "zone", {})
    with pytest.raises(KeyError):
        typed("nonsense")
    assert waiting(replace(IN_GROUP, now=timezone.now())) is not None


def test_a_question_that_this_version_does_not_know_is_no_dialogue() -> None:
    ask(IN_GROUP, "of a later version")
    assert typed("UTC") is None
