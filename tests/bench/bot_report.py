"""How do the numbers of the bot read? Their section of docs/benchmarks.md."""

from collections.abc import Mapping, Sequence
from typing import Any

Numbers = Mapping[str, Any]
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}

BOT = """## The bot, idle and under {per_second:,} commands a second

*Idle*: one question at a time, from the moment somebody asks to the request of the answer at a fake Telegram. Aim: within a second. *Reads*:
questions that change nothing, there all at once (only the newest of a chat is answered): how many the bot takes from Telegram, and what each costs it.
Aim: a millisecond of CPU, so that one core takes 1,000 a second. *Flood*: {asking_chats:,} chats send {per_second:,} commands a second, half of which look
into the database or change something at once, while the real alert road works beside the bot; each answer of Telegram takes 60 ms. What the bot does not
take waits at Telegram. How many it took, what each cost it, how many answers went out, and its memory before and at the end.

| database | idle, median | most | aim | reads/s | CPU each | aim | flood, taken/s | CPU each | answers/s | memory before | at the end | 429 |
|---|---|---|---|---|---|---|---|---|---|---|---|---|
{rows}

An EXTREME alert for {chats_each} chats, {rounds} times without and {rounds} times in the flood: milliseconds from its commit to the first and to the last
request. Telegram's limit alone makes the last one wait {least:,.0f} ms.

| database | first, quiet | in the flood | last, quiet | in the flood | ratio |
|---|---|---|---|---|---|
{alerts}
"""


def bot(found: Sequence[Numbers]) -> str:
    """Idle answers, the flood, and alerts beside it, by database."""
    wanted = {name: found[0][name] for name in ("per_second", "asking_chats", "chats_each", "rounds")}
    least = (found[0]["chats_each"] - 1) * 1000 / 28
    return BOT.format(rows="\n".join(map(_row, found)), alerts="\n".join(map(_alerts, found)), least=least, **wanted)


def _row(one: Numbers) -> str:
    aim = "met" if one["idle_ms_most"] <= 1000 else "missed"
    reads = f"{one['reads_a_second']:,.0f} | {one['reads_cpu_ms']:.2f} ms | {'met' if one['reads_cpu_ms'] <= 1 else 'missed'}"
    flood = f"{one['taken'] / one['seconds']:,.0f} | {one['cpu_ms_each']:.2f} ms | {one['answers'] / one['seconds']:.1f}"
    memory = f"{one['mb_before']:.0f} MB | {one['mb_after']:.0f} MB"
    return (
        f"| {DATABASES[one['database']]} | {one['idle_ms']:.0f} ms | {one['idle_ms_most']:.0f} ms | {aim} | {reads} | {flood} | {memory} | {one['refused']} |"
    )


def _alerts(one: Numbers) -> str:
    (first, last), (first_in_flood, last_in_flood) = one["quiet_ms"], one["flooded_ms"]
    times = f"{first:.0f} ms | {first_in_flood:.0f} ms | {last:,.0f} ms | {last_in_flood:,.0f} ms | {last_in_flood / last:.2f}"
    return f"| {DATABASES[one['database']]} | {times} |"
