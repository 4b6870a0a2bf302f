"""The same log at another address: a backup that was restored there, and a copy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cli_fixtures import Cli, Done
from tests.support.storages import KINDS, path_in, url_of

ANA = "+14155550100"
CONTACTS = f"name,phone,sms_on,consent_source\nAna,{ANA},YES,form\n"


@pytest.fixture(params=KINDS)
def optin(request: pytest.FixtureRequest, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A storage with one contact, all of it recorded by its first process."""
    monkeypatch.setenv("OPTIN_STORAGE", url_of(path_in(cli.folder / "data", request.param)))
    cli.file(CONTACTS)
    assert cli("import", "contacts.csv").status == 0
    return cli


def change(optin: Cli, word: str) -> None:
    evidence = ["--evidence", "form"] if word == "yes" else []
    done = optin("set", ANA, "--sms", word, "--reason", "Correction", *evidence)
    assert done.status == 0


def answer(optin: Cli) -> str:
    return str(optin("status", ANA, "--json").json["sms"]["answer"])


def records(optin: Cli) -> list[dict[str, object]]:
    data = (optin.folder / "optin.heads").read_bytes()
    return [json.loads(data[at : at + 246]) for at in range(0, len(data), 256)]


def new_url(optin: Cli) -> str:
    return f"sqlite:///{optin.folder}/restored/optin.db"


def restored(optin: Cli, monkeypatch: pytest.MonkeyPatch) -> Done:
    """As docs/operations.md says: restored to a new address, which is the one in use then."""
    done = optin("restore", optin.folder / "optin.gz", "--to", new_url(optin))
    assert (done.status, done.err) == (0, "")
    monkeypatch.setenv("OPTIN_STORAGE", new_url(optin))
    return done


@pytest.fixture
def backed_up(optin: Cli) -> Cli:
    """With a backup that lacks Ana's NO."""
    assert optin("backup", optin.folder / "optin.gz").status == 0
    change(optin, "no")
    return optin


def test_first_process_of_a_storage_says_which_log_it_is(optin: Cli) -> None:
    (record,) = records(optin)

    assert len(str(record["log"])) == 32


def test_older_backup_at_a_new_address_is_noticed(
    backed_up: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    (remembered,) = records(backed_up)
    done = restored(backed_up, monkeypatch)

    assert "The storage is behind: optin.heads (the same log at another address)" in done.out
    assert f"remembers entry {remembered['size']} of" in done.out
    assert "`optin verify --accept-rollback`" in done.out
    assert "OPTIN_HEAD_FILE" in done.out
    assert answer(backed_up) == "unverified"
    said = backed_up("verify")
    assert (said.status, "optin.heads (the same log at" in said.err) == (1, True)
    assert "🔴 The storage went back to an older copy" in backed_up("doctor").out


def test_loss_of_a_restored_backup_is_accepted_for_good(
    backed_up: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    restored(backed_up, monkeypatch)
    assert backed_up("verify", "--accept-rollback").status == 0

    for word in ("no", "yes", "no", "yes"):
        assert (backed_up("verify").status, backed_up("verify").err) == (0, "")
        change(backed_up, word)
    assert answer(backed_up) == "yes"


def test_newest_backup_at_a_new_address_is_not_behind(
    optin: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    optin("backup", optin.folder / "optin.gz")
    done = restored(optin, monkeypatch)

    assert "remember nothing newer of this log" in done.out
    assert answer(optin) == "yes"
    assert optin("verify").status == 0


def test_drill_with_a_head_file_of_its_own_is_not_behind(
    backed_up: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = backed_up.folder / "optin.heads"
    before = here.read_bytes()
    monkeypatch.setenv("OPTIN_HEAD_FILE", str(backed_up.folder / "drill.heads"))
    done = restored(backed_up, monkeypatch)

    assert "remember nothing newer of this log" in done.out
    assert answer(backed_up) == "yes"
    change(backed_up, "no")
    assert backed_up("verify").status == 0
    assert here.read_bytes() == before


def test_old_storage_is_behind_once_its_copy_went_on(
    optin: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = optin("activity").out
    assert optin("copy", "--to", new_url(optin)).status == 0
    assert optin("verify").status == 0
    with monkeypatch.context() as there:
        there.setenv("OPTIN_STORAGE", new_url(optin))
        change(optin, "no")
        assert optin("verify").status == 0

    assert optin("activity").out == old
    assert answer(optin) == "unverified"


def test_copy_is_behind_where_the_old_storage_went_on(
    optin: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert optin("copy", "--to", new_url(optin)).status == 0
    change(optin, "no")
    monkeypatch.setenv("OPTIN_STORAGE", new_url(optin))

    assert answer(optin) == "unverified"


def test_other_log_in_the_same_head_file_is_not_compared(
    optin: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(optin, "no")
    monkeypatch.setenv("OPTIN_STORAGE", f"tinydb:///{optin.folder}/other/optin.json")
    assert optin("import", "contacts.csv").status == 0

    assert answer(optin) == "yes"
    assert len({str(record["log"]) for record in records(optin)}) == 2


def test_restore_compares_with_a_witness_that_is_a_file(
    backed_up: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    witness = tmp_path / "published.heads"
    monkeypatch.setenv("OPTIN_WITNESSES", witness.as_uri())
    assert backed_up("evidence", ANA, "--output", "ana.zip").status == 0  # the witness gets a head
    (backed_up.folder / "optin.heads").unlink()
    done = restored(backed_up, monkeypatch)

    assert f"The storage is behind: the witness {witness.as_uri()} remembers" in done.out
