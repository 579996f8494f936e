"""What did an asset cost, and by how much has that moved? The mark prices of the last minutes."""

from collections import deque
from collections.abc import Mapping
from decimal import Decimal

KEPT_MS = 600_000  # longer windows get no change
FRESH_MS = 15_000  # marks come every 3 s; an older one is no current price
CENTIPERCENT = Decimal("0.01")


class MarkBook:
    """Mark prices by asset, dollars per coin, as they arrived."""

    def __init__(self) -> None:
        self._frames: deque[tuple[int, Mapping[str, Decimal]]] = deque()

    def add(self, marks: Mapping[str, Decimal], at_ms: int) -> None:
        """The marks of one frame."""
        self._frames.append((at_ms, marks))
        while self._frames[0][0] < at_ms - KEPT_MS:
            self._frames.popleft()

    def details(self, asset: str, window_s: int, at_ms: int) -> dict[str, str]:
        """For a signal's details: `mark_price` in dollars per coin and `mark_change_percent` over the window; what is not known is left out."""
        price = self._at(asset, at_ms)
        if price is None:
            return {}
        before = self._at(asset, at_ms - window_s * 1000)
        change = {} if before is None else {"mark_change_percent": f"{((price / before - 1) * 100).quantize(CENTIPERCENT):f}"}
        return {"mark_price": f"{price.normalize():f}", **change}

    def _at(self, asset: str, at_ms: int) -> Decimal | None:
        for frame_ms, marks in reversed(self._frames):
            if frame_ms < at_ms - FRESH_MS:
                return None
            if frame_ms <= at_ms and asset in marks:
                return marks[asset]
        return None
