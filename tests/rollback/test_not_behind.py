"""What is no older copy, and must not be taken for one."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.support.cli_fixtures import Cli
from tests.support.forked_commands import ForkedCommand
from tests.support.storages import KINDS, path_in, url_of

ANA = "+14155550100"
CONTACTS = f"name,phone,sms_on,consent_source\nAna,{ANA},YES,form\n"


@pytest.fixture(params=KINDS)
def optin(request: pytest.FixtureRequest, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line on a storage with one contact."""
    monkeypatch.setenv("OPTIN_STORAGE", url_of(path_in(cli.folder / "data", request.param)))
    cli.file(CONTACTS)
    assert cli("verify").err == ""  # the first start ever
    assert cli("import", "contacts.csv").status == 0
    return cli


def holds(optin: Cli) -> bool:
    """Whether nothing is missing, and Ana may be texted."""
    done = optin("verify")
    answer = optin("status", ANA, "--json").json["sms"]["answer"]
    return (done.status, done.err, answer) == (0, "", "yes")


def remembered(optin: Cli) -> int:
    return int(json.loads((optin.folder / "optin.heads").read_bytes()[:-10])["size"])


def test_storage_that_goes_on_is_not_behind(optin: Cli) -> None:
    before = remembered(optin)
    optin("set", ANA, "--sms", "no", "--reason", "Correction")
    optin("set", ANA, "--sms", "yes", "--reason", "Correction", "--evidence", "form")

    assert holds(optin)
    assert remembered(optin) == before + 2


def test_erasure_and_an_import_that_is_undone_are_not_a_rollback(optin: Cli) -> None:
    optin.file("name,phone,sms_on,consent_source\nBo,+14155550101,YES,form\n", "more.csv")
    imported = optin("import", "more.csv").out
    undone = optin("import", "--undo", imported.split()[-1].rstrip("."))
    optin("contact", "add", "--name", "Cy", "--phone", "+14155550102")
    erased = optin("erase", "+14155550102", "--yes")

    assert (erased.status, undone.status in (0, 1)) == (0, True)
    assert holds(optin)


def test_commands_that_write_at_once_are_not_a_rollback(optin: Cli) -> None:
    env = dict(os.environ)
    for number in range(3):
        rows = [f"N{row},+1415556{number}{row:03},YES,form" for row in range(100, 160)]
        optin.file("\n".join(["name,phone,sms_on,consent_source", *rows]), f"{number}.csv")
    commands = [
        ForkedCommand(["import", f"{number}.csv"], folder=optin.folder, env=env)
        for number in range(3)
    ]
    done = [command.communicate(120) for command in commands]

    assert [command.wait() for command in commands] == [0, 0, 0], done
    assert holds(optin)
    assert str(remembered(optin)) == optin("verify").out.split()[0].replace(",", "")


def test_copy_at_another_address_is_not_a_rollback(
    optin: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{optin.folder}/copied/optin.db"
    assert optin("copy", "--to", url).status == 0
    monkeypatch.setenv("OPTIN_STORAGE", url)

    assert holds(optin)
    for _ in range(2):
        optin("set", ANA, "--sms", "no", "--reason", "Correction")
        optin("set", ANA, "--sms", "yes", "--reason", "Correction", "--evidence", "form")
        assert holds(optin)


def test_folder_that_was_moved_with_its_settings_is_not_a_rollback(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTIN_STORAGE", "tinydb:///data/optin.json")
    old, new = cli.folder / "old", cli.folder / "new"
    old.mkdir()
    (old / "contacts.csv").write_text(CONTACTS)
    monkeypatch.chdir(old)
    cli("import", "contacts.csv")
    shutil.copytree(old, new)
    monkeypatch.chdir(new)

    assert holds(cli)
    cli("set", ANA, "--sms", "no", "--reason", "Correction")
    shutil.rmtree(new / "data")
    shutil.copytree(old / "data", new / "data")
    assert cli("verify").status == 1


def test_reading_leaves_no_head_file_in_a_folder(
    optin: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = optin.folder / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)

    assert holds(optin)
    assert list(elsewhere.iterdir()) == []


def test_head_file_that_cannot_be_written_is_a_warning(
    optin: Cli, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPTIN_HEAD_FILE", str(optin.folder / "nowhere" / "optin.heads"))
    done = optin("set", ANA, "--sms", "no", "--reason", "Correction")

    assert done.status == 0
    assert "OPTIN_HEAD_FILE names another place" in caplog.text
    assert "can't be used" in optin("doctor").out


def test_what_one_machine_accepted_holds_for_the_head_file_of_another(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = cli.folder / "data"
    monkeypatch.setenv("OPTIN_STORAGE", url_of(path_in(data, "sqlite")))
    machines = [cli.folder / name for name in ("one", "other")]
    cli.file(CONTACTS)
    cli("import", "contacts.csv")
    older = cli.folder / "older"
    for machine in machines:
        machine.mkdir()
        monkeypatch.chdir(machine)
        cli("set", ANA, "--sms", "no", "--reason", "Correction")
        cli("set", ANA, "--sms", "yes", "--reason", "Correction", "--evidence", "form")
        if machine is machines[0]:
            shutil.copytree(data, older)
    put_back(older, data)
    monkeypatch.chdir(machines[1])
    assert cli("verify").status == 1
    monkeypatch.chdir(machines[0])

    # The storage itself says it, also where nothing newer is remembered.
    assert cli("status", ANA, "--json").json["sms"]["answer"] == "unverified"
    assert cli("verify", "--accept-rollback").status == 0
    for machine in reversed(machines):
        monkeypatch.chdir(machine)
        assert holds(cli)
        cli("set", ANA, "--sms", "no", "--reason", "Correction")
        cli("set", ANA, "--sms", "yes", "--reason", "Correction", "--evidence", "form")
    put_back(older, data)
    # It was accepted once, and not for ever.
    assert cli("verify").status == 1


def put_back(older: Path, data: Path) -> None:
    shutil.rmtree(data)
    shutil.copytree(older, data)


def test_nothing_to_accept_is_refused(optin: Cli) -> None:
    done = optin("verify", "--accept-rollback")

    assert done.status == 1
    assert done.err == "The storage has everything that is remembered of it.\n"
