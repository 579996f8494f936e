"""Is what the documentation says true? What can be checked of it, is."""

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import get_commands

from alertsystem.env import PROJECT_DIR
from monitors import rulefile
from monitors.market import Kind
from monitors.thresholds import Rule
from subscribers.bot.commands import COMMANDS
from tests import bot_page, settings_table

PAGES = [PROJECT_DIR / "README.md", PROJECT_DIR / "CHANGELOG.md", *sorted((PROJECT_DIR / "docs").glob("*.md"))]
LARGEST_PICTURE = 300_000  # bytes
UNITS = {"k": 1_000, "M": 1_000_000}


def text_of(name: str) -> str:
    return (PROJECT_DIR / name).read_text()


def links(page: Path) -> Iterator[str]:
    yield from (target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()) if "://" not in target)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    assert [target for target in links(page) if target and not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_exists(page: Path) -> None:
    named = re.findall(r"`([\w.-]+(?:/[\w.-]+)+\.(?:py|md|png|toml))`", page.read_text())
    assert [name for name in named if not (PROJECT_DIR / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_and_command_exists(page: Path) -> None:
    text = page.read_text().split("\n## Conversations\n")[0]  # what people say to each other is no command
    code = "\n".join(re.findall(r"`[^`]+`|```.*?```", text, re.DOTALL))
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", code)) <= targets
    assert set(re.findall(r"manage\.py ([a-z_]+)", code)) <= set(get_commands())


def test_the_settings_table_is_that_of_the_code() -> None:
    assert settings_table.between(text_of("README.md")) == settings_table.table(), "write it anew with: python -m tests.settings_table"


def test_the_page_of_the_bot_shows_its_commands_and_its_conversations() -> None:
    assert bot_page.page(text_of("docs/bot.md")) == text_of("docs/bot.md"), "write it anew with: python -m tests.bot_page"


def test_the_commands_that_the_readme_names_are_commands_of_the_bot() -> None:
    section = text_of("README.md").split("\n## Telegram\n")[1].split("\n## ")[0]
    assert set(re.findall(r"`/([a-z]+)`", section)) <= {"newbot"} | {command.name for command in COMMANDS}


def test_the_thresholds_are_the_seeded_ones() -> None:
    rows = re.findall(r"^\| (liquidation|cascade) \| (\w+) \| (.+) \|$", text_of("README.md"), re.MULTILINE)
    told = {(Kind(kind), "" if asset == "other" else asset): [dollars(word) for word in ladder.split(" | ")] for kind, asset, ladder in rows}
    assert told == {(rule.kind, rule.asset): ladder_of(rule) for rule in rulefile.seeded() if rule.kind in (Kind.LIQUIDATION, Kind.CASCADE)}


def ladder_of(rule: Rule) -> list[Decimal]:
    return [rule.low, rule.moderate, rule.high, rule.extreme]


def dollars(word: str) -> Decimal:
    return Decimal(word[:-1]) * UNITS[word[-1]]


def test_the_tables_of_the_architecture_are_models() -> None:
    section = text_of("docs/architecture.md").split("## Tables")[1].split("##")[0]
    models = {model.__name__ for app in ("monitors", "alerts", "subscribers") for model in apps.get_app_config(app).get_models()}
    assert set(re.findall(r"`([A-Z]\w+)`", section)) == models


def test_the_pictures_are_shown_and_small() -> None:
    pictures = {path.name for path in (PROJECT_DIR / "docs" / "pictures").glob("*.png")}
    assert pictures == {Path(target).name for page in PAGES for target in links(page) if target.endswith(".png")}
    assert all((PROJECT_DIR / "docs" / "pictures" / name).stat().st_size < LARGEST_PICTURE for name in pictures)
