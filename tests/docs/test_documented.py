"""Every setting, provider and command is documented, and no page names one that does not exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from bot.cli.program import command, program
from bot.config.settings import Settings
from handlers.slack.commands import SUBCOMMANDS
from handlers.webhooks.providers import SPECS

ROOT = Path(__file__).resolve().parents[2]
PROVIDERS = ROOT / "handlers" / "webhooks" / "providers"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAME = r"(?:OPTIN|SLACK|AWS)_[A-Z][A-Z_]*[A-Z]"
#: What compose.yaml alone reads.
OF_COMPOSE = {"POSTGRES_PASSWORD"}
COMMANDS = {name: command(name) for name in program.commands}


def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def section(page: str, heading: str) -> str:
    """What a page says under a heading of the second level."""
    (found,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", text_of(page), re.M | re.S)
    return str(found)


def quoted_names(*folders: str) -> set[str]:
    """Every name of a setting that stands in quotes by itself in the source."""
    return {
        name
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(rf'"({NAME})"', path.read_text(encoding="utf-8"))
    }


def rows(text: str) -> set[str]:
    """The names in the first column of the tables."""
    first = re.findall(r"^\|([^|]*)\|", text, re.M)
    return {name for cell in first for name in re.findall(NAME, cell)}


def product_settings() -> set[str]:
    return quoted_names("bot/config", "handlers/webhooks") - settings_of_the_tests()


def settings_of_the_tests() -> set[str]:
    """Those that the tests read from the environment."""
    sources = [path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py")]
    return set(re.findall(rf'environ(?:\.get\(|\[)\s*"({NAME})"', "\n".join(sources)))


def leaves(
    commands: dict[str, Any] = COMMANDS, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Every command with its group: `("case", "list")`."""
    for name, one in commands.items():
        if hasattr(one, "commands"):
            yield from leaves(one.commands, (*path, name))
        else:
            yield (*path, name)


def calls() -> Iterator[tuple[str, list[str]]]:
    """Each call of the command line that a page shows, with the page."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        spans = re.findall(r"`((?:\.venv/bin/)?optin [^`\n]+|python -m bot [^`\n]+)`", text)
        spans += re.findall(r"^((?:\.venv/bin/)?optin .+)$", text, re.M)
        for span in spans:
            span = span.partition("#")[0].replace("\\|", " ").replace("…", "")
            words = shlex.split(re.sub(r"[\[\]]", " ", span))
            yield page.name, words[words.index("bot") + 1 :] if "bot" in words else words[1:]


def test_every_setting_is_in_configuration_md_and_no_other() -> None:
    documented = rows(text_of("docs/configuration.md"))
    known = product_settings() | settings_of_the_tests()

    assert len(product_settings()) > 25
    assert known - documented == set(), "write a row for each in docs/configuration.md"
    assert documented - known == set(), "docs/configuration.md has a row for no setting"


def test_the_defaults_in_configuration_md_are_those_of_the_program() -> None:
    row = rf"^\| `({NAME})` \|.*\| ([^|]+) \|$"
    defaults = dict(re.findall(row, text_of("docs/configuration.md"), re.M))
    settings = Settings()

    assert defaults["OPTIN_STORAGE"] == f"`{settings.storage}`"
    assert defaults["OPTIN_COMMAND"] == f"`{settings.command}`"
    assert defaults["OPTIN_REGION"] == f"`{settings.region}`"
    assert defaults["OPTIN_SELF_APPROVE"] == ("`yes`" if settings.self_approve else "`no`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_a_setting_that_does_not_exist(page: Path) -> None:
    named = set(re.findall(rf"\b{NAME}\b", page.read_text(encoding="utf-8")))

    assert named <= product_settings() | settings_of_the_tests()


def test_the_example_file_has_every_setting_and_can_be_read() -> None:
    example = text_of(".env.example")
    named = re.findall(r"^#?([A-Z_]+)=", example, re.M)
    given = dotenv_values(ROOT / ".env.example", interpolate=False)

    assert (product_settings() | OF_COMPOSE) - set(named) == set(), "add a line to .env.example"
    assert sorted(named) == sorted(product_settings() | OF_COMPOSE)
    assert Settings.read({name: value or "" for name, value in given.items()}) == Settings()


def test_every_provider_has_a_section_with_its_settings_and_routes() -> None:
    folders = {path.parent.name for path in PROVIDERS.glob("*/__init__.py")}
    headings = re.findall(r"^## (.+ \(`(\w+)`\))$", text_of("docs/providers/setup.md"), re.M)

    names = {name for _, name in headings}
    assert folders - names == set(), "write a section in docs/providers/setup.md"
    assert names - folders == set(), "docs/providers/setup.md has a section for no provider"
    for heading, name in headings:
        said = section("docs/providers/setup.md", re.escape(heading))
        source = "\n".join(path.read_text("utf-8") for path in (PROVIDERS / name).rglob("*.py"))
        routes = set(re.findall(r'path="(/[\w/-]+)"', source))
        assert routes
        addresses = set(re.findall(r"https://your\.host[\w/-]+", said))
        assert {f"https://your.host{route}" for route in routes} - addresses == set(), (
            f"name these addresses in the section {heading}"
        )


def test_setup_md_names_every_setting_of_a_provider() -> None:
    settings = rows(section("docs/configuration.md", "Providers"))

    assert settings
    named = set(re.findall(NAME, text_of("docs/providers/setup.md")))
    assert settings - named == set(), "name each in the provider's section of setup.md"


def test_the_readme_names_every_provider() -> None:
    companies = [spec for spec in SPECS.values() if not spec.ours]
    readme = text_of("README.md")

    assert len(companies) >= 8
    assert [one.label for one in companies if one.label not in readme] == []


def test_every_command_is_in_usage_md() -> None:
    usage = text_of("docs/usage.md")

    assert len(set(leaves())) > 20
    assert [path for path in leaves() if f"`optin {' '.join(path)}" not in usage] == []


def test_every_sub_command_in_slack_is_in_usage_md() -> None:
    usage = text_of("docs/usage.md")

    assert [one.name for one in SUBCOMMANDS if f"`/optin {one.name}`" not in usage] == []


def test_no_page_shows_a_command_or_an_option_that_does_not_exist() -> None:
    shown = list(calls())
    wrong = []
    for page, words in shown:
        found, inner = None, COMMANDS
        options = {word for word in words if re.match("--[a-z]", word)}
        for word in words:
            if inner and word not in options:
                found = inner.get(word)
                inner = getattr(found, "commands", {})
        params = found.params if found else ()
        known = {name for one in params for name in (*one.opts, *one.secondary_opts)}
        if (found is None and set(words) - options) or options - known - {"--help"}:
            wrong.append((page, words))

    assert len(shown) > 40
    assert wrong == []
