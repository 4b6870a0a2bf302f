"""The dry run of an import, in a process of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.config.settings import Settings
from bot.consent.errors import Invalid, StorageFailed
from bot.runtime.read_settings import read_settings
from bot.runtime.rehearse_import import rehearse_import
from handlers.contacts_file import Asked
from tests.support.storages import path_in, url_of


def settings(folder: Path) -> Settings:
    return read_settings({"OPTIN_STORAGE": url_of(path_in(folder))}, need_slack=False)


def contacts(folder: Path) -> Path:
    path = folder / "contacts.csv"
    path.write_text("name,phone,sms_on\nNina Roth,+12125550177,yes\n")
    return path


def test_a_storage_that_fails_is_no_fault_of_the_file(tmp_path: Path) -> None:
    file = contacts(tmp_path)
    nowhere = replace(settings(tmp_path), storage=f"tinydb:///{file}/optin.json")

    with pytest.raises(StorageFailed):
        rehearse_import(nowhere, file, Asked(), None, lambda: None)


def test_a_file_that_makes_no_sense_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text("colour\nred\n")

    with pytest.raises(Invalid, match="column"):
        rehearse_import(settings(tmp_path), path, Asked(), None, lambda: None)


def test_an_error_of_the_dry_run_prints_nothing_that_a_file_may_hold(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # A path that no file can have: its error's text has all of it.
    secret = tmp_path / "+12125550177\0.csv"

    with pytest.raises(ChildProcessError, match="ValueError"):
        rehearse_import(settings(tmp_path), secret, Asked(), None, lambda: None)

    assert "2125550177" not in "".join(capfd.readouterr())
