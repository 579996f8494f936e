"""What does a fresh installation need? Tables, an admin user, and somebody who listens."""

import secrets

from django.contrib.auth import get_user_model
from django.core.management import call_command

from subscribers.services import ensure_console_subscriber


def prepare() -> None:
    """Bring the tables up to date, and have the console listen."""
    call_command("migrate", verbosity=0, interactive=False)
    ensure_console_subscriber()


def create_admin() -> str | None:
    """Create the user `admin` with a random password and return that, unless somebody can administer already."""
    users = get_user_model()
    if users._default_manager.filter(is_superuser=True).exists():
        return None
    password = secrets.token_urlsafe(12)
    users._default_manager.create_superuser("admin", "", password)
    return password
