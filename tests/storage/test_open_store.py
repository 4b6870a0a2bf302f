"""The addresses of storages, as they stand in OPTIN_STORAGE."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.consent.errors import Corrupt, OptinError, StorageFailed
from storage import UnknownStorage, open_store
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


@pytest.mark.parametrize("password", ["se@cret", "se@cr@et", "se/cr@et", "12/cr@et", "12?cr@et"])
def test_a_password_with_a_raw_sign_is_refused_without_a_part_of_it(password: str) -> None:
    """Nothing is asked for in the DNS: the refusal comes before any connection."""
    with pytest.raises(UnknownStorage, match="%40") as caught:
        open_store(f"postgresql://optin:{password}@db.example.com/optin")

    for part in ("cret", "cr@", "et@", "db.example.com"):
        assert part not in str(caught.value)


@pytest.mark.parametrize("name", ["tinydb:///{}/optin.json", "sqlite:///{}/optin.db"])
@pytest.mark.parametrize("part", ["", ".log"])
def test_a_link_in_a_folder_of_everybodys_is_not_followed(
    tmp_path: Path, name: str, part: str
) -> None:
    folder, elsewhere = tmp_path / "open", tmp_path / "elsewhere"
    folder.mkdir()
    folder.chmod(0o777)
    file = folder / Path(name).name
    file.with_name(file.name + part).symlink_to(elsewhere)

    with pytest.raises(StorageFailed, match="symbolic link"):
        open_store(name.format(folder))
    assert not elsewhere.exists()

    folder.chmod(0o700)
    open_store(name.format(folder)).close()


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
