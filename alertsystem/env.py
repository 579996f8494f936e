"""What is set? The settings from the environment or `.env`, each validated, each with a working default."""

import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from monitors.market import Venue

PROJECT_DIR = Path(__file__).resolve().parent.parent
SECRETS = frozenset({"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "TELEGRAM_BOT_TOKEN", "METRICS_TOKEN"})  # may hold a password: never echoed
LISTS = frozenset({"ALLOWED_HOSTS", "VENUES", "ASSETS"})
DATABASE_SCHEMES = ("postgres", "postgresql", "sqlite")
REDIS_SCHEMES = ("redis", "rediss", "redis+socket", "unix")
HOST_SCHEMES = {"WS": ("ws", "wss"), "REST": ("http", "https"), "API": ("http", "https")}
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
LOG_FORMATS = ("text", "json")

TextList = Annotated[list[str], NoDecode]
_WEB = "an http:// or https:// URL"
_SOCKET = "a ws:// or wss:// URL"
_DAYS = "a whole number of days from 1 to 3650"
_SECONDS = "a whole number of seconds from 1 to 86400"


def _setting(default: Any, allowed: str, description: str, **limits: Any) -> Any:
    """A field that can say what it allows; the README's table shows `description`."""
    return Field(default, description=description, json_schema_extra={"allowed": allowed}, validate_default=False, **limits)


class Environment(BaseSettings):
    """Every setting of the product; the README's table lists the same names and defaults (a test compares)."""

    model_config = SettingsConfigDict(env_file=(PROJECT_DIR / ".env", ".env"), env_file_encoding="utf-8", extra="ignore", case_sensitive=True)

    DATABASE_URL: str = _setting(
        "",
        "postgres://user:password@host:port/name or sqlite:///path/to/file",
        "database, e.g. `postgres://user:password@host/name` or `sqlite:////path`; empty: SQLite in `DATA_DIR`",
    )
    REDIS_URL: str = _setting(
        "",
        "redis://host:port/0, rediss://host:port/0, redis+socket:///path?virtual_host=0 or unix:///path?db=0",
        "Redis or Valkey 6.2+; empty: an embedded Valkey in `DATA_DIR`",
    )
    DATA_DIR: Path = _setting(PROJECT_DIR / "data", "a folder that can be written to", "folder of the embedded database, broker and secret key")
    SECRET_KEY: SecretStr = _setting(SecretStr(""), "any text", "Django's secret key; empty: a random one, kept in `DATA_DIR`")
    DEBUG: bool = _setting(False, "true or false", "Django's debug pages; never in production")
    ALLOWED_HOSTS: TextList = _setting(
        ["127.0.0.1", "localhost", "[::1]"], "host names, comma-separated", "host names that the web process answers to", min_length=1
    )
    PRODUCTION: bool = _setting(
        False,
        "true or false",
        "refuse to start with a default key, without `ALLOWED_HOSTS`, `DATABASE_URL` or `REDIS_URL`, or with `DEBUG`; serve static files as collected",
    )
    HTTPS_ONLY: bool = _setting(
        True, "true or false", "in production: only over HTTPS, behind a proxy that sets `X-Forwarded-Proto`; false only behind a tunnel of your own"
    )
    STATIC_ROOT: Path = _setting(
        PROJECT_DIR / "staticfiles", "a folder", "in production: where `manage.py collectstatic` puts static files, and the web process finds them"
    )
    ALIVE_FILE: Path | None = _setting(None, "the path of a file", "in which a process says every two seconds that it lives, for health checks; empty: none")
    VENUES: Annotated[list[Venue], NoDecode] = _setting(list(Venue), f"one or more of {', '.join(Venue)}", "venues to watch", min_length=1)
    ASSETS: TextList = _setting(
        [],
        "assets of letters and digits, e.g. BTC,ETH,1INCH",
        "assets whose liquidations alert, e.g. `BTC,ETH`; empty: the `MAX_ASSETS` of most turnover; open interest and volume are scanned for these and those",
    )
    MAX_ASSETS: int = _setting(
        50, "a whole number from 1 to 2000", "how many assets of most turnover to scan, and to watch when `ASSETS` is empty", ge=1, le=2000
    )
    LIQUIDATION_RETENTION_DAYS: int = _setting(30, _DAYS, "how long liquidations are kept, in days", ge=1, le=3650)
    ALERT_RETENTION_DAYS: int = _setting(
        0, "a whole number of days from 0 to 36500", "how long alerts are kept with all that belongs to them, in days; 0: for ever", ge=0, le=36_500
    )

    VENUE_BUDGET_PERCENT: float = _setting(
        50, "a number over 0, at most 100", "the part of each venue's REST limit that scans may use, in percent", gt=0, le=100, allow_inf_nan=False
    )
    OI_FULL_DAYS: int = _setting(8, _DAYS, "how long open interest samples are kept as they came, in days", ge=1, le=3650)
    OI_POINTS_DAYS: int = _setting(90, _DAYS, "how long they are kept as 5-minute points, in days", ge=1, le=3650)
    CANDLE_DAYS: int = _setting(90, "a whole number of days from 8 to 3650", "how long candles are kept, in days; a baseline needs 8", ge=8, le=3650)

    TELEGRAM_BOT_TOKEN: SecretStr = _setting(SecretStr(""), "the token that @BotFather gave, 123456:ABC...", "the bot's token; empty: no Telegram")
    TELEGRAM_API_URL: str = _setting("https://api.telegram.org", _WEB, "the Bot API's host")
    TELEGRAM_WEBHOOK_URL: str = _setting(
        "",
        "an https:// URL (http:// on this machine only), which Telegram can reach",
        "where Telegram sends what people write, e.g. `https://alerts.example.com/telegram`; empty: the bot asks for it (polling)",
    )
    TELEGRAM_WEBHOOK_LISTEN: str = _setting(
        "",
        "host:port",
        "address on which the bot takes it, in plain HTTP behind your proxy; empty: `127.0.0.1:8081`, or the URL's own when it names this machine",
    )
    TELEGRAM_MESSAGES_PER_SECOND: float = _setting(
        28, "a number over 0, at most 1000", "messages a second in all; Telegram's own limit is about 30", gt=0, le=1000, allow_inf_nan=False
    )
    WEBHOOK_ALLOW_PRIVATE: bool = _setting(
        False, "true or false", "let outgoing webhooks lead to private and loopback addresses too, of this machine and its network"
    )
    EXPIRY_LOW_S: int = _setting(120, _SECONDS, "a LOW message older than this is not sent any more, s", ge=1, le=86_400)
    EXPIRY_MODERATE_S: int = _setting(300, _SECONDS, "the same for MODERATE, s", ge=1, le=86_400)
    EXPIRY_HIGH_S: int = _setting(900, _SECONDS, "the same for HIGH, s", ge=1, le=86_400)
    EXPIRY_EXTREME_S: int = _setting(900, _SECONDS, "the same for EXTREME, s", ge=1, le=86_400)

    BINANCE_WS_URL: str = _setting("wss://fstream.binance.com", _SOCKET, "Binance's socket host; `/market/stream?streams=...` is appended")
    BYBIT_WS_URL: str = _setting("wss://stream.bybit.com", _SOCKET, "Bybit's socket host; `/v5/public/linear` is appended")
    OKX_WS_URL: str = _setting("wss://ws.okx.com:8443", _SOCKET, "OKX's socket host; `/ws/v5/public` is appended")
    BINANCE_REST_URL: str = _setting("", _WEB, "Binance's REST host, for a proxy or a regional host; empty: the venue's own")
    BYBIT_REST_URL: str = _setting("", _WEB, "Bybit's REST host, likewise")
    OKX_REST_URL: str = _setting("", _WEB, "OKX's REST host, likewise")

    METRICS_TOKEN: SecretStr = _setting(SecretStr(""), "any text", "bearer token with which Prometheus may read `/metrics`; empty: nobody may")
    LOG_LEVEL: str = _setting("INFO", f"one of {', '.join(LOG_LEVELS)}", "the least important lines that are logged")
    LOG_FORMAT: str = _setting("text", f"one of {', '.join(LOG_FORMATS)}", "`text`: lines for people; `json`: one JSON object a line")

    @field_validator("*", mode="before")
    @classmethod
    def _from_text(cls, value: Any, info: ValidationInfo) -> Any:
        """`NAME=` means "as if not set" (not for VENUES: to watch nothing is surely a mistake); lists are split at commas."""
        name = info.field_name or ""
        if not isinstance(value, str):
            return value
        if not value.strip() and name != "VENUES":
            return cls.model_fields[name].default
        return _parts(value.lower() if name == "VENUES" else value) if name in LISTS else value.strip()

    @field_validator("ASSETS")
    @classmethod
    def _are_assets(cls, value: list[str]) -> list[str]:
        if bad := [asset for asset in value if not re.fullmatch(r"[^\W_]{1,32}", asset)]:
            raise _NotAllowed(", ".join(bad))
        return [asset.upper() for asset in value]

    @field_validator("DATABASE_URL", "REDIS_URL")
    @classmethod
    def _has_scheme(cls, value: str, info: ValidationInfo) -> str:
        schemes = DATABASE_SCHEMES if info.field_name == "DATABASE_URL" else REDIS_SCHEMES
        if value and (urlsplit(value).scheme not in schemes or not _is_complete(value)):
            raise _NotAllowed(value)
        return value

    @field_validator(*(f"{venue.upper()}_{what}_URL" for venue in Venue for what in ("WS", "REST")), "TELEGRAM_API_URL")
    @classmethod
    def _is_host(cls, value: str, info: ValidationInfo) -> str:
        """A URL with a host and perhaps a path prefix, to which routes are appended."""
        schemes = HOST_SCHEMES[(info.field_name or "").split("_")[1]]
        if value and (urlsplit(value).scheme not in schemes or not _has_host(value) or set("?# ") & set(value)):
            raise _NotAllowed(value)
        return value.rstrip("/")

    @field_validator("TELEGRAM_WEBHOOK_URL")
    @classmethod
    def _is_webhook(cls, value: str) -> str:
        parts = urlsplit(value)
        local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
        if value and (not (parts.scheme == "https" or local) or not _has_host(value) or set("?# {}") & set(value)):
            raise _NotAllowed(value)
        return value

    @field_validator("TELEGRAM_WEBHOOK_LISTEN")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if value and (not re.fullmatch(r"([\w.-]+|\[[0-9a-fA-F:]+\]):\d+", value) or not 0 < int(value.rpartition(":")[2]) < 65_536):
            raise _NotAllowed(value)
        return value

    @field_validator("TELEGRAM_BOT_TOKEN")
    @classmethod
    def _is_token(cls, value: SecretStr) -> SecretStr:
        if value and not re.fullmatch(r"\d+:[\w-]+", value.get_secret_value()):
            raise _NotAllowed("")
        return value

    @field_validator("LOG_LEVEL", "LOG_FORMAT")
    @classmethod
    def _is_listed(cls, value: str, info: ValidationInfo) -> str:
        known = {choice.lower(): choice for choice in (LOG_LEVELS if info.field_name == "LOG_LEVEL" else LOG_FORMATS)}
        if value.lower() not in known:
            raise _NotAllowed(value)
        return known[value.lower()]

    @field_validator("DATA_DIR", "STATIC_ROOT", "ALIVE_FILE")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value and value.expanduser().resolve()


class _NotAllowed(ValueError):
    """A value outside of what its setting allows."""


def _parts(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _is_complete(url: str) -> bool:
    """Whether a server's URL names what its scheme needs: a file, a database, or a host, with numbers for a port and Redis' database."""
    parts = urlsplit(url)
    if parts.scheme in ("sqlite", "redis+socket", "unix"):
        return len(parts.path) > 1 and not parts.netloc
    if parts.scheme.startswith("postgres"):
        return len(parts.path) > 1 and _has_sound_port(url)
    return _has_host(url) and (parts.path in ("", "/") or parts.path[1:].isdecimal())


def _has_host(url: str) -> bool:
    return _has_sound_port(url) and bool(urlsplit(url).hostname)


def _has_sound_port(url: str) -> bool:
    try:
        port = urlsplit(url).port
    except ValueError:  # it is no number
        return False
    return port is None or port > 0


def allowed(field: FieldInfo) -> str:
    """What a setting allows, in words."""
    extra = field.json_schema_extra
    return str(extra["allowed"]) if isinstance(extra, dict) else ""


def problems(error: ValidationError) -> list[str]:
    """One readable line for each malformed setting: its name, what is allowed, and what was given unless it may be secret."""
    lines = {}
    for problem in error.errors():
        name = str(problem["loc"][0])
        cause = problem.get("ctx", {}).get("error")
        given = str(cause) if isinstance(cause, _NotAllowed) else problem["input"]
        got = "" if name in SECRETS else f" (got {given!r})"
        lines[name] = f"{name} is not valid: allowed is {allowed(Environment.model_fields[name])}{got}"
    return list(lines.values())


def read() -> Environment:
    """The settings; ends the process with one line for each that is malformed, naming it and what is allowed."""
    try:
        return Environment()
    except ValidationError as error:
        raise SystemExit("\n".join(problems(error))) from None
