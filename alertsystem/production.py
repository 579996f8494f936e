"""What must hold before production starts, and how does it keep to HTTPS?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alertsystem.env import Environment

SHORTEST_KEY = 50  # characters, and at least so many different ones: as Django's own deployment check asks
FEWEST_CHARACTERS = 5
WELL_KNOWN = ("insecure", "changeme", "change-me", "change_me", "your-secret", "your_secret", "placeholder")  # words of keys that stand in examples
MAKE_A_KEY = "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"
HSTS_S = 365 * 24 * 3600


def refusals(env: Environment) -> list[str]:
    """Why production does not start: one line for each setting, naming it; secrets are never repeated."""
    lines = [
        _about_key(env.SECRET_KEY.get_secret_value()),
        _about_hosts(env.ALLOWED_HOSTS),
        "DEBUG must be off: its error pages show the settings" if env.DEBUG else "",
        "" if env.DATABASE_URL else "DATABASE_URL is not set: all processes share one database, e.g. postgres://user:password@host/name",
        "" if env.REDIS_URL else "REDIS_URL is not set: all processes share one Redis or Valkey, e.g. redis://host:6379/0",
    ]
    return [f"PRODUCTION is on, but {line}" for line in lines if line]


def security(https: bool, hosts: Sequence[str]) -> dict[str, Any]:
    """Django's settings behind a proxy that ends TLS and sets X-Forwarded-Proto; without `https` those that need none."""
    if not https:
        return {}
    return {
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
        "SECURE_SSL_REDIRECT": True,
        "SECURE_REDIRECT_EXEMPT": ["^healthz$", "^readyz$", "^metrics$"],  # asked from inside, where there is no TLS
        "SECURE_HSTS_SECONDS": HSTS_S,
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
        "SECURE_HSTS_PRELOAD": True,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "CSRF_TRUSTED_ORIGINS": [f"https://{'*' if host.startswith('.') else ''}{host}" for host in hosts],
    }


def storages(static_root: Path) -> dict[str, Any]:
    """Static files from the collected folder, compressed, under names that change with their content."""
    static = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage", "OPTIONS": {"location": str(static_root)}}
    return {"default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}, "staticfiles": static}


def _about_key(key: str) -> str:
    if not key:
        return f"SECRET_KEY is not set: {MAKE_A_KEY}"
    if len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_CHARACTERS:
        return f"SECRET_KEY is too easy to guess, it needs {SHORTEST_KEY} characters: {MAKE_A_KEY}"
    if any(word in key.lower() for word in WELL_KNOWN):
        return f"SECRET_KEY is a well-known one: {MAKE_A_KEY}"
    return ""


def _about_hosts(hosts: Sequence[str]) -> str:
    if "*" in hosts:
        return "ALLOWED_HOSTS must not be `*`: name the hosts that the web process answers to, e.g. alerts.example.com"
    if list(hosts) == Environment.model_fields["ALLOWED_HOSTS"].default:
        return "ALLOWED_HOSTS is not set: name the hosts that the web process answers to, e.g. alerts.example.com"
    return ""
