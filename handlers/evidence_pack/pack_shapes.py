"""The JSON files of an evidence pack. `pack_verifier.py` reads them; the names are fixed.

An entry has its fields as they are hashed (`bot/consent/log/chain.py`), so that whoever has the
file computes the same digest and the same hash.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bot.consent.log.heads import LogHead
from bot.consent.use_cases.evidence import ContactEvidence, EvidenceSeal, LoggedEntry

Shape = dict[str, Any]


def as_file(shape: object) -> bytes:
    """The same for the same values."""
    return (json.dumps(shape, ensure_ascii=False, indent=2) + "\n").encode()


def entries_shape(evidence: ContactEvidence) -> list[Shape]:
    """entries.json."""
    return [entry_shape(one) for one in evidence.entries]


def proofs_shape(evidence: ContactEvidence) -> list[Shape]:
    """proofs.json: that each entry is a leaf of the tree with the head's root."""
    return [
        {"seq": one.entry.seq, "index": one.entry.seq - 1, "proof": _hashes(one.proof)}
        for one in evidence.entries
    ]


def heads_shape(evidence: ContactEvidence) -> Shape:
    """heads.json: the log that the entries are in, and earlier heads of it that were published.
    `lost` are those that it does not have, each with the `seq` of the entry that accepts that."""
    published = [
        {
            "head": head_shape(one.head),
            "witnesses": list(one.witnesses),
            "consistency": _hashes(one.consistency),
        }
        for one in evidence.published
    ]
    lost = [
        {
            "head": head_shape(one.head),
            "witnesses": list(one.witnesses),
            "accepted": one.accepted,
        }
        for one in evidence.lost
    ]
    return {"head": head_shape(evidence.head), "published": published, "lost": lost}


def seal_shape(seal: EvidenceSeal) -> Shape:
    """seal.json: how the log vouches for manifest.json."""
    return {
        "entry": entry_shape(seal.entry),
        "head": head_shape(seal.head),
        "inclusion": _hashes(seal.entry.proof),
        "consistency": _hashes(seal.consistency),
    }


def head_shape(head: LogHead) -> Shape:
    """A head, with the values that its text has (`log.heads.head_text`)."""
    at = head.at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    return {
        "log": head.log,
        "size": head.size,
        "chain": head.chain,
        "root": head.root,
        "at": f"{at.isoformat()}Z",
    }


def entry_shape(one: LoggedEntry) -> Shape:
    """An entry with everything that its hash is made of."""
    entry, evidence = one.entry, one.entry.evidence
    return {
        "seq": entry.seq,
        "id": entry.id,
        "kind": entry.kind,
        "occurred_at": _instant(entry.occurred_at),
        "recorded_at": _instant(entry.recorded_at),
        "actor": entry.actor,
        "source": entry.source,
        "contact": entry.contact,
        "version": entry.version,
        "channel": entry.channel,
        "sender": entry.sender,
        "by": entry.by,
        "before": entry.before,
        "after": entry.after,
        "expected": entry.expected,
        "provider_id": entry.provider_id,
        "answers": _pairs(entry.answers) if entry.answers else None,
        "address": entry.address,
        "reason": entry.reason,
        "evidence": evidence.text if evidence else None,
        "evidence_at": _instant(evidence.at) if evidence and evidence.at else None,
        "changes": _pairs(entry.changes) if entry.changes else [],
        "salt": entry.salt,
        "digest": entry.digest,
        "previous": one.previous,
        "hash": entry.hash,
    }


def _pairs(named: Any) -> list[list[Any]]:
    return [[name, list(pair)] for name, pair in sorted(named.items())]


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _hashes(proof: Sequence[bytes]) -> list[str]:
    return [hash.hex() for hash in proof]
