"""Django's registration of alerts."""

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """The app: signals -> messages."""

    name = "alerts"
