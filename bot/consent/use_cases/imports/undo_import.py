"""Undoing an import as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.consent.addresses import HASH, key_of
from bot.consent.errors import Invalid, Refused
from bot.consent.log.changes import BounceChanged, ContactChanged, ImportMoved
from bot.consent.log.entries import (
    UNDO_IMPORT,
    Entry,
    EntryKind,
    act_of,
    is_own,
    is_refusal,
)
from bot.consent.model import Actor, Channel, Contact
from bot.consent.parsing import blank
from bot.consent.permissions import Action, authorize
from bot.consent.suppressions import Cause, Listing
from bot.consent.use_cases.consent_history import BUT_OPT_OUTS, became
from bot.consent.use_cases.contacts import identity, update
from bot.consent.use_cases.context import Service, present
from bot.consent.use_cases.imports.row_bounces import unsuppress
from bot.consent.use_cases.imports.run_import import BATCH
from bot.consent.use_cases.record import Recorder, history
from bot.consent.use_cases.take_back_opt_outs import settle, settle_all, take_from_address

#: Counted in the result: opt-outs that stay.
KEPT = "opt-outs kept"
#: … and that were taken back.
TAKEN_BACK = "opt-outs taken back"
_GONE = "contacts gone already"


def undo_import(
    service: Service,
    id: str,
    actor: Actor,
    *,
    opt_outs: bool = False,
    reason: str | None = None,
    progress: Callable[[int], None] = lambda entries: None,
) -> Mapping[str, int]:
    """Takes back what an import did, as far as nobody has changed it since: contacts whom it
    brought and nobody touched go, everything else becomes what it was. Its opt-outs stay, unless
    `opt_outs` says that they were a mistake, which takes a `reason`. Counts by what happened; done
    again it finds nothing more, but for the opt-outs of an import that was undone without them.

    Raises `Invalid` without a reason, and `Refused` where there is nothing to undo.
    """
    authorize(actor, Action.IMPORT)
    if opt_outs and blank(reason):
        raise Invalid("Say why the opt-outs of this import were a mistake.", field="reason")
    counts: Counter[str] = Counter()
    seen: set[str] = set()
    before: int | None = None
    with service.store.reading() as records:
        record = records.imports.get(id)
    if record is None:
        raise Refused("There is no import with this id. The log names them.")
    if record.undone_at is not None and not opt_outs:
        raise Refused("This import was undone already.")
    said = f"{UNDO_IMPORT}: {reason}" if opt_outs else UNDO_IMPORT
    while True:
        with service.store.transaction() as records:
            now = service.now()
            recorder = Recorder(
                service=service, records=records, actor=actor.id, source="import", now=now
            )
            undoing = _Undoing(service, recorder, f"import:{id}", said, opt_outs, counts)
            page = records.log.entries(actor=f"import:{id}", before=before, limit=BATCH)
            for entry in page:
                if entry.contact and entry.contact not in seen:
                    seen.add(entry.contact)
                    undoing.contact(entry.contact)
                elif not entry.contact:
                    undoing.nobody(entry)
            if not page:
                records.imports.put(replace(record, undone_at=now))
                recorder.record(None, ImportMoved(after="undone", reason=record.file))
                return dict(counts)
            before = page[-1].seq
        progress(len(seen))


class _Undoing:
    """One page of what an import did, being taken back."""

    def __init__(
        self,
        service: Service,
        recorder: Recorder,
        importer: str,
        reason: str,
        opt_outs: bool,
        counts: Counter[str],
    ) -> None:
        self.service = service
        self.recorder = recorder
        self.importer = importer
        self.reason = reason
        self.opt_outs = opt_outs
        self.counts = counts
        #: What is taken back: all that the import said, or all but its opt-outs.
        self.act = importer if opt_outs else importer + BUT_OPT_OUTS

    def nobody(self, entry: Entry) -> None:
        """An opt-out or a bounce of an address that nobody had."""
        if entry.kind is EntryKind.BOUNCE:
            _undo_bounce(self.service, self.recorder, None, entry)
            return
        self._unsuppress(entry)
        if not is_refusal(entry) or entry.address is None:
            return
        if not self.opt_outs:
            self.counts[KEPT] += 1
            return
        assert entry.channel is not None
        if take_from_address(
            self.recorder, entry.address, entry.channel, self.importer, reason=self.reason
        ):
            self.counts[TAKEN_BACK] += 1

    def _gone(self, id: str) -> None:
        """What the import did to a contact who was removed, or is one with another contact now."""
        records = self.recorder.records
        one = became(records, id)
        for entry in history(records.log, id):
            if entry.kind is EntryKind.BOUNCE and entry.actor == self.importer and is_own(entry):
                _undo_bounce(self.service, self.recorder, one, entry)
        self.counts[_GONE] += 1
        if self.opt_outs:
            self._take_back(id)

    def _put_back(self, id: str, entries: list[Entry]) -> None:
        """Undoes what these entries of the import say of a contact's consent and fields."""
        contacts = self.recorder.records.contacts
        for key, channel in _told_of(entries).items():
            settle(
                self.recorder,
                present(contacts, id),
                key,
                channel,
                self.act,
                reason=self.reason,
            )
        for entry in entries:
            if entry.kind is EntryKind.CONTACT and entry.after == "changed":
                _undo_fields(self.service, self.recorder, present(contacts, id), entry)

    def contact(self, id: str) -> None:
        """What the import did to one contact."""
        records = self.recorder.records
        contact = records.contacts.get(id)
        if contact is None:
            self._gone(id)
            return
        if contact.erased:
            self.counts[_GONE] += 1
            return
        entries = list(history(records.log, id))
        ours = [entry for entry in entries if entry.actor == self.importer]
        brought = any(e.kind is EntryKind.CONTACT and e.after == "added" for e in ours)
        refused = sum(is_refusal(entry) and entry.kind is EntryKind.CONSENT for entry in ours)
        for entry in ours:
            if entry.kind is EntryKind.BOUNCE and is_own(entry):
                _undo_bounce(self.service, self.recorder, contact, entry)
            self._unsuppress(entry)
        if refused:
            self.counts[TAKEN_BACK if self.opt_outs else KEPT] += refused
        if self.opt_outs and any(is_refusal(entry) for entry in ours):
            self._take_back(id)
        untouched = not any(_touches(entry, self.importer) for entry in entries)
        if brought and untouched:
            self.recorder.record(
                present(records.contacts, id), ContactChanged(after="removed", reason=self.reason)
            )
            self.counts["contacts removed"] += 1
            return
        self._put_back(id, ours)
        said = "contacts put back" if not brought else "contacts kept, since somebody changed them"
        self.counts[said] += 1

    def _unsuppress(self, entry: Entry) -> None:
        """An entry of a provider's list: one for a bounce goes with the bounce, the others with the
        opt-outs."""
        if entry.kind is not EntryKind.BLOCK or not entry.sender:
            return
        if self.opt_outs or Listing.of(entry.sender).cause is Cause.BOUNCE:
            unsuppress(self.service, self.recorder, entry, reason=self.reason)

    def _take_back(self, id: str) -> None:
        """The opt-outs of one contact, wherever they came to."""
        for channel in Channel:
            settle_all(self.service, self.recorder, id, channel, self.act, reason=self.reason)


