"""Django's registration of the project itself: its commands and the seeded schedule."""

from django.apps import AppConfig


class AlertsystemConfig(AppConfig):
    """The app: what runs all the others."""

    name = "alertsystem"

    def ready(self) -> None:
        """Make the Celery app the current one, so that tasks of every process belong to it; let connections be set up."""
        from alertsystem import celery, connections  # noqa: F401  # they need the settings, which are there only now
