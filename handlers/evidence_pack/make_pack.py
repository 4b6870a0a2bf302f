"""Make an evidence pack: a zip of files that vouch for one another, and the log for all of them.

    report.html     what Optin knows, for people
    entries.json    the entries of the Activity Log, whole
    proofs.json     for each entry, that it is in the log
    heads.json      which log that is, and its earlier heads that witnesses keep
    README.txt      what all this shows, and how to check it
    manifest.json   the SHA-256 of each of these
    seal.json       that the log has the SHA-256 of manifest.json
    verify.py       checks all of it with Python alone

A manifest alone binds nothing: whoever changes a file can change its hash in the manifest. So the
pack is recorded in the log itself, as an entry with the SHA-256 of manifest.json, and seal.json
shows that entry in the log. The head of the log with that entry goes to the witnesses as soon as
the pack is made, so the manifest is bound to what others keep.

The manifest can't list seal.json, which is made after it. It need not: each value in seal.json
follows from manifest.json and heads.json, or from another value there, and `verify.py` computes
them all. No file lists verify.py: a changed one could say anything.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bot.consent.log.heads import LogHead
from bot.consent.model import Actor
from bot.consent.use_cases import Service
from bot.consent.use_cases.evidence import (
    ContactEvidence,
    EvidenceSeal,
    collect_evidence,
    seal_evidence,
)
from handlers.evidence_pack import pack_shapes, pack_verifier
from handlers.evidence_pack.pack_reader import PackReader
from handlers.evidence_pack.pack_readme import readme
from handlers.evidence_pack.pack_report import report_html
from handlers.evidence_pack.pack_witnesses import remembered_heads
from handlers.witnesses.witness import Witness

#: Read and write for the owner alone, as a zip has it for a file that is unpacked.
_MODE = 0o100600 << 16
_UNIX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class MadePack:
    """A pack."""

    #: Of its file.
    name: str
    #: The zip.
    content: bytes
    #: The head of the log that vouches for it, to be published (`pack_witnesses.publish_head`).
    head: LogHead


def make_pack(
    service: Service,
    contact: str,
    actor: Actor,
    reader: PackReader,
    witnesses: Sequence[Witness] = (),
) -> MadePack:
    """The pack of a contact, by id. Records in the log that it was made, and by whom.

    Raises `NotFound`, `NotAllowed` for whoever is no manager, and `Refused` where a witness
    contradicts the log.
    """
    heads = remembered_heads(witnesses)
    evidence = collect_evidence(service, contact, actor, heads=heads)
    files = listed_files(evidence, reader)
    manifest = manifest_of(files, evidence)
    seal = seal_evidence(service, evidence, hashlib.sha256(manifest).hexdigest(), actor)
    content = zipped(with_seal(files, manifest, seal), evidence.made_at)
    return MadePack(name=pack_name(seal.head), content=content, head=seal.head)


def pack_name(head: LogHead) -> str:
    """A file name that names nobody, and that no other pack of the log has."""
    return f"evidence-{head.at:%Y-%m-%d}-entry-{head.size}.zip"


def listed_files(evidence: ContactEvidence, reader: PackReader) -> dict[str, bytes]:
    """The files that the manifest lists, by name."""
    return {
        "README.txt": readme(evidence, reader).encode(),
        "entries.json": pack_shapes.as_file(pack_shapes.entries_shape(evidence)),
        "heads.json": pack_shapes.as_file(pack_shapes.heads_shape(evidence)),
        "proofs.json": pack_shapes.as_file(pack_shapes.proofs_shape(evidence)),
        "report.html": report_html(evidence, reader).encode(),
    }


def manifest_of(files: dict[str, bytes], evidence: ContactEvidence) -> bytes:
    """manifest.json."""
    return pack_shapes.as_file(
        {
            "pack": 1,
            "contact": evidence.contact.id,
            "sha256": {
                name: hashlib.sha256(content).hexdigest() for name, content in files.items()
            },
        }
    )


def with_seal(files: dict[str, bytes], manifest: bytes, seal: EvidenceSeal) -> dict[str, bytes]:
    """All files of the pack."""
    return {
        **files,
        "manifest.json": manifest,
        "seal.json": pack_shapes.as_file(pack_shapes.seal_shape(seal)),
        "verify.py": Path(pack_verifier.__file__).read_bytes(),
    }


def zipped(files: dict[str, bytes], at: datetime) -> bytes:
    """The same bytes for the same files and time, whatever compresses on this machine: nothing is
    compressed, so that a change of any byte of a file is one of the file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as pack:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(name, at.astimezone(UTC).timetuple()[:6])
            info.create_system, info.external_attr = _UNIX, _MODE
            pack.writestr(info, content)
    return made.getvalue()
