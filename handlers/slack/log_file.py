"""The Activity Log of a contact as a CSV file that spreadsheets can open without harm."""

from __future__ import annotations

from bot.consent.log.entries import Entry
from bot.consent.model import Actor, Contact
from bot.consent.use_cases import Service, activity
from handlers.cells import defused, line

_COLUMNS = (
    "occurred_at",
    "recorded_at",
    "kind",
    "channel",
    "before",
    "after",
    "actor",
    "source",
    "reason",
    "evidence",
    "address",
    "expected",
    "provider_id",
    "hash",
)
_PAGE = 500


def log_file(consent: Service, id: str, actor: Actor) -> tuple[Contact, str]:
    """The contact, and every entry, newest first, with a header."""
    lines = [line(_COLUMNS)]
    before: int | None = None
    while True:
        contact, entries = activity(consent, id, actor, before=before, limit=_PAGE)
        lines += (line(map(defused, _cells(entry))) for entry in entries)
        if len(entries) < _PAGE:
            return contact, "".join(lines)
        before = entries[-1].seq


def _cells(entry: Entry) -> tuple[str, ...]:
    return (
        entry.occurred_at.isoformat(),
        entry.recorded_at.isoformat(),
        entry.kind,
        entry.channel or "",
        entry.before,
        entry.after,
        entry.actor,
        entry.source,
        entry.reason or "",
        entry.evidence.text if entry.evidence else "",
        entry.address or "",
        "yes" if entry.expected else "",
        entry.provider_id or "",
        entry.hash,
    )
