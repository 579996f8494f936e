"""What is said over the chat when somebody taps a button under an alert? Plain text, at most 200 characters."""

from datetime import datetime

from alerts.charts import Wish
from alerts.votes import Voted
from subscribers.bot.clock import Clock

NOT_KEPT = "This alert is not kept any more, so its buttons do nothing."
TOO_MANY = "You have as many mutes as are kept. /unmute ends them."
NOT_TOLD = "This chat never got that alert, so it has no vote on it."
COUNTED = {True: "Counted as useful. Thank you.", False: "Counted as noise. Thank you."}
CHANGED = {True: "Changed to useful.", False: "Changed to noise."}
UNCHANGED = {True: "It is counted as useful already.", False: "It is counted as noise already."}
CHART = {
    Wish.COMING: "The chart comes in a moment.",
    Wish.THERE: "This chat has the chart of this alert already.",
    Wish.NO_DATA: "There is no chart of this alert: no mark prices of that hour are to be had.",
    Wish.NOT_HERE: "Charts come to Telegram chats only.",
}


def muted(what: str, clock: Clock, until: datetime) -> str:
    """What is held back until when; `what` is an asset or the plural of a kind."""
    return f"Muted: {what} until {clock.minutes(until)} ({clock.time_zone}). What comes is held back, and a digest tells it then. /unmute ends it."


def voted(outcome: Voted, *, useful: bool) -> str:
    """What became of a vote."""
    if outcome is Voted.NOT_TOLD:
        return NOT_TOLD
    return {Voted.COUNTED: COUNTED, Voted.CHANGED: CHANGED, Voted.UNCHANGED: UNCHANGED}[outcome][useful]
