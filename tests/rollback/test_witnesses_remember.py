"""A witness remembers what the head file has lost along with the storage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.cli.command_session import open_service
from handlers.witnesses.file_witness import FileWitness
from handlers.witnesses.publish_heads import HeadPublisher
from tests.support.cli_fixtures import Cli
from tests.support.rollback_fixtures import BO, ServedPlace
from tests.support.serving import deliver
from tests.support.stale_copies import older_file
from tests.support.storages import path_in, url_of

ANA = "+14155550100"


@pytest.mark.parametrize("served_place", ["sqlite"], indirect=True)
def test_alert_channel_notices_an_older_copy_without_a_head_file(
    served_place: ServedPlace,
) -> None:
    place = served_place
    (place.folder / ".env").write_text("OPTIN_WITNESSES=slack\n")
    put_back = older_file(place.storage)
    with place.serving() as bot:
        assert deliver(place.port, "SM1", BO)
        bot.terminate()  # the head is posted when it stops
        assert bot.wait(30) == 0
    put_back()
    (place.folder / "optin.heads").unlink()

    with place.serving():
        assert place.answer(BO) == ("unverified", ["storage_behind"])
        assert place.optin("verify", "--accept-rollback")[0] == 0
        place.until(lambda: place.answer(BO)[0] == "yes")
    with place.serving():  # the witness still has the lost head, which was accepted
        assert place.answer(BO) == ("yes", [])


def test_file_notices_an_older_copy_without_a_head_file(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, witness = cli.folder / "data", cli.folder / "published.heads"
    monkeypatch.setenv("OPTIN_STORAGE", url_of(path_in(data, "tinydb")))
    monkeypatch.setenv("OPTIN_WITNESSES", witness.as_uri())
    cli.file(f"name,phone,sms_on,consent_source\nAna,{ANA},YES,form\n")
    cli("import", "contacts.csv")
    older = Path(shutil.copytree(data, cli.folder / "older"))
    cli("set", ANA, "--sms", "no", "--reason", "Correction")
    publish(witness)
    for place, copy in ((data, older), (data, None)):
        shutil.rmtree(place)
        if copy:
            shutil.copytree(copy, place)
        (cli.folder / "optin.heads").unlink(missing_ok=True)

        done = cli("verify")
        assert (done.status, "the witness file://" in done.err) == (1, True)


def publish(witness: Path) -> None:
    with open_service() as service:
        assert HeadPublisher(service, [FileWitness(witness, "file")]).publish_now() == 1


def test_head_of_another_log_in_the_same_file_is_not_compared(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = cli.folder / "published.heads"
    monkeypatch.setenv("OPTIN_WITNESSES", witness.as_uri())
    for name in ("one", "other"):
        monkeypatch.setenv("OPTIN_STORAGE", url_of(path_in(cli.folder / name, "tinydb")))
        cli.file(f"name,phone,sms_on,consent_source\nAna,{ANA},YES,form\n")
        cli("import", "contacts.csv")
        if name == "one":
            cli("set", ANA, "--sms", "no", "--reason", "Correction")
            publish(witness)
            monkeypatch.delenv("OPTIN_WITNESSES")

    monkeypatch.setenv("OPTIN_WITNESSES", witness.as_uri())
    assert cli("verify").status == 0
