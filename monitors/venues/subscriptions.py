"""What has this Bybit connection been asked for, and what did it refuse? Requests follow the wanted topics by difference."""

from collections.abc import Iterable, Sequence

import orjson

from monitors.venues.registry import BYBIT_ARGS_A_REQUEST


class Subscriptions:
    """The topics of one connection: those asked for, and those refused with the venue's words.

    The venue refuses a whole request for one bad topic, so a refused request is asked again topic by topic.
    """

    def __init__(self) -> None:
        self.refused: dict[str, str] = {}
        self._asked: dict[str, None] = {}
        self._requests: dict[str, Sequence[str]] = {}
        self._number = 0

    def follow(self, wanted: Sequence[str]) -> list[str]:
        """The requests that lead from what was asked for to `wanted`; surplus goes first, for the limit."""
        surplus = [topic for topic in self._asked if topic not in set(wanted)]
        missing = [topic for topic in wanted if topic not in self._asked]
        for topic in surplus:
            del self._asked[topic]
            self.refused.pop(topic, None)
        self._asked |= dict.fromkeys(missing)
        return [*self._ask("unsubscribe", surplus), *self._ask("subscribe", missing)]

    def answered(self, request_id: str, refused: str) -> list[str]:
        """Take in an answer; returns the requests to repeat, topic by topic, when one of several topics was refused."""
        topics = self._requests.pop(request_id, ())
        if not refused or "already subscribed" in refused:
            return []
        if len(topics) > 1:
            return [request for topic in topics for request in self._ask("subscribe", [topic])]
        self.refused |= dict.fromkeys(topics, refused)
        return []

    def _ask(self, operation: str, topics: Sequence[str]) -> Iterable[str]:
        for first in range(0, len(topics), BYBIT_ARGS_A_REQUEST):
            part = topics[first : first + BYBIT_ARGS_A_REQUEST]
            self._number += 1
            if operation == "subscribe":
                self._requests[str(self._number)] = part
            yield orjson.dumps({"op": operation, "args": part, "req_id": str(self._number)}).decode()
