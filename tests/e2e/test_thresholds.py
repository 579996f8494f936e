"""Does a threshold of one's own, below the system's, reach the phone? From /set over the venues' sockets to the message."""

from contextlib import suppress
from pathlib import Path

from monitors.models import CustomFloor, Signal
from tests.e2e import story
from tests.e2e.machine import Machine, machine
from tests.harness import wait_until

ANN, BOB = 1001, 1002
ARRIVES_S = 45
DRIP_USD, DRIPS = 30_000, 15  # in all less than LOW, within a window of 30 s


def test_a_threshold_below_the_systems_arrives_as_ones_own_and_the_preview_counts_it(transactional_db: None, tmp_path: Path) -> None:
    with machine(tmp_path) as running:
        running.wait_until_ready()
        running.subscribe([ANN, BOB])
        answer = _says(running, ANN, "/set BTC cascade 100k")
        assert "BTC cascades: from $100k (your threshold), instead of from MODERATE." in answer
        assert "Signals below $250k were not kept until now" in answer
        assert CustomFloor.objects.get().value == 100_000

        for _ in range(DRIPS):  # until the detectors know the floor, within 10 s
            story.pour(running.venues, "BTC", DRIP_USD)
            with suppress(AssertionError):
                wait_until(lambda: Signal.objects.filter(kind="cascade", asset="BTC").exists(), 1)
                break
        wait_until(lambda: _own(running, ANN), ARRIVES_S, f"the message\n{running.tail()}")
        assert not _own(running, BOB), "he wants MODERATE and more"
        assert "Last 7 days: 1 alert, as before." in _says(running, ANN, "/set BTC cascade 99k")
        assert "Last 7 days: 0 alerts instead of 1." in _says(running, ANN, "/set BTC cascade 2M")


def _own(running: Machine, chat_id: int) -> list[str]:
    """The messages that came because of a threshold of one's own."""
    return [message.text for message in story.accepted(running.telegram, chat_id) if "your threshold: BTC longs" in message.text]


def _says(running: Machine, chat_id: int, text: str) -> str:
    """What the bot answers."""
    before = len(story.accepted(running.telegram, chat_id))
    running.telegram.user_says(chat_id, text)
    return wait_until(lambda: running.telegram.sent_to(chat_id)[before:], ARRIVES_S, f"the answer to {text}\n{running.tail()}")[-1].plain
