"""What a contact's entries tell of their consent at an address, without what was taken back
(rules.md §6).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from bot.consent.addresses import key_of
from bot.consent.cases import RE_OPT_IN
from bot.consent.frozen import replace
from bot.consent.log.apply import consent_of
from bot.consent.log.entries import (
    MERGED_INTO,
    TAKES_BACK,
    Entry,
    EntryKind,
    act_of,
    covers,
    is_refusal,
    opts_out,
)
from bot.consent.model import (
    UNSET,
    Consent,
    ConsentValue,
    Contact,
    OptOut,
    Origin,
)
from bot.consent.records import Contacts
from bot.consent.store import Records
from bot.consent.use_cases.record import history

#: Behind an import's act, where its opt-outs stay and the rest is taken back.
BUT_OPT_OUTS = "/yes"


def refusals_of(records: Records, contact: Contact, key: str) -> list[Entry]:
    """The refusals that the contact's entries tell of an address since they agreed there last: the
    newest of each record, of what the contact did, and of what a failed message showed."""
    found: dict[tuple[str, bool], Entry] = {}
    for entry in statements(records, contact, key):
        if entry.after == ConsentValue.YES and entry.kind is EntryKind.CONSENT:
            found.clear()
        elif is_refusal(entry):
            kind = act_of(entry), opts_out(entry)
            found[kind] = max(found.get(kind, entry), entry, key=lambda e: e.occurred_at)
    return [*found.values()]


def was_erased(contacts: Contacts, id: str) -> bool:
    """Whether this contact was erased: of what was recorded of them, nobody can say any more that
    it was a mistake."""
    contact = contacts.get(id)
    return contact is not None and contact.erased


def standing(
    records: Records, contact: Contact, key: str, *, without: Collection[str] = ()
) -> tuple[Consent, str]:
    """The consent that the contact's entries tell at an address, and the id of the entry that made
    it. What was taken back does not count, nor do these acts."""
    consent, made = UNSET, ""
    for entry in statements(records, contact, key, without=without):
        if entry.kind is EntryKind.NOTE and consent.on is ConsentValue.NO:
            if entry.by is Origin.CONTACT and consent.by is not Origin.CONTACT:
                consent = replace(consent, by=Origin.CONTACT)
        elif entry.after == ConsentValue.NO and entry.by is Origin.STAFF and consent.refused:
            continue
        elif entry.after == ConsentValue.UNSET:
            consent, made = UNSET, ""
        else:
            consent, made = consent_of(entry), entry.id
    return consent, made


def became(records: Records, id: str) -> Contact | None:
    """The contact that this one became by a merge."""
    for entry in history(records.log, id):
        if pair := (entry.changes or {}).get(MERGED_INTO):
            return records.contacts.get(str(pair[1])) or became(records, str(pair[1]))
    return None


def _answers(consent: Consent, made: str, refusal: OptOut) -> bool:
    """Whether this YES was given knowing of that refusal, by a completed case; or by evidence that
    is newer than what a file says."""
    if consent.on is not ConsentValue.YES:
        return False
    proof = consent.evidence.at if consent.evidence else None
    newer = proof is not None and proof > refusal.since
    by_case = (consent.reason or "").startswith(RE_OPT_IN)
    return (by_case and made > refusal.entry) or (refusal.act.startswith("import:") and newer)


def statements(
    records: Records, contact: Contact, key: str, *, without: Collection[str] = ()
) -> Iterator[Entry]:
    """The contact's entries about the consent at an address, the oldest first, without those that
    were taken back."""
    told = [
        entry
        for entry in history(records.log, contact.id)
        if entry.kind in (EntryKind.CONSENT, EntryKind.NOTE)
        and entry.address
        and key_of(entry.address) == key
    ]
    taken = {str(back[1]) for entry in told if (back := (entry.changes or {}).get(TAKES_BACK))}
    taken.update(without)
    for act in {entry.actor for entry in told if entry.actor.startswith("import:")}:
        file = records.imports.get(act.removeprefix("import:"))
        if file is not None and file.undone_at is not None:
            taken.add(f"{act}{BUT_OPT_OUTS}")
    for entry in reversed(told):
        act = act_of(entry)
        if TAKES_BACK in (entry.changes or {}) or any(covers(one, act) for one in taken):
            continue
        if entry.after != ConsentValue.NO and f"{entry.actor}{BUT_OPT_OUTS}" in taken:
            continue
        # A note of a refusal that an older file gave tells nothing of a consent that is newer.
        if entry.kind is EntryKind.CONSENT or (entry.before, entry.after) == (
            ConsentValue.NO,
            ConsentValue.NO,
        ):
            yield entry
