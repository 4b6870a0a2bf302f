"""Taking a file in, by batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from bot.consent.addresses import key_of
from bot.consent.errors import Invalid
from bot.consent.log.changes import ImportMoved
from bot.consent.model import Actor, Channel, ConsentValue, Import
from bot.consent.parsing import storable
from bot.consent.permissions import Action, authorize
from bot.consent.store import Expected, Records
from bot.consent.use_cases.contacts import Fields, create, read_details, update
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.imports.apply_row import (
    apart,
    bounce_nobody,
    but_same_addresses,
    mark_bounced,
    match,
    read_external_id,
    refuse_nobody,
    set_consent,
)
from bot.consent.use_cases.imports.left import addresses_in
from bot.consent.use_cases.imports.rows import Consequence, Report, Row
from bot.consent.use_cases.record import Recorder, new_id

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


#: Addresses of a row of which it says NO or a bounce.
Left = Mapping[Channel, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A row whose addresses were read. A rejected one has no fields, and what is left of it."""

    row: Row
    fields: Fields | None = None
    left: Left = field(default_factory=dict)

    @property
    def addresses(self) -> list[str]:
        if self.fields is None:
            return [address for addresses in self.left.values() for address in addresses]
        return [a for a in (self.fields.get("phone"), self.fields.get("email")) if a]


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
        self.told: set[tuple[str, Channel, bool]] = set()
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

    def _batches(self, rows: Iterable[Row]) -> Iterator[list[_Read]]:
        """Reads the addresses outside of any transaction: that is what takes the time."""
        remaining = iter(rows)
        while chunk := list(islice(remaining, BATCH)):
            batch = []
            for row in chunk:
                try:
                    batch.append(_Read(row=row, fields=self._read(row)))
                except Invalid as problem:
                    self._reject(row, problem)
                    if left := self._left(row):
                        batch.append(_Read(row=row, left=left))
            yield batch
            self.rows += len(chunk)
            self.progress(self.rows)

    def _read(self, row: Row) -> Fields:
        if row.problem:
            raise Invalid(row.problem)
        typed = read_details(self.service, row.details)
        fields: Fields = {name: value for name, value in typed.items() if value}
        if not fields.get("phone") and not fields.get("email"):
            raise Invalid("There is neither a phone number nor an e-mail address.")
        read_external_id(fields)
        for proof in (row.evidence, row.sms_evidence, row.email_evidence):
            if proof and proof.at and proof.at > self.service.now():
                raise Invalid("consent_at is in the future.")
        return fields

    def _reject(self, row: Row, problem: Invalid) -> None:
        self.counts[Consequence.REJECTED] += 1
        self.reject(row, problem.sentence)

    def _left(self, row: Row) -> Left:
        """The readable addresses of a rejected row that it marks as NO or as bounced. An opt-out is
        never lost with its row."""
        left = {}
        for channel in Channel:
            text = row.details.phone if channel is Channel.SMS else row.details.email
            if text and (row.on(channel) is ConsentValue.NO or row.bounced(channel)):
                left[channel] = addresses_in(self.service, text, channel)
        return {channel: addresses for channel, addresses in left.items() if addresses}

    def _take_all(self, records: Records, batch: list[_Read]) -> None:
        recorder = Recorder(
            records=records,
            actor=f"import:{self.record.id}",
            source="import",
            now=self.service.now(),
            stores=False,
            told=self.told,
        )
        records.expect(self._looked_up(batch))
        for read in batch:
            if read.fields is None:
                self._take_what_is_left(recorder, read.row, read.left)
                continue
            try:
                done = self._take(recorder, read.row, read.fields)
            except Invalid as problem:
                self._reject(read.row, problem)
                self._take_what_is_left(recorder, read.row, self._left(read.row))
            else:
                self.counts.update(done or [Consequence.UNCHANGED])

    def _begin(self, recorder: Recorder) -> None:
        """Says that an import began, at its first row that is good for anything."""
        if self.started:
            return
        self.started = True
        recorder.records.imports.put(self.record)
        person = Recorder(
            records=recorder.records, actor=self.actor.id, source="import", now=recorder.now
        )
        person.record(None, ImportMoved(after="started", reason=self.record.file))

    def _looked_up(self, batch: list[_Read]) -> Expected:
        """By what the contacts of these rows are found."""
        keys = [key_of(address) for read in batch for address in read.addresses]
        # What erased people refused is known by the hash.
        hashes = [name for key in keys for name in self.service.hashes(key)]
        ids = [id for read in batch if (id := (read.fields or {}).get("external_id"))]
        return Expected(addresses=[*keys, *hashes], external_ids=ids)

    def _take(self, recorder: Recorder, row: Row, fields: Fields) -> list[Consequence]:
        found = match(recorder.records.contacts, fields)
        others: dict[Channel, str] = {}
        if found is None:
            if not fields.get("name"):
                return self._take_list(recorder, row)
            self._begin(recorder)
            done = [Consequence.ADDED]
            contact = create(self.service, recorder, fields)
        else:
            self._begin(recorder)
            if not fields.get("name"):
                others = apart(recorder.records.contacts, found, fields)
                fields = _without(fields, others)
            contact = update(self.service, recorder, found, but_same_addresses(found, fields))
            done = [] if contact is found else [Consequence.UPDATED]
        for channel in Channel:
            if channel in others:
                continue
            contact, consequences = set_consent(
                recorder, contact, channel, row.on(channel), row.proof(channel)
            )
            done += consequences
        if contact is not found:
            recorder.records.contacts.put(contact)
        for channel in Channel:
            if channel in others:
                done += self._take_address(recorder, row, channel, others[channel])
            elif row.bounced(channel) and mark_bounced(
                replace(recorder, stores=True), contact, channel
            ):
                done.append(Consequence.BOUNCED)
        return done

    def _take_list(self, recorder: Recorder, row: Row) -> list[Consequence]:
        """A row of addresses that nobody has, out of a file without names: a list of opt-outs or
        of bounces, which are kept."""
        left = self._left(row)
        if row.details.name is not None or not left or ConsentValue.YES in (row.sms, row.email):
            raise Invalid("There is no name, and nobody has this address.")
        self._begin(recorder)
        return self._take_addresses(recorder, row, left)

    def _take_what_is_left(self, recorder: Recorder, row: Row, left: Left) -> None:
        """The opt-outs and bounces of a row that was rejected."""
        if left:
            self._begin(recorder)
        done = self._take_addresses(recorder, row, left)
        self.counts.update(done)
        if done:
            self.counts[Consequence.FROM_REJECTED] += 1

    def _take_addresses(self, recorder: Recorder, row: Row, left: Left) -> list[Consequence]:
        return [
            consequence
            for channel, addresses in left.items()
            for address in addresses
            for consequence in self._take_address(recorder, row, channel, address)
        ]

    def _take_address(
        self, recorder: Recorder, row: Row, channel: Channel, address: str
    ) -> list[Consequence]:
        """What a row says against an address, whoever has it; a YES says nothing there."""
        recorder = replace(recorder, stores=True)
        holders = recorder.records.contacts.at(key_of(address))
        done: list[Consequence] = []
        if row.on(channel) is ConsentValue.NO and holders:
            _, done = set_consent(recorder, holders[0], channel, ConsentValue.NO, None)
        elif row.on(channel) is ConsentValue.NO:
            done = [refuse_nobody(self.service, recorder, address, channel)]
        if row.bounced(channel) and holders:
            holder = recorder.records.contacts.get(holders[0].id)
            if holder and mark_bounced(recorder, holder, channel):
                done.append(Consequence.BOUNCED)
        elif row.bounced(channel):
            done += bounce_nobody(self.service, recorder, address, channel)
        return done

    def _finish(self, records: Records) -> None:
        now = self.service.now()
        records.imports.put(replace(self.record, finished_at=now, counts=dict(self.counts)))
        said = ", ".join(f"{count:,} {what}" for what, count in self.counts.items())
        person = Recorder(records=records, actor=self.actor.id, source="import", now=now)
        person.record(None, ImportMoved(after="finished", reason=f"{self.record.file}: {said}"))


def _without(fields: Fields, others: Mapping[Channel, str]) -> Fields:
    left = dict(fields)
    for channel in others:
        for name in ("phone", "line") if channel is Channel.SMS else ("email",):
            left.pop(name, None)
    return left
