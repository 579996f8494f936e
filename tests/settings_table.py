"""Which settings does the README list? The same as the code: `python -m tests.settings_table` writes the table anew."""

from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from alertsystem.env import PROJECT_DIR, Environment

README = PROJECT_DIR / "README.md"
BEGIN, END = "<!-- settings: written by python -m tests.settings_table -->", "<!-- /settings -->"


def table() -> str:
    """The table of every setting, its default and its meaning."""
    rows = [f"| `{name}` | {_default(field.default)} | {field.description} |" for name, field in Environment.model_fields.items()]
    return "\n".join(["| setting | default | meaning |", "|---|---|---|", *rows])


def between(text: str) -> str:
    """The table that stands in `text`, between the marks."""
    return text.split(BEGIN, 1)[1].split(END, 1)[0].strip()


def _default(value: Any) -> str:
    plain = value.get_secret_value() if isinstance(value, SecretStr) else value
    if isinstance(plain, Path):
        return f"`{plain.relative_to(PROJECT_DIR)}`" if plain.is_relative_to(PROJECT_DIR) else f"`{plain}`"
    if isinstance(plain, list):
        return f"`{','.join(str(part.value if isinstance(part, Enum) else part) for part in plain)}`" if plain else ""
    if isinstance(plain, bool):
        return f"`{str(plain).lower()}`"
    return f"`{plain:g}`" if isinstance(plain, float) else f"`{plain}`" if plain not in ("", None) else ""


def main() -> None:
    """Write the README's table."""
    text = README.read_text()
    head, rest = text.split(BEGIN, 1)
    README.write_text(f"{head}{BEGIN}\n{table()}\n{END}{rest.split(END, 1)[1]}")


if __name__ == "__main__":
    main()
