"""What can be tapped under an alert? Rows of labels with the data that the bot gets back, at most 64 bytes each; pure."""

from collections.abc import Sequence

from monitors.market import Kind
from subscribers.wording import PLURALS

Row = Sequence[tuple[str, str]]

MUTE_ASSET, MUTE_KIND, VOTE, WHY, CHART = "m", "k", "v", "w", "c"  # the names under which the bot's tables know them
MUTE_H = (1, 8)
USEFUL, NOISE = "u", "n"
MAX_ASSET = 12  # characters of an asset's name on a button; a phone shows about 20 when there are two in a row


def under_alert(alert_id: int, asset: str, kind: Kind, chat_type: str) -> list[Row]:
    """The buttons under a message about the alert. Who reads a channel cannot mute it: there it is votes, why and chart only."""
    short = asset if len(asset) <= MAX_ASSET else asset[: MAX_ASSET - 1] + "…"
    opinions = [("👍 Useful", f"{VOTE}:{alert_id}:{USEFUL}"), ("👎 Noise", f"{VOTE}:{alert_id}:{NOISE}")]
    answers = [("Why?", f"{WHY}:{alert_id}"), ("Chart", f"{CHART}:{alert_id}")]
    if chat_type == "channel":
        return [opinions, answers]
    return [
        [(f"Mute {short} {hours} h", f"{MUTE_ASSET}:{alert_id}:{hours}") for hours in MUTE_H],
        [(f"Mute {PLURALS[kind]} {MUTE_H[-1]} h", f"{MUTE_KIND}:{alert_id}")],
        opinions,
        answers,
    ]
