"""What the report of an evidence pack says of records that were lost.

Entries about the person may have been among them, so a reader has to know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.consent.use_cases.accepted_losses import AcceptedLoss
from bot.consent.use_cases.evidence import ContactEvidence, LostHead
from handlers.evidence_pack.pack_reader import PackReader
from handlers.evidence_pack.report_text import as_html, in_words


def losses_section(evidence: ContactEvidence, reader: PackReader) -> str:
    """HTML; empty where nothing was lost."""
    if not evidence.losses:
        return ""
    said = "".join(
        f"<p>{' '.join(_sentences(loss, evidence.lost, reader))}</p>\n" for loss in evidence.losses
    )
    return f"<h2>Records that were lost</h2>\n{said}"


def _sentences(loss: AcceptedLoss, lost: Sequence[LostHead], reader: PackReader) -> Iterator[str]:
    yield (
        "Optin went on from an older copy of its records. What the log had as "
        f"{loss.entries} is lost, and is not in this report. What has these numbers now was "
        "recorded later."
    )
    if loss.kept:
        yield f"Up to entry {loss.kept:,} the log agreed with what was remembered elsewhere."
    else:
        yield "No earlier entry was remembered elsewhere, so more may be lost."
    yield (
        f"{as_html(reader.person(loss.by))} accepted the loss on {in_words(loss.at, reader)} "
        f"(entry {loss.entry.seq:,})."
    )
    if heads := [one for one in lost if one.accepted == loss.entry.seq]:
        names = sorted({name for one in heads for name in one.witnesses})
        yield (
            f"That is why the log lacks {len(heads):,} of the heads that witnesses keep "
            f"({as_html(', '.join(names))})."
        )
