"""Taking a file in, by batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Protocol

from bot.consent.addresses import key_of
from bot.consent.errors import Invalid
from bot.consent.log.changes import ImportMoved
from bot.consent.model import Actor, Channel, Import
from bot.consent.parsing import masked, storable
from bot.consent.permissions import Action, authorize
from bot.consent.store import Expected, Records
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.imports.leave_room import leave_room
from bot.consent.use_cases.imports.read_row import ReadRow, read_row, refused_addresses
from bot.consent.use_cases.imports.rows import Consequence, Report, Row
from bot.consent.use_cases.imports.write_row import RowWriter
from bot.consent.use_cases.record import Recorder, new_id, refusals_told

#: Rows in one transaction: long enough to share its fsync, short enough that nobody waits.
BATCH = 300
#: Further addresses that are told one by one.
_MOST_FURTHER = 10


def import_rows(  # noqa: PLR0913 - all but two are named in the call, and most may be left out
    service: Service,
    rows: Iterable[Row],
    *,
    file: str,
    actor: Actor,
    provider: str | None = None,
    titles: Mapping[str, str] | None = None,
    dry_run: bool = False,
    checkpoint: Checkpoint | None = None,
    reject: Callable[[Row, str], None] = lambda row, reason: None,
    progress: Callable[[int], None] = lambda rows: None,
) -> Report:
    """Takes the rows in. `reject` is told each row that can't be taken, with the reason;
    `progress` how many rows are done. `provider` is the id of the one whose suppression list it
    is, `titles` what the file calls the columns, by field. With a `checkpoint` the import goes on
    where it was stopped: the same rows, from the first."""
    authorize(actor, Action.IMPORT)
    importing = _Importing(
        service,
        file,
        actor,
        provider=provider,
        titles=titles or {},
        reject=reject,
        progress=progress,
        checkpoint=checkpoint,
    )
    return importing.run(rows, dry_run)


class Checkpoint(Protocol):
    """How far an import came that may be stopped at any moment: `import_jobs.JobProgress`."""

    @property
    def import_id(self) -> str: ...

    @property
    def rows(self) -> int:
        """The rows that are done."""
        ...

    @property
    def counts(self) -> Mapping[str, int]:
        """What they did, by consequence."""
        ...

    def save(
        self, records: Records, rows: int, counts: Mapping[str, int], rejected: Mapping[int, str]
    ) -> None:
        """In the transaction of these rows; `rejected` are theirs, by line."""
        ...

    def finish(self, records: Records) -> None:
        """In the transaction of the import's end."""
        ...


