"""What do people mean by what they type? Kinds, amounts, severities, durations and times of day, read leniently; pure.

ValueError says what is wrong and gives an example; it never repeats more than a few characters of what was typed.
"""

import re
from collections.abc import Sequence
from datetime import time, timedelta
from decimal import Decimal

from monitors.market import UNIT_OF_KIND, Kind, Unit
from monitors.thresholds import Severity
from subscribers.preferences import OFF

KIND_WORDS = {
    Kind.LIQUIDATION: ("liquidation", "liquidations", "liq", "liqs"),
    Kind.CASCADE: ("cascade", "cascades"),
    Kind.OPEN_INTEREST: ("oi", "open_interest", "openinterest", "open-interest", "interest"),
    Kind.VOLUME: ("volume", "volumes", "vol"),
}
KIND_OF_WORD = {word: kind for kind, words in KIND_WORDS.items() for word in words}
EVERY = frozenset({"all", "any", "every", "everything", "*"})
OTHERS = frozenset({"others", "other"})
NONE = frozenset({"off", "none", "no", "never", "clear"})

AMOUNT = re.compile(r"(?P<sign>[+x×]?) ?(?P<number>[.,]?[0-9][0-9.,_' ]*) ?(?P<unit>[a-z%×]*)")
FILLERS = re.compile(r"\$|\busdt?\b|\bdollars?\b|\bthe\b|\busual\b")
SPACES, MARKS = re.compile(r"[_' ]"), re.compile(r"[.,]")
LONGEST_AMOUNT = 40  # characters
CENT, PART_OF_PERCENT = Decimal("0.01"), Decimal("0.0001")
POWERS = {
    "": 0, "k": 3, "tsd": 3, "thousand": 3, "m": 6, "mm": 6, "mn": 6, "mio": 6, "mil": 6, "mln": 6, "million": 6, "millions": 6,
    "b": 9, "bn": 9, "mrd": 9, "billion": 9, "billions": 9,
}  # fmt: skip
PERCENTS, TIMES = frozenset({"%", "percent", "pct", "prozent"}), frozenset({"x", "×", "times", "fold"})

DURATION = re.compile(r"(?P<count>\d+(?:[.,]\d+)?)\s*(?P<unit>[a-z]*)\s*")
SECONDS = {"": 3600, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=30)
CLOCK = re.compile(r"(?P<hour>\d{1,2})(?:[:.h]?(?P<minute>[0-5]\d)|h)?\s*(?P<half>am|pm)?")
BETWEEN = re.compile(r"\s*(?:-|–|—|\bto\b|\bbis\b|\buntil\b)\s*|(?<=\d)\s+(?=\d)")

HOURS_EXAMPLE = "Write them like 23:00-07:00."
EXAMPLES = {Kind.LIQUIDATION: "1.5M", Kind.CASCADE: "2M", Kind.OPEN_INTEREST: "4%", Kind.VOLUME: "9x"}
LEAST = {Kind.LIQUIDATION: Decimal(1_000), Kind.CASCADE: Decimal(1_000), Kind.OPEN_INTEREST: Decimal("0.1"), Kind.VOLUME: Decimal(100)}
MOST = {Kind.LIQUIDATION: Decimal(10) ** 11, Kind.CASCADE: Decimal(10) ** 11, Kind.OPEN_INTEREST: Decimal(10) ** 5, Kind.VOLUME: Decimal(10) ** 7}
BOUNDS = {
    Kind.LIQUIDATION: "from $1k to $100B", Kind.CASCADE: "from $1k to $100B",
    Kind.OPEN_INTEREST: "from 0.1 % to 100,000 %", Kind.VOLUME: "from 2x to 100,000x",
}  # fmt: skip


def kind_of(words: Sequence[str]) -> tuple[Kind | None, list[str]]:
    """The kind among the words, if any, and the words without it; "open interest" are two."""
    rest = [word for word in words if not (word.lower() == "open" and "interest" in (other.lower() for other in words))]
    found = [word for word in rest if word.lower() in KIND_OF_WORD]
    kinds = {KIND_OF_WORD[word.lower()] for word in found}
    if len(kinds) > 1:
        raise ValueError("One kind at a time: liquidation, cascade, oi or volume.")
    return (kinds.pop() if kinds else None), [word for word in rest if word not in found]


def threshold(kind: Kind, text: str) -> Decimal:
    """A custom threshold in the kind's unit: "2 mio?" is 2,000,000 dollars, "4 %" 4, "9x" of a volume 800 (percent over the usual)."""
    found = AMOUNT.fullmatch(" ".join(FILLERS.sub(" ", text.lower()).strip(" ?!~≥>=").split()))
    if found is None or len(text) > LONGEST_AMOUNT:
        raise ValueError(f"I cannot read that amount. {_example(kind)}")
    value = _in_unit(kind, found["sign"], found["number"], found["unit"])
    if not LEAST[kind] <= value <= MOST[kind]:
        raise ValueError(f"Thresholds of this kind go {BOUNDS[kind]}. {_example(kind)}")
    return value.quantize(CENT if UNIT_OF_KIND[kind] is Unit.USD else PART_OF_PERCENT)


