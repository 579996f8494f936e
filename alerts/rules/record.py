"""Is this the largest in a long time? What is said of it beside an alert; nothing where little is on record."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

DAY = timedelta(days=1)
LEAST_DAYS = 2  # a shorter time without a larger one says nothing


@dataclass(frozen=True, slots=True)
class Record:
    """When the last incident ended that was at least as large, its largest value (None: there is none), and since when records cover the story.

    `since` None: not looked up, for the larger one or the first of all is too recent to say anything.
    """

    larger_at: datetime | None = None
    larger: str | None = None
    since: datetime | None = None

    def line(self, peak_at: datetime) -> str:
        """Largest in 9 days; "" when it is not worth saying, or not known."""
        if self.since is None:
            return ""
        begun = self.larger_at is None or self.larger_at < self.since
        days = (peak_at - (self.since if begun else self.larger_at or self.since)) // DAY
        if days < LEAST_DAYS:
            return ""
        return f"Largest since records began {days:,} days ago" if begun else f"Largest in {days:,} days"

    def as_json(self) -> dict[str, str | None]:
        """As it is stored."""
        times = {"larger_at": self.larger_at, "since": self.since}
        return {"larger": self.larger, **{name: None if at is None else at.isoformat() for name, at in times.items()}}

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Self:
        """As it was stored."""
        times = (kept.get(name) for name in ("larger_at", "since"))
        larger_at, since = (datetime.fromisoformat(text) if text else None for text in times)
        return cls(larger_at, kept.get("larger"), since)
