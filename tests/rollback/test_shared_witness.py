"""A second storage beside the one that a witness file is about: it has no entries at first."""

from __future__ import annotations

import shutil

import pytest

from bot.cli.command_session import open_service
from bot.consent.log.heads import LogHead
from bot.consent.use_cases import Service
from bot.consent.use_cases.log_tree import present_head
from handlers.witnesses.file_witness import FileWitness
from tests.support.cli_fixtures import Cli
from tests.support.storages import path_in, url_of

ANA = "+14155550100"
CONTACTS = f"name,phone,sms_on,consent_source\nAna,{ANA},YES,form\n"
#: What an operator reads who has a new storage.
NEW = "If this is a new storage beside another one with the same witness"


@pytest.fixture
def first(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A storage whose head the witness has, and a second storage that is in use then."""
    witness = cli.folder / "published.heads"
    monkeypatch.setenv("OPTIN_WITNESSES", witness.as_uri())
    use(cli, monkeypatch, "one")
    cli.file(CONTACTS)
    assert cli("import", "contacts.csv").status == 0
    assert cli("evidence", ANA, "--output", "ana.zip").status == 0  # the witness gets a head
    use(cli, monkeypatch, "two")
    return cli


def use(cli: Cli, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("OPTIN_STORAGE", url_of(path_in(cli.folder / name, "sqlite")))


def test_new_storage_is_not_behind_where_the_head_file_knows_the_other_one(first: Cli) -> None:
    done = first("verify")
    assert (done.status, done.err) == (0, "")
    assert first("import", "contacts.csv").status == 0

    assert first("status", ANA, "--json").json["sms"]["answer"] == "yes"
    assert first("verify").status == 0


def test_storage_that_vanished_is_behind_although_the_head_file_knows_another_one(
    first: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert first("import", "contacts.csv").status == 0
    for name in ("one", "two"):
        shutil.rmtree(first.folder / name)
        use(first, monkeypatch, name)
        done = first("verify")

        assert (done.status, "went back" in done.err) == (1, True)
        # The head file remembers this very storage.
        assert NEW not in done.err


def test_empty_storage_that_cannot_be_told_apart_is_behind_and_says_what_to_do(
    first: Cli, caplog: pytest.LogCaptureFixture
) -> None:
    (first.folder / "optin.heads").unlink()
    done = first("verify")
    assert (done.status, NEW in done.err) == (1, True)
    assert NEW in first("doctor").out
    assert first("status", ANA).status == 1
    assert NEW in caplog.text

    assert first("verify", "--accept-rollback").status == 0
    assert first("import", "contacts.csv").status == 0
    assert first("status", ANA, "--json").json["sms"]["answer"] == "yes"
    assert first("verify").status == 0


def test_log_that_vanished_is_found_behind_the_newer_head_of_another_one(
    first: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert first("import", "contacts.csv").status == 0
    for name in ("two", "one"):
        use(first, monkeypatch, name)
        with open_service() as service:
            witness = FileWitness(first.folder / "published.heads", "file")
            witness.publish(head_of(service))
    (first.folder / "optin.heads").unlink()
    first("set", ANA, "--sms", "no", "--reason", "Correction")  # the head file knows "one" alone
    use(first, monkeypatch, "two")
    shutil.rmtree(first.folder / "two")

    assert first("verify").status == 1


def head_of(service: Service) -> LogHead:
    with service.store.reading() as records:
        return present_head(records, service.now())
