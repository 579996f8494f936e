"""Django's registration of subscribers."""

from django.apps import AppConfig


class SubscribersConfig(AppConfig):
    """The app: who wants what."""

    name = "subscribers"
