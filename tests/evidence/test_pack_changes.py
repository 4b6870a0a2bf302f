"""Every change of a pack is found, but for one of verify.py itself."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.consent.model import Contact
from bot.consent.use_cases import Details, Service, add
from handlers.evidence_pack import pack_shapes, pack_verifier
from handlers.evidence_pack.make_pack import make_pack
from tests.support.consent_fixtures import AGENT, MANAGER
from tests.support.evidence_fixtures import READER, pack_of, problem, resealed
from tests.support.take_fixtures import PHONE


@pytest.fixture
def small(service: Service) -> Contact:
    add(service, Details(name="Bo", phone="+14155550122"), AGENT)
    return add(service, Details(name="Ana", phone=PHONE), AGENT)


def test_every_change_of_a_byte_is_found(service: Service, small: Contact):
    files = pack_of(service, small)
    assert problem(files) is None

    unfound = []
    for name in sorted(set(files) - {"verify.py"}):
        # A hash covers the listed files; of those that vouch for it, each bit is tried.
        bits = 1 if name in pack_verifier.LISTED else 8
        for at, changed in turned(files[name], bits):
            if problem({**files, name: changed}) is None:
                unfound.append((name, at))

    assert unfound == []


def turned(content: bytes, bits: int) -> Iterator[tuple[int, bytes]]:
    """The content with one bit turned, for so many bits of each of its bytes."""
    changed = bytearray(content)
    for at in range(len(content)):
        for bit in range(bits):
            turn = 1 << (at + bit) % 8
            changed[at] ^= turn
            yield at, bytes(changed)
            changed[at] ^= turn


def test_a_byte_of_the_zip_is_found_or_changes_no_file(
    service: Service, small: Contact, tmp_path: Path
):
    content = bytearray(make_pack(service, small.id, MANAGER, READER).content)
    pack = tmp_path / "pack.zip"
    pack.write_bytes(content)
    files = pack_verifier.read_pack(pack)
    content_places = {name: places(pack, name) for name in files}

    harmless = set()
    for at in sorted(set(range(len(content))) - places(pack, "verify.py")):
        content[at] ^= 1 << at % 8
        pack.write_bytes(content)
        content[at] ^= 1 << at % 8
        try:
            found = pack_verifier.read_pack(pack)
        except pack_verifier.DoesNotHold:
            continue
        if found.items() <= files.items() and problem(found) is None:
            harmless.add(at)  # verify.py may be gone: whoever checks has it
        else:
            assert problem(found) is not None

    # What can change is dates, modes and versions: nobody reads a file by them.
    assert not harmless & set().union(*content_places.values())
    assert len(harmless) < 60 * len(files)


def places(path: Path, name: str) -> set[int]:
    """The bytes of a zip that are content of this file."""
    with zipfile.ZipFile(path) as pack:
        info = pack.getinfo(name)
        start = info.header_offset + 30 + len(info.filename.encode())
        return set(range(start, start + info.compress_size))


def test_a_changed_entry_is_found_although_every_hash_was_made_anew(
    service: Service, person: Contact
):
    files = pack_of(service, person)
    entries = json.loads(files["entries.json"])
    entries[1]["occurred_at"] = "2026-01-01T00:00:00+00:00"
    resealed(entries[1])
    files["entries.json"] = pack_shapes.as_file(entries)

    assert problem(files) == (
        "entries.json is not as it was, or manifest.json is not: their SHA-256 differ."
    )
    manifest = json.loads(files["manifest.json"])
    manifest["sha256"]["entries.json"] = hashlib.sha256(files["entries.json"]).hexdigest()
    files["manifest.json"] = pack_shapes.as_file(manifest)
    assert problem(files) == ("manifest.json is not as it was: the log has another SHA-256 of it.")
    sealed = json.loads(files["seal.json"])
    digest = hashlib.sha256(files["manifest.json"]).hexdigest()
    sealed["entry"]["changes"][0][1][1] = digest
    resealed(sealed["entry"])
    sealed["head"]["chain"] = sealed["entry"]["hash"]
    files["seal.json"] = pack_shapes.as_file(sealed)
    last = sealed["entry"]["seq"]
    assert problem(files) == f"Entry {last} is not in the log of {last} entries."


def test_the_entry_of_another_log_does_not_vouch_for_a_pack(service: Service, person: Contact):
    first, second = pack_of(service, person), pack_of(service, person)

    assert problem({**second, "seal.json": first["seal.json"]}) is not None
    assert problem({**second, "heads.json": first["heads.json"]}) is not None


@pytest.mark.parametrize("name", ["report.html", "seal.json", "proofs.json"])
def test_a_missing_file_is_found(service: Service, small: Contact, name: str):
    files = pack_of(service, small)
    del files[name]

    assert problem(files) == f"{name} is missing."


def test_a_file_that_is_none_of_the_packs_is_found(service: Service, small: Contact):
    files = pack_of(service, small)

    assert problem({**files, "report2.html": b""}) == "'report2.html' is no file of a pack."


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b"{}", b"[" * 100_000, b'{"head":1}', b"\xff", b"1e999"]
)
@pytest.mark.parametrize(
    "name", ["manifest.json", "seal.json", "entries.json", "heads.json", "proofs.json"]
)
def test_a_file_of_another_form_is_a_sentence_and_no_traceback(
    service: Service, small: Contact, name: str, content: bytes
):
    files = pack_of(service, small)

    assert problem({**files, name: content})
