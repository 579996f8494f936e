"""Does a person's vote count once, can it be changed, and only by who got the alert?"""

import pytest

from alerts.models import Delivery, MarketMove, Vote
from alerts.votes import Voted, Votes, vote, votes_of
from tests.alerts.builders import make_alert, make_delivery, make_subscriber

pytestmark = pytest.mark.django_db
State = Delivery.State


def sent(state: str = State.SENT) -> Delivery:
    return make_delivery(make_subscriber(), alert=make_alert(), state=state)


def test_a_vote_counts_once_and_can_be_changed() -> None:
    told = sent()
    alert = told.alert
    assert alert is not None
    assert vote(alert.pk, told.subscriber, 7, True) is Voted.COUNTED
    assert vote(alert.pk, told.subscriber, 7, True) is Voted.UNCHANGED
    assert votes_of(alert) == Votes(1, 0)
    assert vote(alert.pk, told.subscriber, 7, False) is Voted.CHANGED
    assert votes_of(alert) == Votes(0, 1)


def test_in_a_group_everybody_has_a_vote() -> None:
    told = sent()
    alert = told.alert
    assert alert is not None
    for person in (7, 8, 9):
        vote(alert.pk, told.subscriber, person, person != 9)
    assert votes_of(alert) == Votes(2, 1)


@pytest.mark.parametrize("state", [State.PENDING, State.HELD, State.EXPIRED, State.FAILED])
def test_who_did_not_get_the_alert_has_no_vote(state: str) -> None:
    held = sent(state)
    assert held.alert is not None
    assert vote(held.alert.pk, held.subscriber, 7, True) is Voted.NOT_TOLD
    assert vote(held.alert.pk, make_subscriber(), 7, True) is Voted.NOT_TOLD
    assert vote(held.alert.pk + 1_000, held.subscriber, 7, True) is Voted.NOT_TOLD
    assert not Vote.objects.exists()


def test_what_came_in_a_digest_in_a_market_wide_message_or_as_a_companion_was_told_too() -> None:
    in_digest, folded, host, perhaps = sent(State.HELD), sent(State.FOLDED), sent(), sent(State.UNKNOWN)
    folded.move = MarketMove.objects.create(family="liquidations", direction="LONG", opened_at=folded.queued_at)
    folded.save()
    make_delivery(folded.subscriber, move=folded.move, state=State.SENT)
    in_digest.digest = make_delivery(in_digest.subscriber, purpose=Delivery.Purpose.DIGEST, state=State.SENT)
    in_digest.save()
    companion = make_alert(companion_of=host.alert)
    for alert, subscriber in (
        (in_digest.alert, in_digest.subscriber),
        (companion, host.subscriber),
        *((each.alert, each.subscriber) for each in (folded, perhaps)),
    ):
        assert alert is not None
        assert vote(alert.pk, subscriber, 7, True) is Voted.COUNTED
