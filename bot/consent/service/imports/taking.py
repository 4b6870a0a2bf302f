"""Taking a file in, by batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice

from bot.consent.activity import Kind
from bot.consent.authority import Action, authorize
from bot.consent.errors import Invalid
from bot.consent.model import Actor, Channel, Import
from bot.consent.reading import storable
from bot.consent.service.contacts import Fields, create, read_details, update
from bot.consent.service.imports.one_row import mark_bounced, match, set_consent
from bot.consent.service.imports.rows import Consequence, Report, Row
from bot.consent.service.record import Recorder, new_id
from bot.consent.service.service import Service
from bot.consent.store import Expected, Records

#: Rows in one transaction: long enough to share its fsync, short enough that nobody waits.
BATCH = 300


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
            records=records,
            actor=f"import:{self.record.id}",
            source="import",
            now=now,
            stores=False,
        )
        records.expect(self._looked_up(batch))
        for row, fields in batch:
            done = self._take(recorder, row, fields)
            self.counts.update(done or [Consequence.UNCHANGED])

    def _looked_up(self, batch: list[tuple[Row, Fields]]) -> Expected:
        """By what the contacts of these rows are found."""
        addresses = [
            address
            for _, fields in batch
            for address in (fields.get("phone"), fields.get("email"))
            if address
        ]
        # What erased people refused is known by the hash.
        addresses += [self.service.hashed(address) for address in addresses]
        ids = [id for _, fields in batch if (id := fields.get("external_id"))]
        return Expected(addresses=addresses, external_ids=ids)

    def _take(self, recorder: Recorder, row: Row, fields: Fields) -> list[Consequence]:
        found = match(recorder.records, fields)
        if found is None:
            done = [Consequence.ADDED]
            contact = create(self.service, recorder, fields)
        else:
            contact = update(self.service, recorder, found, fields)
            done = [] if contact is found else [Consequence.UPDATED]
        for channel, wanted in ((Channel.SMS, row.sms), (Channel.EMAIL, row.email)):
            contact, consequences = set_consent(
                recorder, contact, channel, wanted, row.proof(channel)
            )
            done += consequences
        if contact is not found:
            recorder.records.put_contact(contact)
        for channel, bounced in (
            (Channel.SMS, row.sms_bounce),
            (Channel.EMAIL, row.email_bounce),
        ):
            if bounced and mark_bounced(replace(recorder, stores=True), contact, channel):
                done.append(Consequence.BOUNCED)
        return done

    def _finish(self, records: Records) -> None:
        now = self.service.now()
        records.put_import(replace(self.record, finished_at=now, counts=dict(self.counts)))
        said = ", ".join(f"{count:,} {what}" for what, count in self.counts.items())
        person = Recorder(records=records, actor=self.actor.id, source="import", now=now)
        person.record(Kind.IMPORT, None, after="finished", reason=f"{self.record.file}: {said}")
