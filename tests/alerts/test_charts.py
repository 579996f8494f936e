"""Who gets a chart, when, and how often is it drawn and uploaded? Over real sockets: mark prices from the fake venues, photos to the fake Telegram."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image
from pytest_django import Settings

from alerts import charts, claims, outbox
from alerts.charts import Wish, ask, follow_up
from alerts.dispatcher import drain
from alerts.flood import limiter
from alerts.models import Alert, Chart, Delivery
from monitors.market import Kind, Venue
from monitors.models import CandleRow, Liquidation, Market, OpenInterestSample
from monitors.thresholds import Severity
from subscribers.models import Subscriber
from tests.alerts.builders import make_alert, make_delivery, make_fan_out, make_signal, make_subscriber
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_chats import SentMessage, Upload
from tests.fakes.venues import FakeVenues
from tests.harness import wait_until
from tests.monitors.scanning import priced_venues

pytestmark = pytest.mark.django_db
State, CHART = Delivery.State, Delivery.Purpose.CHART


@pytest.fixture
def venues(settings: Settings, telegram: FakeTelegram) -> Iterator[FakeVenues]:
    telegram.limits.chat_interval_s = 0
    with priced_venues(settings) as fakes:
        yield fakes


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was drawn; a small picture in its place, for drawing takes a second."""
    made: list[Any] = []

    def draw(picture: Any) -> bytes:
        made.append(picture)
        return b"\x89PNG a small one"

    monkeypatch.setattr(charts, "_draw", draw)
    return made


def alert_of(severity: Severity = Severity.HIGH, kind: Kind = Kind.CASCADE, asset: str = "BTC", **fields: Any) -> Alert:
    return make_alert(make_signal(6_000_000, asset, kind), severity, **fields)


def told(alert: Alert, subscriber: Subscriber | None = None, **fields: Any) -> Delivery:
    """A subscriber whose message of the alert has left."""
    delivery = make_delivery(subscriber, Severity(alert.severity), alert, **fields)
    drain()
    delivery.refresh_from_db()
    assert delivery.state == State.SENT
    return delivery


def liquidation(usd: int) -> None:
    now, price = timezone.now(), Decimal(64_183)
    values = {"position_side": "LONG", "price": price, "quantity_base": usd / price, "notional_usd": Decimal(usd)}
    Liquidation.objects.create(venue="bybit", symbol="BTC/USDT:USDT", asset="BTC", occurred_at=now, received_at=now, **values)


def photos(telegram: FakeTelegram) -> list[SentMessage]:
    return [sent for sent in telegram.sent if sent.method == "sendPhoto"]


def send_all(telegram: FakeTelegram, count: int) -> list[SentMessage]:
    """Drain until so many photos have left."""

    def all_left() -> bool:
        drain(2)
        return len(photos(telegram)) >= count

    wait_until(all_left, 30, f"{count} photos")
    return photos(telegram)


def test_the_chart_follows_a_high_alert_as_a_silent_answer_to_its_message(venues: FakeVenues, telegram: FakeTelegram) -> None:
    liquidation(3_209_150)
    delivery = told(alert_of())
    assert follow_up(timezone.now()) == 1
    [photo] = send_all(telegram, 1)
    image = Image.open(BytesIO(photo.params["photo"].content))
    assert (image.format, image.size) == ("PNG", (1080, 945))
    assert photo.chat_id == delivery.subscriber.chat_id and photo.silent
    assert photo.params["reply_parameters"] == {"message_id": delivery.message_id, "allow_sending_without_reply": True}
    assert photo.plain.startswith("BTC, ") and photo.plain.endswith(" UTC: mark price (Binance) and liquidations")
    row = Delivery.objects.get(purpose=CHART)
    assert (row.state, row.about, row.alert, row.message_id) == (State.SENT, delivery.alert, None, photo.message_id)


@pytest.mark.parametrize("severity", [Severity.BELOW_LOW, Severity.LOW, Severity.MODERATE])
def test_below_high_no_chart_comes_by_itself(venues: FakeVenues, drawings: list[Any], severity: Severity) -> None:
    told(alert_of(severity))
    assert follow_up(timezone.now()) == 0
    assert not drawings and not Chart.objects.exists()


