"""An operator's message: drafted, counted, sent behind every alert, cancelled; nobody is left out and nobody told twice."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from alerts import broadcasts, claims
from alerts.dispatcher import drain
from alerts.models import Broadcast, Delivery
from monitors.thresholds import Severity
from tests.alerts.builders import make_alert, make_console, make_delivery, make_subscriber
from tests.fakes.telegram import FakeTelegram

pytestmark = pytest.mark.django_db
State = Delivery.State
PAGE = "admin:alerts_broadcast_change"


@pytest.fixture
def client() -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("operator", password="-"))
    return browser


def make_broadcast(**fields: object) -> Broadcast:
    return Broadcast.objects.create(**{"text": "Maintenance at 10:00 UTC", "confirmed_at": timezone.now(), **fields})


def test_a_draft_counts_its_recipients_and_sends_nothing(client: Client) -> None:
    make_console()
    make_subscriber(), make_subscriber(-5, chat_type="group"), make_subscriber(active=False)
    page = client.post(reverse("admin:alerts_broadcast_add"), {"text": "Hello <b>all</b>", "chat_type": ""}, follow=True).content.decode()
    assert "dry run: 2 chats" in page
    draft = Broadcast.objects.get()
    assert (draft.created_by, draft.confirmed_at, broadcasts.feed(timezone.now())) == ("operator", None, 0)
    draft.chat_type = "group"
    assert broadcasts.audience(draft).count() == 1


def test_a_confirmed_one_cannot_be_changed(client: Client) -> None:
    make_subscriber()
    draft = make_broadcast(confirmed_at=None)
    client.post(reverse(PAGE, args=[draft.pk]), {"text": "New words", "chat_type": "", "send": "on"})
    draft.refresh_from_db()
    assert draft.confirmed_at is not None
    client.post(reverse(PAGE, args=[draft.pk]), {"text": "Other words", "chat_type": "group"})
    draft.refresh_from_db()
    assert (draft.text, draft.chat_type) == ("New words", "")


def test_who_changes_whom_it_is_for_sees_the_new_count_before_it_is_sent(client: Client) -> None:
    make_subscriber(), make_subscriber(), make_subscriber(-5, chat_type="group")
    draft = make_broadcast(confirmed_at=None, chat_type="group")
    page = client.post(reverse(PAGE, args=[draft.pk]), {"text": draft.text, "chat_type": "", "send": "on", "_continue": "1"}, follow=True).content.decode()
    assert "Not sent yet" in page and "dry run: 3 chats" in page
    assert broadcasts.feed(timezone.now()) == 0
    client.post(reverse(PAGE, args=[draft.pk]), {"text": draft.text, "chat_type": "", "send": "on"})
    assert broadcasts.feed(timezone.now()) == 3


def test_an_empty_or_endless_one_is_refused(client: Client) -> None:
    for text in ("  ", "a\x00b", "x" * 3001, "\N{POLICE CARS REVOLVING LIGHT}" * 1501):  # for Telegram an emoji is two
        client.post(reverse("admin:alerts_broadcast_add"), {"text": text, "chat_type": ""})
    assert not Broadcast.objects.exists()


def test_everybody_is_told_once_however_often_the_rows_are_topped_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcasts, "AT_ONCE", 3)
    subscribers = [make_subscriber() for _ in range(7)]
    broadcast, now = make_broadcast(), timezone.now()
    assert [broadcasts.feed(now), broadcasts.feed(now)] == [3, 0]  # no more while they wait
    for _ in range(5):
        Delivery.objects.filter(state=State.PENDING).update(state=State.SENT)
        broadcasts.feed(now)
    told = list(Delivery.objects.filter(broadcast=broadcast).values_list("subscriber", flat=True))
    assert sorted(told) == [subscriber.pk for subscriber in subscribers]
    broadcast.refresh_from_db()
    assert broadcast.done_at is not None


def test_what_is_cancelled_is_not_sent_nor_written_for_others(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcasts, "AT_ONCE", 1)
    make_subscriber()
    make_subscriber()
    broadcast = make_broadcast()
    broadcasts.feed(timezone.now())
    page = client.post(reverse(PAGE, args=[broadcast.pk]), {"cancel": "on"}, follow=True).content.decode()
    assert "messages taken back before they left: 1." in page
    assert (Delivery.objects.get().state, Delivery.objects.get().reason, broadcasts.feed(timezone.now())) == (State.SUPERSEDED, broadcasts.CANCELLED, 0)


def test_it_goes_behind_every_alert_escaped_and_silent(telegram: FakeTelegram) -> None:
    make_subscriber(77)
    make_broadcast(text="Line <one>\nand & two")
    broadcasts.feed(timezone.now())
    alert = make_delivery(make_subscriber(78), Severity.LOW, alert=make_alert())
    first = claims.next_delivery(timezone.now(), ())
    assert first is not None
    assert first.pk == alert.pk
    drain(2.0)
    [message] = telegram.sent_to(77)
    assert (message.text, message.silent) == ("<b>Line &lt;one&gt;</b>\nand &amp; two", True)
