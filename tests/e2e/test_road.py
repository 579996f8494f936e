"""Does a liquidation on the wire become a message on the phone? The whole product, over real sockets."""

import sys
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from alerts.models import Alert, Delivery
from monitors.models import Liquidation, Signal
from tests import demo
from tests.e2e import story
from tests.e2e.machine import machine
from tests.fakes.telegram import FakeTelegram
from tests.fakes.venue_markets import VENUES
from tests.fakes.venues import FakeVenues
from tests.harness import Processes, wait_until

CHAT = 1001
ONE_FRAME = timedelta(milliseconds=5)  # frames of one millisecond are told apart by counting the second as later
TOKEN = "4242:end-to-end"
_CELERY = (sys.executable, "-m", "celery", "-q", "-A", "alertsystem")


def test_a_cascade_on_three_venues_arrives_step_by_step_and_is_kept(transactional_db: None, tmp_path: Path) -> None:
    with machine(tmp_path) as running:
        running.wait_until_ready()
        running.subscribe([CHAT])
        expected: list[str] = []

        def told() -> Counter[str]:
            return story.steps_sent(running.telegram, CHAT, "BTC")

        for severity, usd in story.RUNGS["BTC"].items():
            story.pour(running.venues, "BTC", usd)
            expected.append(severity)
            wait_until(lambda: sum(told().values()) >= len(expected), 20, f"the {severity} message\n{running.tail()}")
            assert list(told()) == expected

        story.pour(running.venues, "BTC", story.RUNGS["BTC"]["MODERATE"])  # larger, not louder: the newest message is edited
        newest = running.telegram.sent_to(CHAT)[-1].message_id
        wait_until(lambda: any(edit.accepted for edit in running.telegram.requests("editMessageText")), 20, f"an edit\n{running.tail()}")
        assert {int(edit.params["message_id"]) for edit in running.telegram.requests("editMessageText") if edit.accepted} == {newest}
        assert sum(told().values()) == 3

        alert = Alert.objects.get(asset="BTC", direction="LONG")
        assert (alert.kind, alert.get_severity_display(), alert.closed_at) == ("cascade", "EXTREME", None)
        to_chat = Delivery.objects.filter(alert=alert, subscriber__chat_id=CHAT)
        assert list(to_chat.order_by("step").values_list("step", "state")) == [(2, "sent"), (3, "sent"), (4, "sent")]
        for delivery in to_chat:
            stamps = [delivery.event_at, delivery.received_at, delivery.detected_at, delivery.queued_at, delivery.sent_at]
            known = [stamp for stamp in stamps if stamp is not None]
            assert len(known) == len(stamps)
            assert all(earlier <= later + ONE_FRAME for earlier, later in pairwise(known)), stamps
        wait_until(lambda: set(Liquidation.objects.values_list("venue", flat=True)) == set(VENUES), 5, "liquidations of every venue")
        assert not Signal.objects.filter(decided_at=None).exists()


def test_without_workers_signals_wait_unread_and_with_them_everything_arrives(processes: Processes, tmp_path: Path) -> None:
    with FakeVenues() as venues, FakeTelegram(token=TOKEN) as telegram:
        env = {**venues.env, "TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": telegram.url, "ASSETS": "BTC,ETH,SOL"}
        log = tmp_path / "log"
        processes.celery_workers("scans", env=env, log=log)
        processes.start(*_CELERY, "beat", env=env, log=log)
        processes.manage("watch_liquidations", env=env, log=log)
        processes.manage("run_bot", env=env, log=log)
        venues.wait_for_subscribers(wait_s=60)
        wait_until(demo.contracts_are_read, 60, "known contracts")
        telegram.user_says(CHAT, "/start")
        wait_until(lambda: story.accepted(telegram, CHAT), 30, "the answer to /start")
        telegram.clear()

        story.pour(venues, "BTC", story.RUNGS["BTC"]["MODERATE"])
        story.pour(venues, "ETH", story.RUNGS["ETH"]["HIGH"])
        unread = Signal.objects.filter(decided_at=None)
        wait_until(lambda: {"BTC", "ETH"} <= set(unread.filter(kind="cascade").values_list("asset", flat=True)), 20, "signals of both assets")
        story.pour(venues, "BTC", story.RUNGS["BTC"]["HIGH"])
        wait_until(lambda: unread.filter(kind="cascade", asset="BTC", value__gte=5_000_000).exists(), 20, "the larger signal")
        assert not Signal.objects.exclude(decided_at=None).exists()
        assert not Alert.objects.exists() and not telegram.requests("sendMessage")

        processes.celery_workers("alerts", "delivery", env=env, log=log)
        wait_until(lambda: story.steps_sent(telegram, CHAT, "BTC")["HIGH"] and story.steps_sent(telegram, CHAT, "ETH")["HIGH"], 30, "both messages")
        wait_until(lambda: not unread.exists(), 10, "every signal decided")
        assert max(story.steps_sent(telegram, CHAT, "BTC").values()) == max(story.steps_sent(telegram, CHAT, "ETH").values()) == 1
