"""Undoing an import as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.consent.activity import Entry, Kind
from bot.consent.authority import Action, authorize
from bot.consent.errors import Refused
from bot.consent.model import Actor, Bounce, Contact, On
from bot.consent.service.contacts import identity, update
from bot.consent.service.imports.taking import BATCH
from bot.consent.service.record import Recorder, history
from bot.consent.service.service import Service, present
from bot.consent.service.undo import restore


def undo_import(
    service: Service,
    id: str,
    actor: Actor,
    *,
    progress: Callable[[int], None] = lambda entries: None,
) -> Mapping[str, int]:
    """Takes back what an import did, as far as nobody has changed it since: contacts whom it
    brought and nobody touched go, everything else becomes what it was. A refusal by the contact
    that came later stays. Counts by what happened; done again it finds nothing more."""
    authorize(actor, Action.IMPORT)
    counts: Counter[str] = Counter()
    seen: set[str] = set()
    before: int | None = None
    with service.store.reading() as records:
        record = records.import_(id)
    if record is None:
        raise Refused("There is no import with this id. The log names them.")
    if record.undone_at is not None:
        raise Refused("This import was undone already.")
    while True:
        with service.store.transaction() as records:
            now = service.now()
            recorder = Recorder(records=records, actor=actor.id, source="import", now=now)
            page = records.entries(actor=f"import:{id}", before=before, limit=BATCH)
            for entry in page:
                if entry.contact and entry.contact not in seen:
                    seen.add(entry.contact)
                    counts[_undo_contact(service, recorder, entry.contact, f"import:{id}")] += 1
            if not page:
                records.put_import(replace(record, undone_at=now))
                recorder.record(Kind.IMPORT, None, after="undone", reason=record.file)
                return dict(counts)
            before = page[-1].seq
        progress(len(seen))


def _undo_contact(service: Service, recorder: Recorder, id: str, importer: str) -> str:
    records = recorder.records
    contact = records.contact(id)
    if contact is None or contact.erased:
        return "contacts gone already"
    entries = list(history(records, id))
    ours = [entry for entry in entries if entry.actor == importer]
    brought = any(e.kind is Kind.CONTACT and e.after == "added" for e in ours)
    for entry in ours:
        if entry.kind is Kind.BOUNCE:
            _undo_bounce(recorder, contact, entry)
            contact = present(records, id)
    if brought and not any(_touches(entry, importer) for entry in entries):
        recorder.record(Kind.CONTACT, contact, after="removed", reason=_UNDO)
        return "contacts removed"
    for entry in _overwritten(entries, importer):
        assert entry.channel is not None
        contact = restore(recorder, contact, entry.channel, entry, reason=_UNDO)
    for entry in ours:
        if entry.kind is Kind.CONTACT and entry.after == "changed":
            contact = _undo_fields(service, recorder, contact, entry)
    return "contacts put back" if not brought else "contacts kept, since somebody changed them"


_UNDO = "Undo of an import"


def _touches(entry: Entry, importer: str) -> bool:
    """Whether somebody else had a hand in this contact: a person, a provider, another import. What
    the undo itself says of a shared address is no touch."""
    if entry.source != "import":
        return True
    return entry.actor.startswith("import:") and entry.actor != importer


def _undo_bounce(recorder: Recorder, contact: Contact, entry: Entry) -> None:
    assert entry.address is not None
    assert entry.channel is not None
    facts = recorder.records.facts(entry.address)
    if facts.bounce is Bounce.YES and facts.bounced_at == entry.occurred_at:
        recorder.record_for_holders(
            Kind.BOUNCE,
            entry.address,
            channel=entry.channel,
            before=Bounce.YES,
            after=entry.before,
            reason=_UNDO,
            former=contact,
        )


def _overwritten(entries: list[Entry], importer: str) -> list[Entry]:
    """Per address whose consent is as the import left it: the first of the import's entries, since
    a file may speak of a contact twice. Not where the contact has refused again since."""
    first: dict[str, Entry] = {}
    theirs: set[str] = set()
    for entry in entries:
        if entry.address is None or entry.channel is None or entry.address in theirs:
            continue
        refused_again = entry.kind is Kind.NOTE and entry.after == On.NO
        if entry.kind is Kind.CONSENT and entry.actor == importer:
            first[entry.address] = entry
        elif entry.kind is Kind.CONSENT or refused_again:
            theirs.add(entry.address)
    return list(first.values())


def _undo_fields(service: Service, recorder: Recorder, contact: Contact, entry: Entry) -> Contact:
    back = {
        name: was
        for name, (was, after) in (entry.changes or {}).items()
        if getattr(contact, name) == after and not isinstance(was, bool)
    }
    if "phone" not in back:
        back.pop("line", None)  # it is the kind of another number by now
    reachable = {**identity(contact), **back}
    if not reachable["phone"] and not reachable["email"]:
        return contact
    return update(service, recorder, contact, back, reason=_UNDO)
