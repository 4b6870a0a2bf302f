"""Contacts in from a file, undone as one; contacts out with their answers.

A file goes in by batches, each a transaction of its own, so that a STOP never waits for a long
import and memory stays flat. A killed import leaves whole rows behind: the same file again does the
rest, and the import can be undone as far as it came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice

from bot.consent.activity import Entry, Kind
from bot.consent.authority import Action, authorize
from bot.consent.errors import Invalid, Refused
from bot.consent.model import UNSET, Actor, Bounce, By, Channel, Contact, Evidence, Import, On
from bot.consent.reading import blank, fold, storable
from bot.consent.rules import Imported, import_consent
from bot.consent.service.change import note_again, restore
from bot.consent.service.contacts import Details, Fields, create, identity, read_details, update
from bot.consent.service.look_up import Profile, profile_of
from bot.consent.service.record import Recorder, history, new_id
from bot.consent.service.service import Service, present
from bot.consent.store import Records

#: Rows in one transaction: long enough to share its fsync, short enough that nobody waits.
BATCH = 200


class Consequence(StrEnum):
    """What a row does, as the report counts it. A row may have several."""

    ADDED = "contacts added"
    UPDATED = "contacts updated"
    SMS_YES = "SMS On set to YES"
    EMAIL_YES = "Email On set to YES"
    UNPROVEN = "of these YES without evidence"
    SMS_NO = "SMS On set to NO"
    EMAIL_NO = "Email On set to NO"
    SMS_KEPT = "SMS On kept at NO although the file says YES"
    EMAIL_KEPT = "Email On kept at NO although the file says YES"
    BOUNCED = "addresses marked as bounced"
    UNCHANGED = "rows that change nothing"
    REJECTED = "rows rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a file, its words read and its addresses not yet."""

    #: Line in the file, from 1, where the row begins.
    line: int
    details: Details
    sms: On = On.UNSET
    email: On = On.UNSET
    sms_bounce: bool = False
    email_bounce: bool = False
    #: Of whatever is YES.
    evidence: Evidence | None = None
    #: Of one channel, where the two have different evidence.
    sms_evidence: Evidence | None = None
    email_evidence: Evidence | None = None
    #: Why it can't be taken, where reading its words has shown that already.
    problem: str | None = None

    def proof(self, channel: Channel) -> Evidence | None:
        """What shows that the contact agreed to this channel."""
        return (self.sms_evidence if channel is Channel.SMS else self.email_evidence) or (
            self.evidence
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an import did, or would do."""

    #: None for a rehearsal, and where no row was good.
    id: str | None
    rows: int
    counts: Mapping[str, int]

    @property
    def rejected(self) -> int:
        """Rows that were not taken."""
        return self.counts.get(Consequence.REJECTED, 0)


def import_rows(
    service: Service,
    rows: Iterable[Row],
    *,
    file: str,
    actor: Actor,
    dry_run: bool = False,
    reject: Callable[[Row, str], None] = lambda row, reason: None,
    progress: Callable[[int], None] = lambda rows: None,
) -> Report:
    """Takes the rows in. `reject` is told each row that can't be taken, with the reason;
    `progress` how many rows are done."""
    authorize(actor, Action.IMPORT)
    return _Importing(service, file, actor, reject, progress).run(rows, dry_run)


class _Importing:
    """One import under way."""

    def __init__(
        self,
        service: Service,
        file: str,
        actor: Actor,
        reject: Callable[[Row, str], None],
        progress: Callable[[int], None],
    ) -> None:
        self.service = service
        self.actor = actor
        self.reject = reject
        self.progress = progress
        self.counts: Counter[str] = Counter()
        self.rows = 0
        self.started = False
        now = service.now()
        self.record = Import(id=new_id(now), file=storable(file), actor=actor.id, started_at=now)

    def run(self, rows: Iterable[Row], dry_run: bool) -> Report:
        store = self.service.store
        if dry_run:
            with store.rehearsal() as records:
                for batch in self._batches(rows):
                    self._take_all(records, batch)
            return Report(id=None, rows=self.rows, counts=dict(self.counts))
        for batch in self._batches(rows):
            if batch:
                with store.transaction() as records:
                    self._take_all(records, batch)
        if not self.started:
            return Report(id=None, rows=self.rows, counts=dict(self.counts))
        with store.transaction() as records:
            self._finish(records)
        return Report(id=self.record.id, rows=self.rows, counts=dict(self.counts))

    def _batches(self, rows: Iterable[Row]) -> Iterator[list[tuple[Row, Fields]]]:
        """Reads the addresses outside of any transaction: that is what takes the time."""
        remaining = iter(rows)
        while chunk := list(islice(remaining, BATCH)):
            batch = []
            for row in chunk:
                try:
                    batch.append((row, self._read(row)))
                except Invalid as problem:
                    self.counts[Consequence.REJECTED] += 1
                    self.reject(row, problem.sentence)
            yield batch
            self.rows += len(chunk)
            self.progress(self.rows)

    def _read(self, row: Row) -> Fields:
        if row.problem:
            raise Invalid(row.problem)
        typed = read_details(self.service, row.details)
        fields: Fields = {name: value for name, value in typed.items() if value}
        if not fields.get("name"):
            raise Invalid("There is no name.")
        if not fields.get("phone") and not fields.get("email"):
            raise Invalid("There is neither a phone number nor an e-mail address.")
        for proof in (row.evidence, row.sms_evidence, row.email_evidence):
            if proof and proof.at and proof.at > self.service.now():
                raise Invalid("consent_at is in the future.")
        return fields

    def _take_all(self, records: Records, batch: list[tuple[Row, Fields]]) -> None:
        now = self.service.now()
        if not self.started:
            self.started = True
            records.put_import(self.record)
            person = Recorder(records=records, actor=self.actor.id, source="import", now=now)
            person.record(Kind.IMPORT, None, after="started", reason=self.record.file)
        recorder = Recorder(
            records=records, actor=f"import:{self.record.id}", source="import", now=now
        )
        for row, fields in batch:
            done = self._take(recorder, row, fields)
            self.counts.update(done or [Consequence.UNCHANGED])

    def _take(self, recorder: Recorder, row: Row, fields: Fields) -> list[Consequence]:
        contact = _match(recorder.records, fields)
        if contact is None:
            done = [Consequence.ADDED]
            contact = create(self.service, recorder, fields)
        else:
            updated = update(self.service, recorder, contact, fields)
            done = [] if updated is contact else [Consequence.UPDATED]
            contact = updated
        for channel, wanted in ((Channel.SMS, row.sms), (Channel.EMAIL, row.email)):
            contact, consequences = _set(recorder, contact, channel, wanted, row.proof(channel))
            done += consequences
        for channel, bounced in (
            (Channel.SMS, row.sms_bounce),
            (Channel.EMAIL, row.email_bounce),
        ):
            if bounced and _bounced(recorder, contact, channel):
                done.append(Consequence.BOUNCED)
        return done

    def _finish(self, records: Records) -> None:
        now = self.service.now()
        records.put_import(replace(self.record, finished_at=now, counts=dict(self.counts)))
        said = ", ".join(f"{count:,} {what}" for what, count in self.counts.items())
        person = Recorder(records=records, actor=self.actor.id, source="import", now=now)
        person.record(Kind.IMPORT, None, after="finished", reason=f"{self.record.file}: {said}")


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


def export(service: Service) -> Generator[Profile]:
    """Every contact that is not erased, by creation, with the answers. Holds the storage open for
    reading until it ends or is closed."""
    with service.store.reading() as records:
        for contact in records.contacts():
            if not contact.erased:
                yield profile_of(service, records, contact)


def _match(records: Records, fields: Fields) -> Contact | None:
    """The contact that a row means: by external id; else the same name at the same address, or
    both addresses the same. Another name at the same number is another person."""
    external_id = fields.get("external_id")
    if external_id and (contact := records.by_external_id(external_id)):
        return contact
    name = fold(fields["name"] or "")
    phone, email = fields.get("phone"), fields.get("email")
    holders = {
        holder.id: holder
        for address in (phone, email)
        if address
        for holder in records.holders(address)
    }
    for holder in holders.values():
        if external_id and holder.external_id:
            continue
        same = phone and email and (holder.phone, holder.email) == (phone, email)
        if same or fold(holder.name) == name:
            return holder
    return None


def _set(
    recorder: Recorder, contact: Contact, channel: Channel, wanted: On, evidence: Evidence | None
) -> tuple[Contact, list[Consequence]]:
    address = contact.address(channel)
    if address is None or wanted is On.UNSET:
        return contact, []
    sms = channel is Channel.SMS
    current = contact.consent(channel)
    proof = evidence if evidence and not blank(evidence.text) else None
    imported = import_consent(current, wanted, proof is not None)
    if (
        imported is Imported.SET
        and wanted is On.YES
        and _refused_by_another(recorder.records, contact, address)
    ):
        imported = Imported.KEPT
    if imported is Imported.KEPT:
        return contact, [Consequence.SMS_KEPT if sms else Consequence.EMAIL_KEPT]
    if imported is Imported.UNCHANGED:
        if wanted is On.NO and current.by is not By.IMPORT:
            note_again(recorder, contact, channel, by=By.IMPORT)
        return contact, []
    agreed = evidence.at if evidence and wanted is On.YES else None
    after = recorder.record(
        Kind.CONSENT,
        contact,
        address=address,
        channel=channel,
        by=By.IMPORT,
        before=current.on,
        after=wanted,
        evidence=proof if wanted is On.YES else None,
        occurred_at=agreed,
    )
    assert after is not None
    if wanted is On.NO:
        return after, [Consequence.SMS_NO if sms else Consequence.EMAIL_NO]
    done = [Consequence.SMS_YES if sms else Consequence.EMAIL_YES]
    return after, done if proof else [*done, Consequence.UNPROVEN]


def _refused_by_another(records: Records, contact: Contact, address: str) -> bool:
    """Whether somebody else at this very address said no, or may not be contacted: then a file is
    not enough, since it may be the same person under another spelling."""
    return any(
        other.id != contact.id
        and (other.do_not_contact or other.consents.get(address, UNSET).refused)
        for other in records.holders(address)
    )


def _bounced(recorder: Recorder, contact: Contact, channel: Channel) -> bool:
    address = contact.address(channel)
    if address is None:
        return False
    facts = recorder.records.facts(address)
    if facts.bounce is Bounce.YES:
        return False
    recorder.record_for_holders(
        Kind.BOUNCE,
        address,
        channel=channel,
        before=facts.bounce,
        after=Bounce.YES,
        reason="Marked as bounced in an import",
    )
    return True
