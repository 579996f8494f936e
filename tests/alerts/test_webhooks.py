"""Webhooks over real sockets: signed JSON as its schema says, retried or given up as the answer asks, never a private address, never in the way of messages."""

import hashlib
import hmac
import ipaddress
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jsonschema
import pytest
from django.utils import timezone
from pytest_django import Settings

from alerts import claims, outbox, webhooks
from alerts.channels.addresses import Forbidden, checked_url, is_public
from alerts.channels.base import RetryLater, Undeliverable
from alerts.channels.webhook import post
from alerts.models import Delivery, MarketMove
from alertsystem.env import PROJECT_DIR
from monitors.market import Kind
from monitors.thresholds import Severity
from subscribers import services
from subscribers import webhooks as hooks
from subscribers.models import Subscriber, Webhook
from subscribers.preferences import Choice
from tests.alerts.builders import escalate, make_alert, make_delivery, make_fan_out, make_signal, make_subscriber
from tests.fakes.receiver import FakeReceiver

pytestmark = pytest.mark.django_db
State = Delivery.State
SCHEMA = json.loads((PROJECT_DIR / "docs/webhook.schema.json").read_text())
for described in (SCHEMA, SCHEMA["$defs"]["alert"]):
    described["additionalProperties"] = False  # a receiver has to bear fields that are added later; here none may be undescribed


@pytest.fixture
def receiver(settings: Settings, valkey: object) -> Iterator[FakeReceiver]:
    """A receiver on this machine, which is allowed here."""
    settings.WEBHOOK_ALLOW_PRIVATE = True
    with FakeReceiver() as server:
        yield server


@pytest.fixture
def hook(receiver: FakeReceiver) -> Webhook:
    """The webhook of a chat that wants cascades from LOW."""
    return hooks.connect(make_subscriber(), receiver.url, timezone.now())


def document(receiver: FakeReceiver) -> dict[str, Any]:
    """The last request's document, checked against the published schema."""
    found: dict[str, Any] = json.loads(receiver.calls[-1].body)
    jsonschema.validate(found, SCHEMA)
    return found


def test_an_alert_arrives_signed_and_as_documented(receiver: FakeReceiver, hook: Webhook) -> None:
    alert = make_alert(make_signal(5_200_000), Severity.HIGH)
    assert outbox.fan_out(make_fan_out(alert)) == 2  # the chat's message, and the webhook's
    assert webhooks.call_waiting() == 1
    [call], told = receiver.calls, document(receiver)
    assert (told["event"], told["severity"], [(each["id"], each["value"], each["unit"]) for each in told["alerts"]]) == (
        "alert", "HIGH", [(alert.pk, 5_200_000.0, "usd")],
    )  # fmt: skip
    assert told["text"].startswith("HIGH BTC longs liquidated")
    stamp = call.headers["X-Alert-Timestamp"]
    expected = hmac.new(hook.secret.encode(), stamp.encode() + b"." + call.body, hashlib.sha256).hexdigest()
    assert call.headers["X-Alert-Signature"] == f"v1={expected}"
    delivery = Delivery.objects.get(subscriber=hook.subscriber)
    assert (delivery.state, call.headers["X-Alert-Delivery"]) == (State.SENT, str(delivery.pk))
    escalate(alert, Severity.EXTREME, 20_000_000)
    outbox.resume()
    webhooks.call_waiting()
    assert document(receiver)["severity"] == "EXTREME"


def test_a_market_wide_one_is_as_severe_as_its_text_says(receiver: FakeReceiver, hook: Webhook) -> None:
    """The first three were told singly, the loudest among them; the message is there for the fourth, and as urgent as that."""
    move = MarketMove.objects.create(family="liquidations", direction="LONG", opened_at=timezone.now())
    for severity in (Severity.HIGH, Severity.LOW, Severity.LOW, Severity.LOW):
        make_delivery(hook.subscriber, alert=make_alert(severity=severity), state=State.FOLDED, move=move)
    make_delivery(hook.subscriber, Severity.LOW, move=move)
    webhooks.call_waiting()
    told = document(receiver)
    assert (told["event"], told["severity"], told["step"], len(told["alerts"])) == ("market_wide", "HIGH", 3, 4)
    assert told["text"].startswith("HIGH market-wide: 4 assets")


def test_messages_never_wait_for_a_webhook(receiver: FakeReceiver, hook: Webhook) -> None:
    make_delivery(hook.subscriber, Severity.EXTREME)
    message = make_delivery(severity=Severity.LOW)
    found = claims.next_delivery(timezone.now(), ())
    assert found == message
    assert claims.most_urgent(timezone.now()) is Severity.LOW
    Delivery.objects.filter(subscriber=hook.subscriber).update(state=State.SENDING)
    assert (claims.recover(), webhooks.recover()) == (0, 1)  # each takes back its own