def test_nobody_gets_a_chart_who_wants_none_or_has_not_been_told(venues: FakeVenues, drawings: list[Any]) -> None:
    alert = alert_of(Severity.EXTREME)
    told(alert, make_subscriber(charts=False))
    told(alert, make_subscriber(0, channel="console"))
    for state in (State.HELD, State.PENDING, State.FAILED, State.FOLDED):
        make_delivery(make_subscriber(), Severity.EXTREME, alert, state=state)
    make_delivery(make_subscriber(), Severity.LOW, alert, state=State.SENT, sent_at=timezone.now())
    make_delivery(make_subscriber(active=False), Severity.EXTREME, alert, state=State.SENT, sent_at=timezone.now())
    assert follow_up(timezone.now()) == 0
    assert not drawings


def test_it_is_drawn_once_and_uploaded_once_for_all_chats(venues: FakeVenues, telegram: FakeTelegram, drawings: list[Any]) -> None:
    alert = alert_of()
    telegram.set_latency(0.2)
    for _ in range(4):
        told(alert)
    assert follow_up(timezone.now()) == 4
    told(alert)
    assert follow_up(timezone.now()) == 1, "who was told later gets it as well"
    assert follow_up(timezone.now()) == 0
    sent = [photo.params["photo"] for photo in send_all(telegram, 5)]
    assert len(drawings) == 1
    assert [isinstance(photo, Upload) for photo in sent] == [True, False, False, False, False]
    assert set(sent[1:]) == {Chart.objects.get().file_id} != {""}


def test_a_chart_yields_to_every_text(venues: FakeVenues, telegram: FakeTelegram, drawings: list[Any]) -> None:
    alert = alert_of()
    for _ in range(3):
        told(alert)
    follow_up(timezone.now())
    telegram.clear()
    for severity in (Severity.BELOW_LOW, Severity.LOW, Severity.MODERATE):
        make_delivery(severity=severity)
    wait_until(lambda: drain(2) is not None and len(telegram.sent) == 6, 20)
    assert [sent.method for sent in telegram.sent] == ["sendMessage"] * 3 + ["sendPhoto"] * 3
    assert claims.most_urgent(timezone.now()) is None


def test_a_chart_that_waits_wakes_the_dispatcher_when_nothing_else_does(venues: FakeVenues, drawings: list[Any]) -> None:
    told(alert_of())
    assert claims.most_urgent(timezone.now()) is None
    follow_up(timezone.now())
    assert claims.most_urgent(timezone.now()) is Severity.BELOW_LOW


def test_whoever_asks_gets_the_chart_of_any_alert_once(venues: FakeVenues, telegram: FakeTelegram, drawings: list[Any]) -> None:
    delivery = told(alert_of(Severity.LOW))
    alert, subscriber = delivery.alert, delivery.subscriber
    assert alert is not None
    assert [ask(alert, subscriber) for _ in range(3)] == [Wish.COMING] * 3
    assert drain(1) == 0, "nothing can be sent before it is drawn"
    follow_up(timezone.now())
    [photo] = send_all(telegram, 1)
    assert photo.params["reply_parameters"]["message_id"] == delivery.message_id
    assert ask(alert, subscriber) is Wish.THERE
    assert follow_up(timezone.now()) == 0 and len(drawings) == 1


def test_who_has_asked_gets_no_second_one_when_the_alert_becomes_loud(venues: FakeVenues, telegram: FakeTelegram, drawings: list[Any]) -> None:
    delivery = told(alert_of())
    assert delivery.alert is not None
    ask(delivery.alert, delivery.subscriber)
    follow_up(timezone.now())
    send_all(telegram, 1)
    assert follow_up(timezone.now()) == 0
    assert Delivery.objects.filter(purpose=CHART).count() == 1


def test_the_console_shows_no_pictures(venues: FakeVenues) -> None:
    assert ask(alert_of(), make_subscriber(0, channel="console")) is Wish.NOT_HERE