def _told_of(entries: list[Entry]) -> Mapping[str, Channel]:
    """The addresses whose consent these entries are about."""
    return {
        key_of(entry.address): entry.channel
        for entry in entries
        if entry.kind in (EntryKind.CONSENT, EntryKind.NOTE) and entry.address and entry.channel
    }


def _touches(entry: Entry, importer: str) -> bool:
    """Whether somebody else had a hand in this contact: a person, a provider, another import. What
    the undo itself says of a shared address is no touch."""
    if entry.source != "import":
        return True
    return entry.actor.startswith("import:") and entry.actor != importer


def _undo_bounce(
    service: Service, recorder: Recorder, contact: Contact | None, entry: Entry
) -> None:
    """What else is known of the address stands again; so does another file that says the same."""
    assert entry.address is not None
    assert entry.channel is not None
    act, key = act_of(entry), key_of(entry.address)
    for name in (key, *(service.hashes(key) if not key.startswith(HASH) else ())):
        facts = recorder.records.addresses.get(name)
        left = [mark for mark in facts.marks if mark.act != act]
        if len(left) != len(facts.marks):
            recorder.record_for_holders(
                name,
                BounceChanged(
                    before=facts.bounce,
                    after=facts.bounce if left else facts.deliverability.bounce,
                    reason=UNDO_IMPORT,
                    takes_back=act,
                ),
                channel=entry.channel,
                former=contact if name == key else None,
            )


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
    return update(service, recorder, contact, back, reason=UNDO_IMPORT)
