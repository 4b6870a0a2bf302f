"""The addresses of storages, as they stand in OPTIN_STORAGE."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.consent.errors import Corrupt, OptinError
from storage import open_store
from tests.support.store_fixtures import contact, put


def test_the_address_of_a_storage_is_checked(tmp_path: Path) -> None:
    for url in (
        "",
        "optin.json",
        "mysql://host/optin",
        "tinydb://optin.json",
        "tinydb://optin.json/x",
        "tinydb:///",
        "tinydb:optin.json",
        "tinydb:///data/",
        "tinydb:///a?b",
        "tinydb:///a%00b",
    ):
        with pytest.raises(ValueError, match="OPTIN_STORAGE") as caught:
            open_store(url)

        assert isinstance(caught.value, OptinError)


def test_a_relative_address_begins_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store("tinydb:///some/new%20folder/optin.json")
    monkeypatch.chdir("/")
    put(store, contact())
    store.close()

    assert (tmp_path / "some/new folder/optin.json").is_file()


def test_a_damaged_storage_is_a_failure_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "optin.json").write_text("[]")

    with pytest.raises(Corrupt, match=r"optin\.json"):
        open_store(f"tinydb:///{tmp_path}/optin.json")
