"""Who may import whom: each contract of import-linter can fail, and nothing imports in a circle."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import grimp
import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("bot", "handlers", "storage", "sandbox")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CONTRACTS: dict[str, dict[str, Any]] = {
    contract["id"]: contract for contract in PROJECT["tool"]["importlinter"]["contracts"]
}
#: The libraries that the rules may use.
ALLOWED = {"phonenumbers", "idna"}

#: The contract, a module, and an import that the contract forbids to it.
BREAKS = [
    ("rooms", "bot/consent/rules.py", "import bot.config.settings"),
    ("rooms", "bot/config/settings.py", "import handlers.webhooks"),
    ("rooms", "handlers/vocabulary.py", "import storage.files"),
    ("rooms", "handlers/vocabulary.py", "import bot.runtime.clock"),
    ("rooms", "storage/files.py", "import handlers.vocabulary"),
    ("rooms", "bot/app.py", "import bot.cli.terminal"),
    ("rooms", "storage/files.py", "def late():\n    import bot.runtime.clock"),
    (
        "rooms",
        "storage/files.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import handlers.vocabulary",
    ),
    ("sandbox", "sandbox/manifest.py", "import bot.consent.model"),
    ("product", "handlers/vocabulary.py", "import sandbox.manifest"),
    ("rules", "bot/consent/rules.py", "import bot.consent.store, bot.consent.use_cases.record"),
    ("rules", "bot/consent/store.py", "import bot.consent.gates"),
    ("rules", "bot/consent/alerts.py", "import bot.consent.cases"),
    ("rules", "bot/consent/model.py", "import bot.consent.alerts"),
    ("rules-libraries", "bot/consent/use_cases/record.py", "import msgspec"),
    ("use-cases", "handlers/slack/commands.py", "import bot.consent.store"),
    ("webhooks-and-slack", "handlers/webhooks/signatures.py", "import handlers.slack.ids"),
    ("webhooks-and-slack", "handlers/slack/ids.py", "import handlers.webhooks.signatures"),
    ("webhooks-libraries", "handlers/webhooks/receiver/receive.py", "import slack_sdk"),
    ("webhooks-libraries", "handlers/suppression_lists/list_calls.py", "import slack_sdk"),
    ("lists", "handlers/suppression_lists/list_calls.py", "import handlers.webhooks.signatures"),
    ("lists", "handlers/suppression_lists/list_calls.py", "import handlers.slack.ids"),
    (
        "receiver",
        "handlers/webhooks/receiver/webhook_routes.py",
        "import handlers.webhooks.providers.one_click",
    ),
    ("providers", "handlers/webhooks/providers/mailgun/__init__.py", "import starlette"),
    (
        "providers",
        "handlers/webhooks/providers/mailgun/__init__.py",
        "import bot.consent.use_cases.record",
    ),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all that import-linter reads."""
    folder = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            copy = folder / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    return folder


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*ROOMS, include_external_packages=True, cache_dir=None)


def lint(tree: Path, contract: str) -> tuple[int, str]:
    """The exit status, and all that is printed."""
    run = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    done = subprocess.run(
        [*run, "--contract", contract], cwd=tree, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("contract", "module", "line"), BREAKS)
def test_a_contract_catches_one_forbidden_import(
    contract: str, module: str, line: str, tree: Path
) -> None:
    path = tree / module
    whole = path.read_text("utf-8")
    path.write_text(f"{whole}\n\n{line}\n", "utf-8")
    try:
        status, said = lint(tree, contract)
    finally:
        path.write_text(whole, "utf-8")

    assert "1 broken" in said, said
    assert f"{CONTRACTS[contract]['name']} BROKEN" in said
    assert status == 1


def test_each_contract_is_broken_at_least_once():
    assert {contract for contract, _, _ in BREAKS} == set(CONTRACTS)


def test_every_room_of_bot_has_its_layer():
    layers = {
        room for layer in CONTRACTS["rooms"]["layers"] for room in re.split(r"\s*[|:]\s*", layer)
    }
    found = {f"bot.{path.stem}" for path in (ROOT / "bot").iterdir() if is_module(path)}

    assert layers == found | {"handlers", "storage"}


def test_the_rules_forbid_every_library_that_we_depend_on():
    """By the names that these libraries are imported under."""
    names = defaultdict(set)
    for name, distributions in packages_distributions().items():
        for distribution in distributions:
            if not name.startswith("_"):
                names[canonical(distribution)].add(name)
    wanted = {
        canonical(re.split(r"[^\w.-]", line)[0]) for line in PROJECT["project"]["dependencies"]
    }
    assert wanted <= set(names), "not all dependencies are installed"
    libraries = {name for distribution in wanted for name in names[distribution]}

    assert set(CONTRACTS["rules-libraries"]["forbidden_modules"]) == libraries - ALLOWED


def test_the_rules_import_the_standard_library_and_two_others(graph: grimp.ImportGraph) -> None:
    """Libraries that come with another one are no dependency of ours, and no contract names them."""
    rules = {"bot.consent", *graph.find_descendants("bot.consent")}
    imported = {
        library.partition(".")[0]
        for module in rules
        for library in graph.find_modules_directly_imported_by(module)
        if not library.startswith("bot.consent")
    }

    assert imported - sys.stdlib_module_names == ALLOWED


def test_import_linter_sees_every_module(graph: grimp.ImportGraph) -> None:
    """It overlooks a folder without an `__init__.py`."""
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if "migrations" not in path.parts
    }

    assert modules - graph.modules == set()


def test_nothing_imports_in_a_circle(graph: grimp.ImportGraph) -> None:
    """Imports inside a function, and those for types alone, count as well."""
    circle = None
    try:
        TopologicalSorter(
            {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
        ).prepare()
    except CycleError as error:
        circle = error.args[1]

    assert circle is None


def canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def is_module(path: Path) -> bool:
    if path.is_dir():
        return any(path.glob("*.py"))
    return path.suffix == ".py" and path.stem != "__init__"
