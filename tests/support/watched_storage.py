"""A storage of files with a witness in another folder, whose older copy can be put back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.cli.command_session import open_service
from bot.consent.log.heads import LogHead, read_heads
from bot.consent.use_cases.accepted_losses import AcceptedLoss, accepted_losses
from handlers.witnesses.file_witness import FileWitness
from handlers.witnesses.publish_heads import HeadPublisher
from tests.support.cli_fixtures import Cli, Done
from tests.support.evidence_fixtures import unpacked
from tests.support.storages import KINDS, path_in, url_of

ANA = "+14155550100"
CONTACTS = f"name,phone,sms_on,consent_source\nAna,{ANA},YES,form\n"
FILES = [kind for kind in KINDS if kind != "postgresql"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A storage of files, with a witness in another folder."""

    cli: Cli
    data: Path
    witness: Path

    def no(self) -> None:
        assert self.cli("set", ANA, "--sms", "no", "--reason", "Correction").status == 0

    def publish(self) -> LogHead:
        with open_service() as service:
            witness = FileWitness(self.witness, self.witness.as_uri())
            assert HeadPublisher(service, [witness]).publish_now() == 1
        return self.heads()[-1]

    def heads(self) -> list[LogHead]:
        return read_heads(self.witness.read_text())[0]

    def yes(self) -> None:
        evidence = ("--evidence", "form")
        assert self.cli("set", ANA, "--sms", "yes", "--reason", "Correction", *evidence).status == 0

    def copied(self) -> Callable[[], None]:
        """Copies the storage; what it gives puts the copy back."""
        older = self.data.with_name(f"older-{len(list(self.data.parent.iterdir()))}")
        shutil.copytree(self.data, older)

        def put_back() -> None:
            shutil.rmtree(self.data)
            shutil.copytree(older, self.data)

        return put_back

    def accept(self) -> Done:
        done = self.cli("verify", "--accept-rollback")
        assert (done.status, done.err) == (0, "")
        return done

    def compared(self) -> Done:
        return self.cli("verify", "--witness", "all")

    def losses(self) -> list[AcceptedLoss]:
        with open_service() as service, service.store.reading() as records:
            return accepted_losses(records)


def pack(watched: Watched) -> dict[str, bytes]:
    """The files of an evidence pack about Ana."""
    file = watched.cli.folder / "ana.zip"
    file.unlink(missing_ok=True)
    done = watched.cli("evidence", ANA, "--output", file)
    assert (done.status, done.err) == (0, "")
    return unpacked(file.read_bytes())


@pytest.fixture(params=FILES)
def watched(request: pytest.FixtureRequest, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """Ana wants texts, and the witness has a head of that."""
    data, witness = cli.folder / "data", cli.folder / "published.heads"
    monkeypatch.setenv("OPTIN_STORAGE", url_of(path_in(data, request.param)))
    monkeypatch.setenv("OPTIN_WITNESSES", witness.as_uri())
    cli.file(CONTACTS)
    assert cli("import", "contacts.csv").status == 0
    found = Watched(cli=cli, data=data, witness=witness)
    found.publish()
    return found


@pytest.fixture
def rolled_back(watched: Watched) -> Watched:
    """Two heads that the witness got after the copy are lost, and nobody has accepted it yet."""
    put_back = watched.copied()
    for _ in range(2):
        watched.no()
        watched.yes()
        watched.publish()
    put_back()
    return watched
