"""How is a time shown to a chat? On the clock of its time zone."""

from dataclasses import dataclass
from datetime import datetime

from subscribers.models import Subscriber
from subscribers.zones import local


@dataclass(frozen=True, slots=True)
class Clock:
    """A chat's clock at `now`: a time of today is shown without its date."""

    time_zone: str
    now: datetime

    @classmethod
    def of(cls, subscriber: Subscriber | None, now: datetime) -> "Clock":
        """The subscriber's; UTC for a chat that is not subscribed."""
        return cls(subscriber.time_zone if subscriber is not None else "UTC", now)

    def seconds(self, at: datetime) -> str:
        """14:05:12, or 2026-11-21 14:05:12."""
        return self._day(at) + f"{local(at, self.time_zone):%H:%M:%S}"

    def milliseconds(self, at: datetime) -> str:
        """14:05:12.003, or 2026-11-21 14:05:12.003."""
        return f"{self.seconds(at)}.{at.microsecond // 1000:03d}"

    def minutes(self, at: datetime) -> str:
        """14:05, or 2026-11-21 14:05."""
        return self._day(at) + f"{local(at, self.time_zone):%H:%M}"

    @property
    def note(self) -> str:
        """In which zone times are."""
        return f"Times are {self.time_zone}."

    def _day(self, at: datetime) -> str:
        day = local(at, self.time_zone).date()
        return "" if day == local(self.now, self.time_zone).date() else f"{day:%Y-%m-%d} "
