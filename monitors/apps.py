"""Django's registration of monitors."""

from django.apps import AppConfig


class MonitorsConfig(AppConfig):
    """The app: market data -> signals."""

    name = "monitors"