@pytest.mark.parametrize(("status", "state"), [(204, State.SENT), (500, State.PENDING), (429, State.PENDING), (404, State.FAILED), (302, State.FAILED)])
def test_the_answer_decides(receiver: FakeReceiver, hook: Webhook, status: int, state: State) -> None:
    receiver.status, receiver.headers = status, {"Location": receiver.url, "Retry-After": "120"}
    delivery = make_delivery(hook.subscriber, Severity.HIGH)
    webhooks.call_waiting()
    delivery.refresh_from_db()
    hook.refresh_from_db()
    assert (delivery.state, len(receiver.calls)) == (state, 1)
    assert (hook.failing_since is None, hook.last_success_at is None) == (status == 204, status != 204)
    if state == State.PENDING:
        assert hook.next_try_at is not None
        assert timedelta(seconds=110) < hook.next_try_at - timezone.now() < timedelta(seconds=121)
        assert webhooks.call_waiting() == 0  # not before it may


def test_it_is_turned_off_after_a_day_of_failures_and_its_chat_is_told(receiver: FakeReceiver, hook: Webhook) -> None:
    receiver.status = 503
    Webhook.objects.update(failing_since=timezone.now() - webhooks.DISABLED_AFTER)
    make_delivery(hook.subscriber, Severity.HIGH)
    webhooks.call_waiting()
    hook.refresh_from_db()
    assert (hook.subscriber.active, hook.failing_since) == (False, None)
    assert hook.subscriber.deactivated_reason == "disabled after a day of failures: it answered 503"
    assert hook.owner is not None
    notice = Delivery.objects.get(subscriber=hook.owner)
    assert (notice.purpose, notice.state) == (Delivery.Purpose.NOTICE, State.PENDING)
    services.choose(hook.owner, Kind.VOLUME, "", Choice(Severity.LOW), timezone.now())
    assert not Subscriber.objects.get(pk=hook.subscriber_id).active  # a new choice does not turn it on again


def test_a_slow_receiver_is_cut_off(receiver: FakeReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    receiver.hang_s = 30
    monkeypatch.setattr("alerts.channels.webhook.IN_ALL_S", 0.3)
    with pytest.raises(RetryLater, match="no answer"):
        post(receiver.url, "secret", 1, {}, allow_private=True)


def test_it_wants_what_its_chat_wants(receiver: FakeReceiver, hook: Webhook) -> None:
    assert hook.owner is not None
    services.choose(hook.owner, Kind.OPEN_INTEREST, "ETH", Choice(Severity.HIGH), timezone.now())
    wanted = hook.subscriber.subscriptions.values_list("kind", "asset", "lowest_severity")
    assert set(wanted) == {("cascade", "", Severity.LOW), ("open_interest", "ETH", Severity.HIGH)}
    services.deactivate(hook.owner, "stopped")
    assert not Subscriber.objects.get(pk=hook.subscriber_id).active
    services.subscribe_chat(hook.owner.chat_id, "private", "")
    assert Subscriber.objects.get(pk=hook.subscriber_id).active
    services.forget(hook.owner)
    assert not Webhook.objects.exists()
    assert not Subscriber.objects.filter(channel=Subscriber.Channel.WEBHOOK).exists()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "https://", "https://user:pw@example.com/", "https://example.com:0/", "https://exa mple.com/", "x" * 600,
        "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0/", "http://[::1]/", "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://10.1.2.3/", "http://172.16.0.1/", "http://192.168.1.1/", "http://169.254.169.254/",
        "http://100.64.0.1/", "http://224.0.0.1/", "http://[fe80::1]/", "http://[fd00::1]/", "http://localhost/", "http://db.internal/", "http://[::7f00:1]/",
        "http://localhost./", "http://127.0.0.1./", "http://metadata.google.internal./", "http://[fec0::1]/",
    ],
)  # fmt: skip
def test_where_no_webhook_may_lead(url: str) -> None:
    with pytest.raises(Forbidden):
        checked_url(url, allow_private=False)


def test_public_addresses_may_be_called() -> None:
    assert checked_url(" https://example.com:8443/alerts?x=1 ", allow_private=False) == "https://example.com:8443/alerts?x=1"
    assert checked_url("http://93.184.216.34/", allow_private=False)


def test_a_name_that_leads_to_this_machine_is_not_connected_to(receiver: FakeReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    port = receiver.url.split(":")[2].split("/")[0]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("127.0.0.1", int(port)))])  # as a name server of the receiver's would answer
    with pytest.raises(Undeliverable, match="the name leads to a private address"):
        post(f"http://example.com:{port}/", "secret", 1, {}, allow_private=False)
    assert receiver.calls == []


@pytest.mark.parametrize("allow_private", [True, False])
def test_a_name_that_cannot_be_one_is_no_fault_of_ours(allow_private: bool) -> None:
    with pytest.raises(RetryLater, match="no answer"):
        post("http://a..b/", "secret", 1, {}, allow_private=allow_private)


def test_addresses() -> None:
    assert is_public(ipaddress.ip_address("2606:4700:4700::1111"))
    assert not is_public(ipaddress.ip_address("::"))
