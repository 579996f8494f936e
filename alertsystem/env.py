"""What is set? The settings from the environment or `.env`, each validated, each with a working default."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from monitors.market import Venue

PROJECT_DIR = Path(__file__).resolve().parent.parent

TextList = Annotated[list[str], NoDecode]


class Environment(BaseSettings):
    """Every setting of the product; the README's table lists the same names and defaults (a test compares)."""

    model_config = SettingsConfigDict(env_file=PROJECT_DIR / ".env", env_file_encoding="utf-8", extra="ignore", case_sensitive=True, env_ignore_empty=True)

    DATABASE_URL: str = Field("", description="database as a URL, e.g. postgres://user:password@host/name; empty: SQLite in `DATA_DIR`")
    REDIS_URL: str = Field("", description="Redis or Valkey 6.2+ as a URL; empty: an embedded Valkey in `DATA_DIR`")
    DATA_DIR: Path = Field(PROJECT_DIR / "data", description="folder of the embedded database, broker and secret key")
    SECRET_KEY: str = Field("", description="Django's secret key; empty: a random one, kept in `DATA_DIR`")
    DEBUG: bool = Field(False, description="Django's debug pages; never in production")
    ALLOWED_HOSTS: TextList = Field(["127.0.0.1", "localhost", "[::1]"], description="host names that the web process answers to, comma-separated")
    VENUES: Annotated[list[Venue], NoDecode] = Field(list(Venue), description="venues to watch: any of binance, bybit, okx")
    ASSETS: TextList = Field([], description="assets to watch, e.g. BTC,ETH; empty: the `MAX_ASSETS` of most turnover")
    MAX_ASSETS: int = Field(50, ge=1, le=2000, description="how many assets to watch when `ASSETS` is empty")

    @field_validator("ALLOWED_HOSTS", "VENUES", "ASSETS", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def read() -> Environment:
    """The settings; exits with one line for each that is malformed, naming it and what is allowed."""
    try:
        return Environment()
    except ValidationError as error:
        raise SystemExit("\n".join(f"{problem['loc'][0]}: {problem['msg']} (got {problem['input']!r})" for problem in error.errors())) from None