def test_without_data_there_is_no_chart_and_who_asked_is_told_in_words(venues: FakeVenues, telegram: FakeTelegram, drawings: list[Any]) -> None:
    delivery = told(alert_of(asset="NOPE"))
    assert delivery.alert is not None
    telegram.clear()
    assert follow_up(timezone.now()) == 0, "by itself nothing is said of it"
    assert (drain(1), telegram.sent) == (0, [])
    assert ask(delivery.alert, delivery.subscriber) is Wish.NO_DATA
    Chart.objects.update(asked_at=timezone.now() - timedelta(minutes=6))
    assert ask(delivery.alert, delivery.subscriber) is Wish.COMING, "it may be there by now"
    follow_up(timezone.now())
    drain(3)
    [sent] = telegram.sent
    assert sent.plain == f"No chart of alert {delivery.alert.pk}: no mark prices of that hour are to be had."
    assert not drawings


def test_while_venues_do_not_answer_it_waits_for_some_minutes(venues: FakeVenues, telegram: FakeTelegram, drawings: list[Any]) -> None:
    delivery = told(alert_of())
    for venue in Venue:
        venues.refuse(venue)
    assert follow_up(timezone.now()) == 0
    assert Chart.objects.get().failed == ""
    venues.accept("okx")
    assert follow_up(timezone.now()) == 1
    assert drawings[0].venue == "OKX"
    assert Delivery.objects.get(purpose=CHART).subscriber == delivery.subscriber


def test_when_venues_stay_away_it_is_given_up(venues: FakeVenues, drawings: list[Any]) -> None:
    told(alert_of())
    for venue in Venue:
        venues.refuse(venue)
    follow_up(timezone.now())
    follow_up(timezone.now() + timedelta(minutes=4))
    assert Chart.objects.get().failed == "no mark prices of that hour are to be had"


@pytest.mark.parametrize(("kind", "what"), [(Kind.OPEN_INTEREST, "Open interest"), (Kind.VOLUME, "Volume"), (Kind.LIQUIDATION, "Liquidated")])
def test_below_the_price_stands_what_was_measured(venues: FakeVenues, drawings: list[Any], kind: Kind, what: str) -> None:
    now = timezone.now()
    for market in Market.objects.filter(asset="BTC"):
        CandleRow.objects.create(market=market, opened_at=now - timedelta(minutes=10), open=1, close=1, volume_usd=2e6, closed=True, received_at=now)
        for ago in range(5):
            OpenInterestSample.objects.create(market=market, oi_base=Decimal(100), occurred_at=now - timedelta(minutes=ago), received_at=now)
    liquidation(1_000)
    make_delivery(make_subscriber(), Severity.HIGH, alert_of(kind=kind), state=State.SENT, sent_at=now)
    follow_up(timezone.now())
    [picture] = drawings
    assert picture.below.label.startswith(what)
    assert (picture.opened_ms is not None, len(picture.prices)) == (True, 60)
    assert picture.title == f"BTC {kind.value.replace('_', ' ')}: longs liquidated ▼"


def test_nothing_measured_is_stored_any_more_and_the_price_stands_alone(venues: FakeVenues, drawings: list[Any]) -> None:
    told(alert_of())
    follow_up(timezone.now())
    assert drawings[0].below is None


def test_a_dead_sender_sends_it_again(venues: FakeVenues, telegram: FakeTelegram, drawings: list[Any]) -> None:
    told(alert_of())
    follow_up(timezone.now())
    Delivery.objects.filter(purpose=CHART).update(state=State.SENDING, attempts=1)
    assert claims.recover() == 1
    send_all(telegram, 1)
    assert Delivery.objects.get(purpose=CHART).state == State.SENT


def test_a_picture_that_telegram_does_not_know_any_more_is_uploaded_again(venues: FakeVenues, telegram: FakeTelegram, drawings: list[Any]) -> None:
    alert = alert_of()
    told(alert)
    follow_up(timezone.now())
    Chart.objects.update(file_id="of-another-bot")
    [photo] = send_all(telegram, 1)
    assert isinstance(photo.params["photo"], Upload)
    assert Chart.objects.get().file_id == f"file-{photo.message_id}"


