"""What do the columns of the market's tables share? Choices, and one kind of decimal."""

from decimal import Decimal

from django.db import models

from monitors.market import Direction, Kind, Venue

VENUES = [(venue.value, venue.title) for venue in Venue]
KINDS = [(kind.value, kind.value.replace("_", " ")) for kind in Kind]
DIRECTIONS = [(direction.value, direction.value) for direction in Direction if direction]


def decimal_field(verbose_name: str = "", **options: object) -> "models.DecimalField[Decimal, Decimal]":
    """Dollars, prices and coins: 12 places after the point, for the smallest price and the largest amount."""
    return models.DecimalField(verbose_name or None, max_digits=36, decimal_places=12, **options)  # type: ignore[arg-type]  # options are Django's own
