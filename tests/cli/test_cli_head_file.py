"""What `optin doctor` says of a head file that can't be used, and that nothing stops because of
it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli_fixtures import Cli

ANA = "+14155550100"


def folder(path: Path) -> None:
    path.mkdir()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def text(path: Path) -> None:
    path.write_text("Optin log head 1\n" * 40)


def device(path: Path) -> None:
    path.symlink_to("/dev/null")


def in_no_folder(path: Path) -> None:
    path.parent.rmdir()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (folder, "Is a directory"),
        (pipe, "it is not a regular file"),
        (device, "it is not a regular file"),
        (text, "it is not a file of heads that Optin wrote"),
        (in_no_folder, "No such file or directory"),
    ],
)
def test_doctor_says_why_and_what_to_do(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], why: str
) -> None:
    path = cli.folder / "place" / "heads"
    path.parent.mkdir()
    make(path)
    monkeypatch.setenv("OPTIN_HEAD_FILE", str(path))
    assert cli("contact", "add", "--name", "Ana", "--phone", ANA).status == 0
    said = cli("doctor").out.splitlines()
    at = said.index(f"🟡 The head file {path} can't be used: {why}.")

    assert "Set OPTIN_HEAD_FILE to a new file in a folder that Optin may write" in said[at + 1]
    assert not any("remembers nothing of this storage" in line for line in said)
    assert cli("verify").status == 0


def test_doctor_says_it_also_where_the_storage_cannot_be_opened(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTIN_HEAD_FILE", str(cli.folder))
    (cli.folder / "optin.db").write_text("This is no database." * 100)
    monkeypatch.setenv("OPTIN_STORAGE", f"sqlite:///{cli.folder}/optin.db")
    said = cli("doctor").out

    assert "🔴 The storage can't be used." in said
    assert f"🟡 The head file {cli.folder} can't be used: Is a directory." in said


def test_doctor_says_nothing_of_a_head_file_that_can_be_used(cli: Cli) -> None:
    assert "The head file" not in cli("doctor").out
    cli("contact", "add", "--name", "Ana", "--phone", ANA)

    assert "The head file" not in cli("doctor").out