def looks_like_threshold(kind: Kind, text: str) -> bool:
    """Whether a word can be read as a threshold."""
    try:
        threshold(kind, text)
    except ValueError:
        return False
    return True


def severity(text: str) -> int:
    """A severity by its name or its first letters, or OFF."""
    word = text.strip().lower()
    if word in NONE or word == "nothing":
        return OFF
    found = [each for each in Severity if each and word and each.name.lower().startswith(word)]
    if not found:
        raise ValueError("The severities are LOW, MODERATE, HIGH and EXTREME.")
    return found[0]


def duration(text: str) -> timedelta:
    """How long: 30m, 2h, 1h30m, "1.5 hours", 1d, 1w; a bare number counts hours."""
    parts = _durations(text)
    if not parts or any(len(part["count"]) > 6 for part in parts):
        raise ValueError("I cannot read that time span. Write it like 30m, 2h or 1d.")
    span = timedelta(seconds=sum(float(part["count"].replace(",", ".")) * SECONDS[part["unit"][:1]] for part in parts))
    if not SHORTEST <= span <= LONGEST:
        raise ValueError("A mute lasts from 1 minute to 30 days.")
    return span


def looks_like_duration(text: str) -> bool:
    """Whether words are meant as a time span; BTC is not, 2h and "30 min" are."""
    return bool(_durations(text))


def hours(text: str) -> tuple[time, time]:
    """From one time of day to another: 23:00-07:00, "23 - 7", "from 11pm to 7am", "23.00 7.30", "23h-7h30"."""
    ends = BETWEEN.split(text.strip(" ,").lower().removeprefix("from "))
    if len(ends) != 2:
        raise ValueError(f"I cannot read these times. {HOURS_EXAMPLE}")
    begin, end = map(_clock, ends)
    if begin == end:
        raise ValueError("Quiet hours need a beginning and an end that differ.")
    return begin, end


def _example(kind: Kind) -> str:
    """What could be written."""
    unit = {Unit.USD: "dollars", Unit.PERCENT: "percent"}[UNIT_OF_KIND[kind]] if kind is not Kind.VOLUME else "times the usual"
    return f"It is counted in {unit}, for example {EXAMPLES[kind]}."


def _in_unit(kind: Kind, sign: str, number: str, unit: str) -> Decimal:
    if UNIT_OF_KIND[kind] is Unit.USD and sign in ("", "+") and unit in POWERS:
        return _number(number, point=bool(unit)).scaleb(POWERS[unit])
    if kind is Kind.OPEN_INTEREST and sign in ("", "+") and unit in ("", *PERCENTS) or kind is Kind.VOLUME and sign in ("", "+") and unit in PERCENTS:
        return _number(number, point=True)
    if kind is Kind.VOLUME and (sign in ("", "+") and unit in TIMES or sign in TIMES and not unit):
        return (_number(number, point=True) - 1) * 100
    raise ValueError(f"I cannot read that amount. {_example(kind)}")


def _number(text: str, *, point: bool) -> Decimal:
    """2,000,000 and 2'000'000 and 2.000.000 and 1.5 and 1,5. A single point before three digits sets thousands apart, unless it is a decimal `point`."""
    text = SPACES.sub("", text).strip(".,")
    *whole, last = MARKS.split(text)
    one_point = len(whole) == 1 and "." in text
    grouped = len(last) == 3 and all(len(each) == 3 for each in whole[1:]) and whole and 1 <= len(whole[0]) <= 3 and whole[0] != "0"
    if not whole or grouped and len(set(MARKS.findall(text))) == 1 and not (one_point and point):
        return Decimal("".join((*whole, last)))
    return Decimal(f"{''.join(whole)}.{last}")


def _durations(text: str) -> list[re.Match[str]]:
    """The counts of a time span with their units; none when it is no time span. A count without a unit stands alone."""
    text = text.strip().lower()
    parts = list(DURATION.finditer(text))
    is_all = "".join(part[0] for part in parts) == text
    return parts if is_all and all(_is_unit_of_time(part["unit"]) and (part["unit"] or len(parts) == 1) for part in parts) else []


def _is_unit_of_time(unit: str) -> bool:
    return unit in ("", "m", "h", "d", "w") or re.fullmatch(r"mins?|minutes?|hrs?|hours?|days?|weeks?", unit) is not None


def _clock(text: str) -> time:
    found = CLOCK.fullmatch(text)
    hour = int(found["hour"]) if found else 99
    if found is not None and found["half"]:
        hour = hour % 12 + (12 if found["half"] == "pm" else 0) if 1 <= hour <= 12 else 99
    if found is None or hour > 24 or hour == 24 and int(found["minute"] or 0):
        raise ValueError(f"I cannot read these times. {HOURS_EXAMPLE}")
    return time(hour % 24, int(found["minute"] or 0))
