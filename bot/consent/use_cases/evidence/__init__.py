"""The evidence pack of one contact: what is in it, and how the Activity Log vouches for it.

`handlers/evidence_pack/` writes its files.
"""

from bot.consent.use_cases.evidence.collect_evidence import (
    ContactEvidence,
    LoggedEntry,
    LostHead,
    PublishedHead,
    collect_evidence,
)
from bot.consent.use_cases.evidence.seal_evidence import EvidenceSeal, seal_evidence

__all__ = [
    "ContactEvidence",
    "EvidenceSeal",
    "LoggedEntry",
    "LostHead",
    "PublishedHead",
    "collect_evidence",
    "seal_evidence",
]
