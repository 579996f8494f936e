"""What is lost when a process is killed in the middle of a cascade? Judged by what the fake Telegram received."""

from collections import Counter
from pathlib import Path

from alerts.dispatcher import IN_FLIGHT
from alerts.models import Alert
from tests.e2e import story
from tests.e2e.machine import Machine, machine
from tests.harness import wait_until

CHATS = range(2001, 2031)
ARRIVES_S = 45  # a lease, a restart with backoff and a sweep are far below it


def test_nothing_is_lost_and_nothing_comes_twice_when_a_process_is_killed(transactional_db: None, tmp_path: Path) -> None:
    with machine(tmp_path) as running:
        running.wait_until_ready()
        running.subscribe(CHATS)
        _kill_in_the_middle_of(running, "worker", "BTC", "LONG", may_come_twice=0)
        _kill_in_the_middle_of(running, "drainer", "BTC", "SHORT", may_come_twice=IN_FLIGHT)
        _kill_in_the_middle_of(running, "monitor", "ETH", "LONG", may_come_twice=0)
        _kill_in_the_middle_of(running, "broker", "ETH", "SHORT", may_come_twice=0)


def _kill_in_the_middle_of(running: Machine, victim: str, asset: str, side: str, may_come_twice: int) -> None:
    """MODERATE, the kill while its messages leave, then HIGH and EXTREME."""
    story.pour(running.venues, asset, story.RUNGS[asset]["MODERATE"], side)
    wait_until(
        lambda: _received(running, asset, side)["MODERATE"] >= 5, ARRIVES_S, f"the first MODERATE messages before the kill of {victim}\n{running.tail()}"
    )
    connected = {venue: len(clients) for venue, clients in running.venues.connects.items()}
    pid = running.kill(victim)
    if victim == "monitor":  # what is sent while nobody listens is lost on the venue's side
        wait_until(lambda: all(len(clients) > connected[venue] for venue, clients in running.venues.connects.items()), ARRIVES_S, "new connections")
        running.venues.wait_for_subscribers(wait_s=ARRIVES_S)
    for severity in ("HIGH", "EXTREME"):
        story.pour(running.venues, asset, story.RUNGS[asset][severity], side)
        _wait_for_all(running, asset, side, severity, victim)
    running.wait_for_successor(victim, pid)
    counts = [story.steps_sent(running.telegram, chat, asset, side) for chat in CHATS]
    twice = {chat: count for chat, count in zip(CHATS, counts, strict=True) if max(count.values()) > 1}
    assert sum(sum(count.values()) - len(count) for count in twice.values()) <= may_come_twice, (victim, twice)
    assert all(set(count) <= {"MODERATE", "HIGH", "EXTREME"} for count in counts)
    assert Alert.objects.filter(asset=asset, direction=side).count() == 1, f"one incident in spite of the kill of {victim}"


def _wait_for_all(running: Machine, asset: str, side: str, severity: str, victim: str) -> None:
    def arrived() -> bool:
        return all(story.steps_sent(running.telegram, chat, asset, side)[severity] for chat in CHATS)

    try:
        wait_until(arrived, ARRIVES_S)
    except AssertionError:
        raise AssertionError(f"{severity} did not reach every chat after the kill of {victim}: {_received(running, asset, side)}\n{running.tail()}") from None


def _received(running: Machine, asset: str, side: str) -> Counter[str]:
    return sum((story.steps_sent(running.telegram, chat, asset, side) for chat in CHATS), Counter())
