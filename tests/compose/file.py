"""What does docker-compose.yml say? Its services as values, variables filled in as compose does."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from alertsystem.env import PROJECT_DIR

FILE = PROJECT_DIR / "docker-compose.yml"
_VARIABLE = re.compile(r"(\w+)(?:(:[-?])(.*))?", re.DOTALL)


class Missing(Exception):
    """A variable that compose demands is not set; the text is what it would say."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service: its command and health check as words, and the environment that it gets."""

    name: str
    command: tuple[str, ...]
    health: tuple[str, ...]
    environment: Mapping[str, str]
    grace_s: float
    raw: Mapping[str, Any]


def services(dotenv: Mapping[str, str]) -> dict[str, Service]:
    """All services, with the variables of `dotenv`; raises Missing."""
    found = _filled(yaml.safe_load(FILE.read_text())["services"], dotenv)
    return {name: _service(name, raw, dotenv) for name, raw in found.items()}


def filled(text: str, variables: Mapping[str, str]) -> str:
    """`text` with `${NAME}`, `${NAME:-default}` and `${NAME:?message}` replaced; raises Missing."""
    done = ""
    while (start := text.find("${")) >= 0:
        end = _closing_brace(text, start)
        done += text[:start] + _value(text[start + 2 : end], variables)
        text = text[end + 1 :]
    return done + text


def _service(name: str, raw: Mapping[str, Any], dotenv: Mapping[str, str]) -> Service:
    health = raw["healthcheck"].get("test", ["CMD"])
    assert health[0] == "CMD", "a health check without a shell"
    from_file = dotenv if raw.get("env_file") == ".env" else {}
    grace_s = float(str(raw.get("stop_grace_period", "10s")).removesuffix("s"))
    return Service(name, tuple(raw.get("command", ())), tuple(health[1:]), {**from_file, **raw["environment"]} if "environment" in raw else {}, grace_s, raw)


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(part, variables) for name, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, variables) for part in value]
    return filled(value, variables) if isinstance(value, str) else value


def _closing_brace(text: str, start: int) -> int:
    depth = 0
    for position in range(start, len(text)):
        depth += (text[position] == "{") - (text[position] == "}")
        if text[position] == "}" and depth == 0:
            return position
    raise ValueError(f"no closing brace in {text!r}")


def _value(body: str, variables: Mapping[str, str]) -> str:
    match = _VARIABLE.fullmatch(body)
    assert match is not None, body
    name, operator, rest = match.groups()
    if variables.get(name):
        return variables[name]
    if operator == ":?":
        raise Missing(f"{name}: {rest}")
    return filled(rest or "", variables)