class _Importing:
    """One import under way."""

    def __init__(
        self,
        service: Service,
        file: str,
        actor: Actor,
        *,
        provider: str | None,
        titles: Mapping[str, str],
        reject: Callable[[Row, str], None],
        progress: Callable[[int], None],
        checkpoint: Checkpoint | None,
    ) -> None:
        self.service = service
        self.checkpoint = checkpoint
        #: Of the batch under way, by line.
        self.rejected: dict[int, str] = {}
        known = service.providers.by_id.get(provider or "")
        # Carriers keep their blocks for a sender, of which such a list says nothing.
        of_email = None if known and known.blocking_words else provider
        self.writer = RowWriter(service=service, provider=of_email, begin=self._begin)
        self.titles = titles
        self.further: list[tuple[int, str]] = []
        self.actor = actor
        self.reject = reject
        self.progress = progress
        self.counts: Counter[str] = Counter()
        self.rows = 0
        #: Of these, those of the batch under way are not done yet.
        self.read = 0
        self.started = False
        self.told: set[tuple[str, Channel, bool]] = set()
        now = service.now()
        id = checkpoint.import_id if checkpoint else new_id(now)
        self.record = Import(id=id, file=storable(file), actor=actor.id, started_at=now)

    def run(self, rows: Iterable[Row], dry_run: bool) -> Report:
        store = self.service.store
        if dry_run:
            with store.rehearsal() as records:
                for batch in self._batches(rows):
                    self._take_all(records, batch)
            return self._report(None)
        if self.checkpoint:
            rows = self._go_on(rows, self.checkpoint)
        for batch in self._batches(rows):
            if batch or self.checkpoint:
                leave_room(store, self.rows)
                with store.transaction() as records:
                    self._take_all(records, batch)
                    if self.checkpoint:
                        done = self.rows + self.read
                        self.checkpoint.save(records, done, self.counts, self.rejected)
        if not self.started and not self.checkpoint:
            return self._report(None)
        with store.transaction() as records:
            if self.started:
                self._finish(records)
            if self.checkpoint:
                self.checkpoint.finish(records)
        return self._report(self.record.id if self.started else None)

    def _go_on(self, rows: Iterable[Row], checkpoint: Checkpoint) -> Iterator[Row]:
        """The rows that are not done yet; what the others did is remembered."""
        self.rows = checkpoint.rows
        self.counts.update(checkpoint.counts)
        with self.service.store.reading() as records:
            begun = records.imports.get(self.record.id)
            if begun:
                self.started = True
                self.record = begun
                self.told |= refusals_told(records.log, f"import:{begun.id}")
        return islice(rows, checkpoint.rows, None)

    def _report(self, id: str | None) -> Report:
        return Report(id=id, rows=self.rows, counts=dict(self.counts), further=tuple(self.further))

    def _batches(self, rows: Iterable[Row]) -> Iterator[list[ReadRow]]:
        """Reads the addresses outside of any transaction: that is what takes the time."""
        remaining = iter(rows)
        while chunk := list(islice(remaining, BATCH)):
            batch = []
            self.read = len(chunk)
            self.rejected.clear()
            for row in chunk:
                try:
                    batch.append(read_row(self.service, row))
                except Invalid as problem:
                    self._reject(row, problem)
                    if left := refused_addresses(self.service, row):
                        batch.append(ReadRow(row=row, addresses=left))
            yield batch
            self.rows += len(chunk)
            self.progress(self.rows)

    def _reject(self, row: Row, problem: Invalid) -> None:
        self.counts[Consequence.REJECTED] += 1
        title = self.titles.get(problem.field or "")
        self.rejected[row.line] = f"{title}: {problem.sentence}" if title else problem.sentence
        self.reject(row, self.rejected[row.line])

    def _take_all(self, records: Records, batch: list[ReadRow]) -> None:
        recorder = Recorder(
            service=self.service,
            records=records,
            actor=f"import:{self.record.id}",
            source="import",
            now=self.service.now(),
            stores=False,
            told=self.told,
        )
        records.expect(self._looked_up(batch))
        for read in batch:
            if read.fields is None and not read.row.listed:
                self.counts.update(self.writer.write_rejected(recorder, read))
                continue
            try:
                done = self.writer.write(recorder, read)
            except Invalid as problem:
                self._reject(read.row, problem)
                left = refused_addresses(self.service, read.row)
                read = ReadRow(row=read.row, addresses=left)
                self.counts.update(self.writer.write_rejected(recorder, read))
            else:
                for consequence in done or (Consequence.UNCHANGED,):
                    self.counts[consequence] += 1
                self._tell_further(read)

    def _tell_further(self, read: ReadRow) -> None:
        """Notes the addresses of a contact's row that are not the contact's."""
        if read.fields is None:
            return
        for addresses in read.addresses.values():
            self.counts.update(Consequence.FURTHER for _ in addresses)
            if len(self.further) < _MOST_FURTHER:
                self.further += [(read.row.line, masked(address)) for address in addresses]

    def _begin(self, recorder: Recorder) -> None:
        """Says that an import began, at its first row that is good for anything."""
        if self.started:
            return
        self.started = True
        recorder.records.imports.put(self.record)
        person = Recorder(
            service=self.service,
            records=recorder.records,
            actor=self.actor.id,
            source="import",
            now=recorder.now,
        )
        person.record(None, ImportMoved(after="started", reason=self.record.file))

    def _looked_up(self, batch: list[ReadRow]) -> Expected:
        """By what the contacts of these rows are found."""
        keys = [key_of(address) for read in batch for address in read.all_addresses]
        # What erased people refused is known by the hash.
        hashes = [name for key in keys for name in self.service.hashes(key)]
        ids = [id for read in batch if (id := (read.fields or {}).get("external_id"))]
        return Expected(addresses=[*keys, *hashes], external_ids=ids)

    def _finish(self, records: Records) -> None:
        now = self.service.now()
        records.imports.put(replace(self.record, finished_at=now, counts=dict(self.counts)))
        said = ", ".join(f"{count:,} {what}" for what, count in self.counts.items())
        person = Recorder(
            service=self.service, records=records, actor=self.actor.id, source="import", now=now
        )
        person.record(None, ImportMoved(after="finished", reason=f"{self.record.file}: {said}"))
