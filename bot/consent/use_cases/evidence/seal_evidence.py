"""The Activity Log vouches for an evidence pack: an entry holds the SHA-256 of its manifest.

A pack would otherwise vouch for itself: whoever changes a file can change the manifest, too. The
entry makes the manifest a part of the log, whose heads are kept by witnesses. The entry comes
after the manifest, so the proofs of the pack's other entries are those of the log before it; a
consistency proof joins the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.consent.errors import NotFound
from bot.consent.log.changes import Noted
from bot.consent.log.entries import PACK_MANIFEST
from bot.consent.log.heads import LogHead
from bot.consent.model import Actor
from bot.consent.permissions import Action, authorize
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.evidence.collect_evidence import ContactEvidence, LoggedEntry
from bot.consent.use_cases.log_tree import consistency, inclusion, present_head
from bot.consent.use_cases.record import Recorder

_REASON = "An evidence pack was made"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSeal:
    """How the log vouches for a manifest."""

    #: The newest of its log when that was `head`.
    entry: LoggedEntry
    head: LogHead
    #: That the log of the pack's entries is the beginning of this one.
    consistency: Sequence[bytes]


def seal_evidence(
    service: Service, evidence: ContactEvidence, manifest: str, actor: Actor
) -> EvidenceSeal:
    """Records that a pack was made, with the SHA-256 of its manifest in hexadecimal digits.

    Who may have a pack is asked again here. An erasure between the reading and this is refused:
    what was read before it must not leave.
    """
    authorize(actor, Action.EVIDENCE)
    with service.store.transaction() as records:
        contact = records.contacts.get(evidence.contact.id)
        if contact is None or contact.erased is not evidence.contact.erased:
            raise NotFound
        _, previous = records.log.head()
        recorder = Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=service.now()
        )
        recorder.record(contact, Noted(reason=_REASON, changes={PACK_MANIFEST: (None, manifest)}))
        entry = records.log.entries(contact=contact.id, limit=1)[0]
        head = present_head(records, entry.recorded_at)
    with service.store.reading() as records:
        return EvidenceSeal(
            entry=LoggedEntry(
                entry=entry, previous=previous, proof=inclusion(records, entry.seq, head.size)
            ),
            head=head,
            consistency=consistency(records, evidence.head.size, head.size),
        )
