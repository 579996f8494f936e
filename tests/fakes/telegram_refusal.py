"""What is an error answer of the Bot API?"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Refused(Exception):
    """An error answer."""

    status: int
    description: str
    parameters: Mapping[str, int] = field(default_factory=dict)