def test_a_chart_that_finds_no_slot_leaves_as_soon_as_there_is_one(venues: FakeVenues, telegram: FakeTelegram, drawings: list[Any]) -> None:
    told(alert_of())
    follow_up(timezone.now())
    limiter().pause(0.3)
    drain(5)
    assert len(photos(telegram)) == 1


def test_a_chat_rests_from_when_its_chart_has_arrived(venues: FakeVenues, telegram: FakeTelegram, drawings: list[Any]) -> None:
    delivery = told(alert_of())
    follow_up(timezone.now())
    telegram.set_latency(0.8)
    [_] = send_all(telegram, 1)
    arrived_at = Delivery.objects.get(purpose=CHART).sent_at
    assert arrived_at is not None
    free_at = timezone.now() + timedelta(seconds=limiter().take(delivery.subscriber.chat_id).wait_s)
    assert free_at >= arrived_at + timedelta(seconds=1)


def test_a_pruned_picture_is_sent_by_its_name_and_drawn_anew_where_that_is_unknown(venues: FakeVenues, telegram: FakeTelegram, drawings: list[Any]) -> None:
    alert = alert_of()
    told(alert)
    follow_up(timezone.now())
    send_all(telegram, 1)
    Chart.objects.update(drawn_at=timezone.now() - timedelta(days=31))
    assert charts.prune(timezone.now()) == 1
    first, second = told(alert), make_subscriber()
    assert ask(alert, first.subscriber) is Wish.COMING
    assert not isinstance(send_all(telegram, 2)[-1].params["photo"], Upload)
    Chart.objects.update(file_id="of-another-bot")
    assert ask(alert, second) is Wish.COMING
    drain(1)
    assert len(photos(telegram)) == 2
    follow_up(timezone.now())
    assert isinstance(send_all(telegram, 3)[-1].params["photo"], Upload)
    assert len(drawings) == 2


def test_a_chat_that_is_gone_ends_the_subscription_and_an_old_chart_expires(venues: FakeVenues, telegram: FakeTelegram, drawings: list[Any]) -> None:
    alert = alert_of()
    gone, late = told(alert), told(alert)
    follow_up(timezone.now())
    Delivery.objects.filter(purpose=CHART, subscriber=late.subscriber).update(expires_at=timezone.now() - timedelta(seconds=1))
    telegram.chat_blocks(gone.subscriber.chat_id)
    wait_until(lambda: drain(1) is not None and not Delivery.objects.filter(state__in=(State.PENDING, State.SENDING)).exists(), 20)
    states = dict(Delivery.objects.filter(purpose=CHART).values_list("subscriber", "state"))
    assert states == {gone.subscriber.pk: State.FAILED, late.subscriber.pk: State.EXPIRED}
    gone.subscriber.refresh_from_db()
    assert not gone.subscriber.active


def test_charts_of_a_group_that_moved_follow_it_even_where_it_is_subscribed_already(venues: FakeVenues, telegram: FakeTelegram, drawings: list[Any]) -> None:
    alert = alert_of()
    old, new = told(alert, make_subscriber(-5)), told(alert, make_subscriber(-1005))
    follow_up(timezone.now())
    telegram.chat_migrates(-5, -1005)
    wait_until(lambda: drain(1) is not None and not Delivery.objects.filter(subscriber=new.subscriber, state=State.PENDING).exists(), 20)
    assert [photo.chat_id for photo in photos(telegram)] == [-1005]
    old.subscriber.refresh_from_db()
    assert not old.subscriber.active


def test_charts_do_not_count_for_the_hourly_cap(venues: FakeVenues, drawings: list[Any]) -> None:
    subscriber = make_subscriber(capped=True)
    for _ in range(12):
        make_delivery(subscriber, about=alert_of(Severity.LOW, asset="ETH", fingerprint=f"x{Alert.objects.count()}"), purpose=CHART, state=State.SENT)
    alert = make_alert(asset="WIF")
    outbox.fan_out(make_fan_out(alert))
    assert Delivery.objects.get(alert=alert, subscriber=subscriber).state == State.PENDING
