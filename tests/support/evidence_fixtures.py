"""An evidence pack of a contact with a history, and its files."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.consent.log.merkle_tree import consistency_proof, inclusion_proof, leaf_hash, root
from bot.consent.model import Actor, Channel, Contact
from bot.consent.use_cases import CaseRequest, Details, Service, add, approve, change, note, request
from bot.consent.use_cases.ingest import ingest
from bot.runtime.clock import Stopped
from handlers.evidence_pack import pack_verifier
from handlers.evidence_pack.make_pack import make_pack
from handlers.evidence_pack.pack_reader import PackReader
from handlers.evidence_pack.pack_shapes import as_file
from tests.support.consent_fixtures import AGENT, MANAGER, PROVIDERS
from tests.support.take_fixtures import MAILBOX, PHONE, TOLL_FREE, YES, text

READER = PackReader(
    providers=PROVIDERS,
    version="0.2",
    actor=MANAGER.id,
    zone_of=ZoneInfo("America/Los_Angeles"),
    name_of={MANAGER.id: "Sam Lee"}.get,
)


@pytest.fixture
def person(service: Service, clock: Stopped) -> Contact:
    """Agreed, texted STOP, asked to come back, and texted UNSTOP."""
    found = add(service, Details(name="Ana Gómez", phone=PHONE, email=MAILBOX), AGENT)
    change(service, found.id, YES, AGENT)
    clock.advance(timedelta(days=1, seconds=5))
    ingest(service, [text("STOP", sender=TOLL_FREE, occurred_at=clock())])
    clock.advance(timedelta(days=3))
    ask = CaseRequest(channel=Channel.SMS, evidence="She asked for our texts in the shop")
    case = request(service, found.id, ask, AGENT)
    approve(service, case.id, MANAGER)
    clock.advance(timedelta(hours=1))
    ingest(service, [text("UNSTOP", sender=TOLL_FREE, occurred_at=clock())])
    note(service, found.id, "Called back", AGENT)
    return found


def pack_of(service: Service, contact: Contact, actor: Actor = MANAGER) -> dict[str, bytes]:
    """The files of a new pack, by name."""
    return unpacked(make_pack(service, contact.id, actor, READER).content)


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as pack:
        return {name: pack.read(name) for name in pack.namelist()}


def problem(files: dict[str, bytes]) -> str | None:
    """What verify.py finds in these files."""
    try:
        pack_verifier.check(files, [])
    except pack_verifier.DoesNotHold as found:
        return str(found)
    return None


def run_alone(program: Path, *arguments: str | Path) -> tuple[int, str]:
    """Exit status and output of a program of a pack, by a Python without any library."""
    command = [sys.executable, "-I", "-S", program, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=program.parent, timeout=60, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def resealed(entry: dict[str, object]) -> None:
    """Gives a changed entry the digest and the hash that fit it."""
    personal = [entry[name] for name in pack_verifier._PERSONAL]
    entry["digest"] = pack_verifier._sha256([entry["salt"], *personal])
    fields = [entry[name] for name in pack_verifier._HASHED]
    answers = [] if entry["answers"] is None else [entry["answers"]]
    entry["hash"] = pack_verifier._sha256([entry["previous"], *fields, entry["digest"], *answers])


def sealed_anew(files: dict[str, bytes], hashes: list[str]) -> dict[str, bytes]:
    """The pack with a manifest, a seal and a tree that fit its files, as a forger makes them."""
    manifest = json.loads(files["manifest.json"])
    for name in manifest["sha256"]:
        manifest["sha256"][name] = hashlib.sha256(files[name]).hexdigest()
    made = as_file(manifest)
    sealed = json.loads(files["seal.json"])
    entry, before = sealed["entry"], sealed["head"]["size"] - 1
    entry["changes"][0][1][1] = hashlib.sha256(made).hexdigest()
    resealed(entry)
    leaves = [leaf_hash(bytes.fromhex(one)) for one in (*hashes[:before], entry["hash"])]
    sealed["head"] |= {"chain": entry["hash"], "root": root(leaves).hex()}
    sealed["inclusion"] = [one.hex() for one in inclusion_proof(leaves, before)]
    sealed["consistency"] = [one.hex() for one in consistency_proof(leaves, before)]
    return {**files, "manifest.json": made, "seal.json": as_file(sealed)}
