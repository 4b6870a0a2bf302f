"""A time-stamp authority as a witness. The authority is `openssl ts`, with its own certificates."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.consent.log.heads import LogHead, head_text
from bot.consent.use_cases import Service
from handlers.witnesses.timestamp_witness import TimestampWitness
from handlers.witnesses.witness import WitnessFailed
from tests.support.consent_fixtures import NOW
from tests.support.timestamp_authority import Authority, timestamp_authority

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl signs here")

HEAD = LogHead(log="0a" * 16, size=5, chain="1b" * 32, root="2c" * 32, at=NOW)
NEXT = replace(HEAD, size=1_204, chain="3d" * 32, at=HEAD.at + timedelta(days=1))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with timestamp_authority(tmp_path_factory.mktemp("authority")) as running:
        yield running


@pytest.fixture
def authority(running: Authority) -> Authority:
    running.instead = None
    return running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "optin.timestamps"


@pytest.fixture
def witness(service: Service, authority: Authority, file: Path) -> TimestampWitness:
    return asking(service, authority, file)


def asking(service: Service, authority: Authority, file: Path) -> TimestampWitness:
    name, certificates = f"rfc3161:{authority.url}", authority.certificates
    return TimestampWitness(service, authority.url, name, certificates=certificates, file=file)


def test_signed_heads_are_remembered_in_the_storage_and_in_a_file(
    witness: TimestampWitness, service: Service, authority: Authority, file: Path, tmp_path: Path
):
    assert (witness.newest(), witness.remembered()) == (None, [])
    witness.publish(HEAD)
    witness.publish(NEXT)

    assert witness.newest() == NEXT
    assert witness.remembered() == [HEAD, NEXT]
    assert file.stat().st_mode & 0o777 == 0o600
    assert asking(service, authority, tmp_path / "none").remembered() == [HEAD, NEXT]
    with service.store.transaction() as records:
        for name, _ in list(records.key_value.all()):
            records.key_value.put(name, None)
    assert witness.newest() == NEXT
    assert witness.remembered() == [HEAD, NEXT]


def test_witnesses_share_a_file(
    witness: TimestampWitness, service: Service, authority: Authority, file: Path
):
    other = TimestampWitness(
        service, authority.url, "another", certificates=authority.certificates, file=file
    )
    witness.publish(HEAD)
    other.publish(NEXT)

    assert (witness.remembered(), other.remembered()) == ([HEAD], [NEXT])


def test_head_that_was_changed_after_it_was_signed_is_found(witness: TimestampWitness, file: Path):
    witness.publish(HEAD)
    record = json.loads(file.read_text())
    record["head"] = head_text(replace(HEAD, size=6))
    with file.open("a") as lines:
        lines.write(json.dumps(record) + "\n")

    with pytest.raises(WitnessFailed, match="does not hold: Mismatch"):
        witness.remembered()


def test_answer_of_an_authority_that_is_not_trusted_is_refused(
    witness: TimestampWitness, service: Service, authority: Authority, file: Path, tmp_path: Path
):
    with timestamp_authority(tmp_path / "another") as other:
        stranger = TimestampWitness(
            service, other.url, "stranger", certificates=authority.certificates, file=file
        )
        with pytest.raises(WitnessFailed, match="does not hold"):
            stranger.publish(HEAD)
        unknown = TimestampWitness(service, other.url, "unknown", certificates=None, file=file)
        with pytest.raises(WitnessFailed, match="does not hold"):
            unknown.publish(HEAD)

    assert not file.exists()
    assert stranger.newest() is None


def test_old_answer_that_is_replayed_is_refused(
    witness: TimestampWitness, authority: Authority, file: Path
):
    witness.publish(HEAD)
    authority.instead = base64.b64decode(json.loads(file.read_text())["answer"])

    with pytest.raises(WitnessFailed, match="does not hold: Nonce mismatch"):
        witness.publish(HEAD)


@pytest.mark.parametrize("instead", [b"<html>", b"0\x03\x02\x01\x02"])
def test_answer_that_is_none_is_refused(
    witness: TimestampWitness, authority: Authority, instead: bytes
):
    authority.instead = instead

    with pytest.raises(WitnessFailed, match="does not hold"):
        witness.publish(HEAD)


def test_authority_that_is_gone_is_said(service: Service, authority: Authority, file: Path):
    gone = TimestampWitness(
        service,
        "http://127.0.0.1:9/",
        "gone",
        certificates=authority.certificates,
        file=file,
    )

    with pytest.raises(WitnessFailed, match="can't be reached"):
        gone.publish(HEAD)


def test_certificates_that_are_none_are_said(service: Service, authority: Authority, file: Path):
    for certificates in (file.parent / "none.pem", file):
        file.write_text("nothing")
        witness = TimestampWitness(
            service, authority.url, "x", certificates=certificates, file=file
        )
        with pytest.raises(WitnessFailed, match="OPTIN_TIMESTAMP_CERTIFICATES"):
            witness.publish(HEAD)


def test_line_whose_writing_was_interrupted_is_skipped(witness: TimestampWitness, file: Path):
    witness.publish(HEAD)
    whole = file.read_text()
    file.write_text(whole + whole[:50])

    assert witness.remembered() == [HEAD]
