"""What do /stop, /delete and /export say?"""

STOPPED = "Paused: no more alerts in this chat. Your choices are kept; /start brings them back, /delete removes all that is kept of this chat."
SURE = (
    "This deletes all that is kept of this chat: its choices, thresholds and mutes, the record of their changes, its votes and the record of its messages. "
    "No more alerts come. It cannot be undone; /export shows what it is."
)
DELETE, KEEP = "Delete everything", "Keep it"
KEPT = "Nothing was deleted."
DELETED = "Deleted: nothing is kept of this chat any more, and no more alerts come. /start begins anew."
EXPORT = "All that is kept of this chat, as JSON."
