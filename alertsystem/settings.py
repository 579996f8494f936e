"""Django's settings, made from the environment (see env.py)."""

from datetime import timedelta

import dj_database_url

from alertsystem import embedded, env, production, secret_key
from alertsystem.logs import not_readyz
from alertsystem.theme import UNFOLD as UNFOLD

ENV = env.read()
PRODUCTION = ENV.PRODUCTION
if PRODUCTION and (lines := production.refusals(ENV)):
    raise SystemExit("\n".join(lines))
DATA_DIR = ENV.DATA_DIR
ALIVE_FILE = ENV.ALIVE_FILE
METRICS_TOKEN = ENV.METRICS_TOKEN  # a SecretStr
try:
    DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    SECRET_KEY = ENV.SECRET_KEY.get_secret_value() or secret_key.kept_in(DATA_DIR)
except OSError as error:
    raise SystemExit(f"DATA_DIR cannot be used: {error}") from None

# The product
VENUES = ENV.VENUES
ASSETS = ENV.ASSETS
MAX_ASSETS = ENV.MAX_ASSETS
LIQUIDATION_RETENTION_DAYS, ALERT_RETENTION_DAYS = ENV.LIQUIDATION_RETENTION_DAYS, ENV.ALERT_RETENTION_DAYS
OI_FULL_DAYS, OI_POINTS_DAYS, CANDLE_DAYS = ENV.OI_FULL_DAYS, ENV.OI_POINTS_DAYS, ENV.CANDLE_DAYS
BINANCE_WS_URL, BYBIT_WS_URL, OKX_WS_URL = ENV.BINANCE_WS_URL, ENV.BYBIT_WS_URL, ENV.OKX_WS_URL
BINANCE_REST_URL, BYBIT_REST_URL, OKX_REST_URL = ENV.BINANCE_REST_URL, ENV.BYBIT_REST_URL, ENV.OKX_REST_URL  # "" = ccxt's own
VENUE_BUDGET_PERCENT = ENV.VENUE_BUDGET_PERCENT
TELEGRAM_BOT_TOKEN = ENV.TELEGRAM_BOT_TOKEN  # a SecretStr: false when empty, stars when printed
TELEGRAM_API_URL = ENV.TELEGRAM_API_URL
TELEGRAM_WEBHOOK_URL, TELEGRAM_WEBHOOK_LISTEN = ENV.TELEGRAM_WEBHOOK_URL, ENV.TELEGRAM_WEBHOOK_LISTEN
TELEGRAM_MESSAGES_PER_SECOND = ENV.TELEGRAM_MESSAGES_PER_SECOND
WEBHOOK_ALLOW_PRIVATE = ENV.WEBHOOK_ALLOW_PRIVATE
DELIVERY_EXPIRY = {  # from detection; afterwards only history tells
    "LOW": timedelta(seconds=ENV.EXPIRY_LOW_S),
    "MODERATE": timedelta(seconds=ENV.EXPIRY_MODERATE_S),
    "HIGH": timedelta(seconds=ENV.EXPIRY_HIGH_S),
    "EXTREME": timedelta(seconds=ENV.EXPIRY_EXTREME_S),
}

# Django
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
    "axes",
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
    "axes.middleware.AxesMiddleware",
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
ROOT_URLCONF = "alertsystem.urls"
WSGI_APPLICATION = "alertsystem.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_REDIRECT_URL = "admin:index"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = not PRODUCTION  # straight from the packages: no collectstatic step
if PRODUCTION:
    STATIC_ROOT = ENV.STATIC_ROOT
    STORAGES = production.storages(STATIC_ROOT)
    globals().update(production.security(ENV.HTTPS_ONLY, ALLOWED_HOSTS))
SESSION_COOKIE_NAME = "alertsystem_session"  # cookies know no ports: keep apart from other servers on 127.0.0.1
CSRF_COOKIE_NAME = "alertsystem_csrf"

# Logging in: ten wrong passwords for a name from one address, then a pause
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=5)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# The database. SQLite: WAL alone makes "database is locked" worse for several processes, IMMEDIATE ends it.
SQLITE_OPTIONS = {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;"}
_database = dj_database_url.parse(ENV.DATABASE_URL or f"sqlite:///{DATA_DIR / 'alertsystem.sqlite3'}", conn_max_age=None, conn_health_checks=True)
_is_sqlite = _database["ENGINE"] == "django.db.backends.sqlite3"
POSTGRES_OPTIONS = {"connect_timeout": 5, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}  # s; connections are kept for good
DATABASES = {"default": {**_database, "OPTIONS": SQLITE_OPTIONS if _is_sqlite else {**POSTGRES_OPTIONS, **_database.get("OPTIONS", {})}}}

# The broker: `BROKER_URL` as kombu writes it
BROKER_SOCKET = embedded.socket_path(DATA_DIR)
_redis_url = ENV.REDIS_URL or f"redis+socket://{BROKER_SOCKET}?virtual_host=0"
BROKER_URL = _redis_url.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")

# Celery: what each number is for was measured; a task is a hint, the database holds the work
CELERY_BROKER_URL = BROKER_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "priority_steps": [0, 3, 6, 9],
    "sep": ":",
    "queue_order_strategy": "priority",
    "global_keyprefix": "alertsystem:",
    "visibility_timeout": 60,  # s; above the hard time limit, else a running task is started again
    "unacked_restore_interval": 1,  # s; a killed worker's tasks come back soon after the timeout
    "unacked_restore_throttle": 1,
    "health_check_interval": 5,
    "socket_keepalive": True,
    "socket_connect_timeout": 3,
    "socket_timeout": 10,  # without it a frozen broker blocks a publisher for ever
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker for ever
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 40  # s
CELERY_TASK_TIME_LIMIT = 50
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None  # there are no results, so beat needs no row to clean them up
CELERY_TASK_DEFAULT_PRIORITY = 6
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1, "interval_step": 0.1, "interval_max": 0.2}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_DB_REUSE_MAX = 10**9  # else Celery closes the database's connection before and after every task; see connections.py
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10  # s
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False  # tasks may run twice, but need not be cut
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False  # the console channel prints to the real one
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE: dict[str, object] = {}  # rows seeded by a migration, so that an operator's edits stay
CELERY_BEAT_SCHEDULER = "alertsystem.scheduler.Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 2  # s; an edit of the schedule is noticed within it

# Logging: one readable line a record, bot tokens never
LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"()": "alertsystem.logs.TextFormatter"},
        "json": {"()": "alertsystem.logs.JsonFormatter"},
    },
    "filters": {"not_readyz": {"()": "django.utils.log.CallbackFilter", "callback": not_readyz}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": ENV.LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": ENV.LOG_LEVEL},
    "loggers": {
        **{name: {"level": "WARNING"} for name in ("httpx", "httpcore", "telegram", "apscheduler", "asyncio", "urllib3", "kombu", "axes", "matplotlib")},
        **{name: {"level": "WARNING"} for name in ("celery.worker.request", "celery.worker.strategy", "celery.app.trace", "celery.beat")},
        "django_celery_beat.schedulers": {"level": "WARNING"},
        "django": {"handlers": [], "propagate": True, "level": "INFO"},
        "django.request": {"filters": ["not_readyz"]},
        "django.security.DisallowedHost": {"level": "CRITICAL"},  # the answer 400 says it; strangers would fill the log with tracebacks
        "django.server": {"handlers": [], "propagate": True, "level": "INFO"},
        "gunicorn.error": {"handlers": ["stderr"], "level": "WARNING"},  # gunicorn switches its propagation off
    },
}
