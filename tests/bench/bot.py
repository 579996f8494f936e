"""Does the bot answer at once when idle, stay small under 1,000 commands a second, and keep out of an EXTREME alert's way?

`python -m tests.bench.bot` with the settings of a scratch installation in the environment; prints JSON.
"""

import asyncio
import json
import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench import road as roads

from django.db import connection  # isort: skip
from alerts.models import Delivery  # isort: skip
from tests import harness  # isort: skip
from tests.fakes import telegram_updates as updates  # isort: skip
from tests.fakes.telegram import FakeTelegram  # isort: skip
from tests.fakes.venue_markets import BINANCE  # isort: skip

IDLE_QUESTIONS, IDLE_APART_S = 50, 0.2
PER_SECOND, ASKING_CHATS = 1_000, 1_000
READING = ("/help", "/recent", "/status")
WORDS = (*READING, "/start", "/mute BTC 2h", "hello")
READS = 10_000
ROUNDS, CHATS_EACH, ROUND_S = 3, 60, 6.0
EXTREME_USD = 3_000_000
LATENCY_S = 0.06  # of each answer of the fake, as measured of the real one
ASKING_FROM = 5_000_000
HZ = os.sysconf("SC_CLK_TCK")


def measure() -> dict[str, object]:
    """Milliseconds of idle answers and of EXTREME alerts without and with a flood; what the flood cost the bot."""
    assets = [f"EX{number}" for number in range(2 * ROUNDS)]
    chats = {roads.FIRST_CHAT + index * CHATS_EACH + number: asset for index, asset in enumerate(assets) for number in range(CHATS_EACH)}
    with roads.road(assets, latency_s=LATENCY_S) as road:
        roads.subscribe(chats)
        roads.subscribe({ASKING_FROM + number: "NONE" for number in range(ASKING_CHATS)})
        env = {"TELEGRAM_BOT_TOKEN": roads.TOKEN, "TELEGRAM_API_URL": road.telegram.url}
        bot = road.processes.manage("run_bot", env=env, log=road.log)
        harness.wait_until(lambda: road.telegram.requests("getUpdates"), 60, "the first poll")
        idle = _idle(road.telegram)
        cpu_s = _cpu_s(bot.pid)
        reads_s = _reads(road.telegram)
        reads_cpu_ms = (_cpu_s(bot.pid) - cpu_s) * 1000 / READS
        quiet = [_round(road, asset) for asset in assets[:ROUNDS]]
        mb, cpu_s, began, answers = _pss_mb(bot.pid), _cpu_s(bot.pid), time.monotonic(), len(road.telegram.sent)
        pushing = asyncio.run_coroutine_threadsafe(_push(road.telegram), road.telegram.thread.loop)
        harness.wait_until(lambda: len(road.telegram.sent) > answers + 20, 60, "the first answers of the flood")
        flooded = [_round(road, asset) for asset in assets[ROUNDS:]]
        pushing.cancel()
        seconds, asked = time.monotonic() - began, PUSHED["count"]
        taken = asked - len(road.telegram.updates.waiting)
        assert bot.poll() is None, "the bot has ended"
        refused = sum(request.answered == 429 for request in road.telegram.requests("sendMessage"))
        return {
            "database": connection.vendor, "idle_ms": statistics.median(idle), "idle_ms_most": max(idle),
            "reads_a_second": READS / reads_s, "reads_cpu_ms": reads_cpu_ms, "rounds": ROUNDS, "chats_each": CHATS_EACH,
            "quiet_ms": _medians(quiet), "flooded_ms": _medians(flooded), "seconds": seconds, "asked": asked, "taken": taken, "refused": refused,
            "answers": len(road.telegram.sent) - answers - ROUNDS * CHATS_EACH, "mb_before": mb, "mb_after": _pss_mb(bot.pid),
            "cpu_ms_each": (_cpu_s(bot.pid) - cpu_s) * 1000 / taken, "asking_chats": ASKING_CHATS, "per_second": PER_SECOND,
        }  # fmt: skip


PUSHED = {"count": 0}


async def _push(telegram: FakeTelegram) -> None:
    """Commands at an even pace until cancelled."""
    began = time.monotonic()
    while True:
        for _ in range(int((time.monotonic() - began) * PER_SECOND) - PUSHED["count"]):
            number = PUSHED["count"]
            chat_id = ASKING_FROM + number % ASKING_CHATS
            telegram.updates.push({"message": updates.message(chat_id, WORDS[number // ASKING_CHATS % len(WORDS)], 1_000_000 + number)})
            PUSHED["count"] += 1
        await asyncio.sleep(0.01)


def _reads(telegram: FakeTelegram) -> float:
    """Seconds in which the bot takes questions that are there all at once and change nothing."""

    async def push() -> None:
        for number in range(READS):
            text = READING[number % len(READING)]
            telegram.updates.push({"message": updates.message(ASKING_FROM + number % ASKING_CHATS, text, 1_000_000 + number)})

    began = time.monotonic()
    telegram.thread.run(push())
    harness.wait_until(lambda: not telegram.updates.waiting, 120, "the last question's confirmation")
    return time.monotonic() - began


def _idle(telegram: FakeTelegram) -> list[float]:
    """Milliseconds from a question to the request of its answer, one question at a time."""
    taken = []
    for number in range(IDLE_QUESTIONS):
        chat_id, asked = ASKING_FROM - 1 - number, time.monotonic()
        telegram.user_says(chat_id, READING[number % len(READING)])
        harness.wait_until(lambda chat_id=chat_id: telegram.sent_to(chat_id), 30, "an answer")  # type: ignore[misc]  # a default in a lambda
        taken.append((telegram.sent_to(chat_id)[0].at - asked) * 1000)
        time.sleep(IDLE_APART_S)
    return taken


def _round(road: roads.Road, asset: str) -> tuple[float, float]:
    """Milliseconds from an EXTREME alert's commit to the first and to the last of its messages."""
    road.venues.send(BINANCE, roads.liquidation_of(asset, EXTREME_USD, int(time.time() * 1000)))
    ended = time.monotonic() + ROUND_S
    deliveries = Delivery.objects.filter(alert__asset=asset)
    harness.wait_until(lambda: deliveries.filter(state="sent").count() == CHATS_EACH, 60, f"{CHATS_EACH} messages of {asset}")
    committed = deliveries.order_by("queued_at").values_list("queued_at", flat=True)[0].timestamp()
    chats = set(deliveries.values_list("subscriber__chat_id", flat=True))
    at = [request.at_epoch for request in road.telegram.requests("sendMessage") if request.chat_id in chats]
    time.sleep(max(0.0, ended - time.monotonic()))
    return (min(at) - committed) * 1000, (max(at) - committed) * 1000


def _medians(rounds: Sequence[tuple[float, float]]) -> list[float]:
    return [statistics.median(first for first, _ in rounds), statistics.median(last for _, last in rounds)]


def _pss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / HZ


if __name__ == "__main__":
    print(json.dumps(measure()))
