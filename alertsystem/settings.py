"""Django's settings, made from the environment (see env.py)."""

from datetime import timedelta

import dj_database_url

from alertsystem import env

ENV = env.read()
DATA_DIR = ENV.DATA_DIR
DATA_DIR.mkdir(parents=True, exist_ok=True)
SECRET_KEY = ENV.SECRET_KEY or "to be replaced by the runtime helper"
DEBUG = ENV.DEBUG
ALLOWED_HOSTS = ENV.ALLOWED_HOSTS

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "alertsystem",
    "monitors",
    "subscribers",
    "alerts",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
ROOT_URLCONF = "alertsystem.urls"

SQLITE_OPTIONS = {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;"}
if ENV.DATABASE_URL:
    DATABASES = {"default": dict(dj_database_url.parse(ENV.DATABASE_URL, conn_max_age=600))}
else:
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATA_DIR / "alertsystem.sqlite3", "OPTIONS": SQLITE_OPTIONS, "CONN_MAX_AGE": 600}}

# How long a delivery stays useful, from detection; afterwards only history tells.
DELIVERY_EXPIRY = {"LOW": timedelta(minutes=2), "MODERATE": timedelta(minutes=5), "HIGH": timedelta(minutes=15), "EXTREME": timedelta(minutes=15)}
