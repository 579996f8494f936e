"""Are quiet hours kept, and is everything told in the end? The whole product, from the venues' sockets to the phone, with a worker killed on the way."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from alerts.models import Delivery
from subscribers.models import Subscriber
from tests.e2e import story
from tests.e2e.machine import Machine, machine
from tests.harness import wait_until

QUIET, AWAKE = 3001, 3002
LASTS = timedelta(seconds=50)  # the rest of the quiet hours
ARRIVES_S = 45
State = Delivery.State


def test_quiet_hours_hold_until_the_digest_and_extreme_comes_at_once(transactional_db: None, tmp_path: Path) -> None:
    with machine(tmp_path) as running:
        running.wait_until_ready()
        running.subscribe([QUIET, AWAKE])
        now = timezone.now()
        Subscriber.objects.filter(chat_id=QUIET).update(quiet_starts_at=now - timedelta(hours=8), quiet_ends_at=now + LASTS)

        story.pour(running.venues, "BTC", story.RUNGS["BTC"]["MODERATE"])
        story.pour(running.venues, "ETH", story.RUNGS["ETH"]["HIGH"], "SHORT")
        wait_until(lambda: _told(running, AWAKE, "BTC") and _told(running, AWAKE, "ETH", "SHORT"), ARRIVES_S, f"who is awake\n{running.tail()}")
        story.pour(running.venues, "BTC", story.RUNGS["BTC"]["EXTREME"])
        wait_until(lambda: _told(running, QUIET, "BTC")["EXTREME"], ARRIVES_S, f"the EXTREME message\n{running.tail()}")
        assert timezone.now() < now + LASTS, "it came within the quiet hours"
        assert [message.text for message in story.accepted(running.telegram, QUIET)[1:]] == []
        held = Delivery.objects.filter(subscriber__chat_id=QUIET, state=State.HELD)
        assert set(held.values_list("alert__asset", "reason")) == {("ETH", "quiet hours")}

        pid = running.kill("scans")
        wait_until(lambda: len(story.accepted(running.telegram, QUIET)) > 1, LASTS.total_seconds() + ARRIVES_S, f"the digest\n{running.tail()}")
        running.wait_for_successor("scans", pid)
        assert timezone.now() >= now + LASTS
        _, digest = story.accepted(running.telegram, QUIET)
        assert "Held back: 1 alert" in digest.text and "ETH shorts liquidated" in digest.text and ", HIGH" in digest.text and "BTC" not in digest.text
        assert digest.params["disable_notification"] in (True, "true", "True")
        assert Delivery.objects.filter(purpose=Delivery.Purpose.DIGEST).count() == 1
        assert not any("Held back" in message.text for message in story.accepted(running.telegram, AWAKE))


def _told(running: Machine, chat: int, asset: str, side: str = "LONG") -> Counter[str]:
    return story.steps_sent(running.telegram, chat, asset, side)
