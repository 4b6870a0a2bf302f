"""One record of a file as a row of an import."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from bot.consent.errors import Invalid
from bot.consent.model import Channel, ConsentValue, Evidence
from bot.consent.parsing import blank, visible
from bot.consent.use_cases import Details, Row
from bot.consent.use_cases.imports.rows import OptOutDetails
from handlers.cells import plain
from handlers.contacts_file.cell_times import read_time
from handlers.contacts_file.cell_values import NOTHING, Statement, merged, statement_of
from handlers.contacts_file.columns import FOR_PHONE, Column, Columns, Kind, Use
from handlers.contacts_file.csv_records import CsvRecord
from handlers.contacts_file.recognise import ListKind

#: Between several addresses in one cell.
_BETWEEN = re.compile(r":::|[;,|\n]")
#: Before a number in the exports of Meta's lead forms.
_LEAD = "p:"
#: What one statement of a list without reasons says.
_SAYS = {
    ListKind.OPT_OUTS: Statement(on=ConsentValue.NO),
    ListKind.SUPPRESSIONS: Statement(on=ConsentValue.NO),
    ListKind.BOUNCES: Statement(bounced=True),
    ListKind.COMPLAINTS: Statement(on=ConsentValue.NO, bounced=True, complained=True),
}
#: Cells of one column that are remembered.
_MOST_WORDS = 5_000


@dataclass(slots=True)
class _Said:
    """What the cells of a row say of one channel."""

    on: ConsentValue = ConsentValue.UNSET
    bounced: bool = False
    complained: bool = False
    refusals: list[Statement] = field(default_factory=list)
    agreed_at: datetime | None = None


class RowReader:
    """Reads the records of one file."""

    def __init__(self, columns: Columns, now: datetime, kind: ListKind | None = None) -> None:
        self._columns = columns
        self._places = tuple((c, places[0]) for c, places in columns.places.items())
        #: Further columns of the same meaning.
        self._others = tuple((c, places[1:]) for c, places in columns.places.items() if places[1:])
        self._now = now
        self._kind = None if kind is ListKind.CONTACTS else kind
        own = {
            channel
            for use in columns.consent
            if use.kind is Kind.OPT_IN and len(use.channels) == 1
            for channel in use.channels
        }
        self._uses = tuple(
            (use, _Words(use), use.agreed if len(use.channels) == 1 else _without(use.agreed, own))
            for use in columns.consent
        )

    def read(self, record: CsvRecord) -> Row:
        """The row; one that makes no sense has a problem, which names the column."""
        try:
            if record.problem:
                raise Invalid(record.problem)
            return self._list_row(record) if self._kind else self._read(record)
        except Invalid as problem:
            return self._refusals(record, problem.sentence)

    def _read(self, record: CsvRecord) -> Row:
        cells = self._cells(record)
        said, calls = self._said(record)
        phones = self._phones(cells, record)
        emails = self._addresses(cells, record, (Column.EMAIL,))
        sms, email = said[Channel.SMS], said[Channel.EMAIL]
        more = {}
        if len(phones) > 1 or len(emails) > 1:
            more = {Channel.SMS: phones[1:], Channel.EMAIL: emails[1:]}
        return Row(
            line=record.line,
            details=Details(
                name=self._name(cells, record),
                phone=phones[0] if phones else cells.get(Column.MOBILE),
                email=emails[0] if emails else cells.get(Column.EMAIL),
                company=self._first(cells, record, Column.COMPANY),
                external_id=cells.get(Column.EXTERNAL_ID),
            ),
            sms=ConsentValue.UNSET if calls and sms.on is ConsentValue.YES else sms.on,
            email=email.on,
            sms_bounce=sms.bounced,
            email_bounce=email.bounced,
            complaint=email.complained,
            refusals=_refusals_of(said),
            evidence=self._evidence(cells, Column.CONSENT_SOURCE, Column.CONSENT_AT),
            sms_evidence=self._evidence(
                cells, Column.SMS_CONSENT_SOURCE, Column.SMS_CONSENT_AT, sms.agreed_at
            ),
            email_evidence=self._evidence(
                cells, Column.EMAIL_CONSENT_SOURCE, Column.EMAIL_CONSENT_AT, email.agreed_at
            ),
            more=more,
            do_not_call=calls,
        )

    def _list_row(self, record: CsvRecord) -> Row:
        """A row of a suppression list: addresses, and what is said against them."""
        assert self._kind is not None
        cells = self._cells(record)
        default = _SAYS[self._kind]
        statement = default
        if self._kind is ListKind.SUPPRESSIONS:
            said = [one for one, _, _ in self._statements(record) if one.says_no]
            statement = merged(said) if said else default
        if text := cells.get(Column.LIST_TIME):
            with suppress(Invalid):
                statement = statement._replace(at=read_time(text, "", self._now))
        phones = ";".join(self._phones(cells, record))
        emails = ";".join(self._addresses(cells, record, (Column.EMAIL,)))
        if not phones and not emails:
            raise Invalid("There is no phone number and no e-mail address in this row.")
        return Row(
            line=record.line,
            details=Details(phone=phones, email=emails),
            sms=statement.on,
            email=statement.on,
            sms_bounce=statement.bounced,
            email_bounce=statement.bounced,
            complaint=statement.complained,
            refusals=dict.fromkeys(Channel, _details((statement,))),
            listed=True,
        )

    def _refusals(self, record: CsvRecord, problem: str) -> Row:
        """What a row that makes no sense says all the same: its opt-outs and bounces, and of which
        addresses. They are taken although the row is not."""
        if self._kind:
            said = dict.fromkeys(Channel, _Said(on=_SAYS[self._kind].on, refusals=[]))
            bounced = dict.fromkeys(Channel, _SAYS[self._kind].bounced)
            complaint = _SAYS[self._kind].complained
        else:
            said, _ = self._said(record, strict=False)
            bounced = {channel: one.bounced for channel, one in said.items()}
            complaint = said[Channel.EMAIL].complained
        cells = {column: cell.replace("\0", "") for column, cell in self._cells(record).items()}
        refused = {
            channel: one.on if one.on is ConsentValue.NO else ConsentValue.UNSET
            for channel, one in said.items()
        }
        return Row(
            line=record.line,
            details=Details(
                # Whichever of them can be read.
                phone=";".join(self._addresses(cells, record, FOR_PHONE)),
                email=";".join(self._addresses(cells, record, (Column.EMAIL,))),
            ),
            sms=refused[Channel.SMS],
            email=refused[Channel.EMAIL],
            sms_bounce=bounced[Channel.SMS],
            email_bounce=bounced[Channel.EMAIL],
            complaint=complaint,
            refusals=_refusals_of(said),
            problem=problem,
        )

    # What stands in the cells

    def _cells(self, record: CsvRecord) -> dict[Column, str]:
        width = len(record.cells)
        return {
            column: _plain(cell) if cell[0] in "'=p" else cell
            for column, place in self._places
            if place < width and (cell := record.cells[place])
        }

    def _further(self, record: CsvRecord, column: Column) -> Iterable[str]:
        for other, places in self._others:
            if other is column:
                for place in places:
                    if place < len(record.cells) and record.cells[place].strip():
                        yield _plain(record.cells[place])

    def _first(self, cells: dict[Column, str], record: CsvRecord, column: Column) -> str | None:
        return cells.get(column) or next(iter(self._further(record, column)), None)

    def _name(self, cells: dict[Column, str], record: CsvRecord) -> str | None:
        """None where the file has no names at all."""
        if name := cells.get(Column.NAME):
            return name
        if not self._columns.has_names:
            return None
        parts = (self._first(cells, record, c) for c in (Column.FIRST_NAME, Column.LAST_NAME))
        return " ".join(filter(None, parts)) or next(iter(self._further(record, Column.NAME)), "")

    def _phones(self, cells: dict[Column, str], record: CsvRecord) -> list[str]:
        phones = self._addresses(cells, record, FOR_PHONE)
        if any(phone[:1] == "=" for phone in phones):
            raise Invalid("A formula stands where the phone number should be.")
        return phones

    def _addresses(
        self, cells: dict[Column, str], record: CsvRecord, columns: tuple[Column, ...]
    ) -> list[str]:
        """Each address of the row, that of the best column first."""
        found: list[str] = []
        for column in columns:
            if cell := cells.get(column):
                found.append(cell)
            if self._others:
                found += self._further(record, column)
        if self._columns.labels and columns is FOR_PHONE:
            found = self._mobile_first(found, record)
        if len(found) == 1 and not _BETWEEN.search(found[0]):
            return found
        parts = (part.strip() for cell in found for part in _BETWEEN.split(cell))
        return list(dict.fromkeys(part for part in parts if part))

    def _mobile_first(self, found: list[str], record: CsvRecord) -> list[str]:
        """Those first of which the column beside them says that they are mobile."""
        mobile = {
            _plain(record.cells[place])
            for place, label in self._columns.labels.items()
            if max(place, label) < len(record.cells)
            and ("mobile" in (kind := record.cells[label].lower()) or "cell" in kind)
        }
        return sorted(found, key=lambda cell: cell not in mobile)

    def _statements(
        self, record: CsvRecord, *, strict: bool = True
    ) -> Iterable[tuple[Statement, Use, tuple[Channel, ...]]]:
        for use, words, agreed in self._uses:
            if use.place < len(record.cells) and (text := record.cells[use.place]):
                said = words.read(text)
                if said is None and strict:
                    raise Invalid(f"{use.title} holds a word that Optin does not understand.")
                if said is not NOTHING and said is not None:
                    yield said, use, agreed

    def _said(self, record: CsvRecord, *, strict: bool = True) -> tuple[dict[Channel, _Said], bool]:
        """What the row says of each channel, and whether its contact wants no calls. A refusal in
        any column counts; not to have opted out is no opt-in."""
        found = {channel: _Said() for channel in Channel}
        calls = False
        for said, use, agreed in self._statements(record, strict=strict):
            if use.kind is Kind.DO_NOT_CALL:
                calls = calls or said.says_no
                continue
            for channel in (said.channel,) if said.channel else use.channels:
                one = found[channel]
                one.bounced = one.bounced or said.bounced
                one.complained = one.complained or said.complained
                if said.on is ConsentValue.NO:
                    one.on = ConsentValue.NO
                    one.refusals.append(said)
                elif said.on is ConsentValue.YES and channel in agreed:
                    if one.on is ConsentValue.UNSET:
                        one.on = said.on
                    one.agreed_at = one.agreed_at or said.at
        return found, calls

    def _evidence(
        self,
        cells: dict[Column, str],
        source: Column,
        at: Column,
        agreed_at: datetime | None = None,
    ) -> Evidence | None:
        """What shows that somebody agreed, and when. Text that says nothing shows nothing."""
        if source not in cells and at not in cells and not agreed_at:
            return None
        text, when = cells.get(source, ""), visible(cells.get(at, "")).strip()
        time = read_time(when, self._columns.title(at), self._now) if when else None
        if time is None and agreed_at:
            time = min(agreed_at, self._now)
        text = "" if blank(text) else text.strip()
        return Evidence(text=text, at=time) if text or time else None


class _Words:
    """What the words of one column say, each read once."""

    def __init__(self, use: Use) -> None:
        self._use = use
        self._known: dict[str, Statement | None] = {}

    def read(self, text: str) -> Statement | None:
        if text in self._known:
            return self._known[text]
        said = statement_of(plain(text), self._use)
        if len(self._known) < _MOST_WORDS:
            self._known[text] = said
        return said


def _plain(cell: str) -> str:
    """Without what a spreadsheet or an export puts before a value to keep it a text."""
    cell = plain(cell)
    if cell[:1] == "'" and cell[1:2].isdecimal():
        return cell[1:]
    return cell.removeprefix(_LEAD) if cell[2:3] in "+0123456789" else cell


def _without(channels: tuple[Channel, ...], own: set[Channel]) -> tuple[Channel, ...]:
    return tuple(channel for channel in channels if channel not in own)


def _refusals_of(said: Mapping[Channel, _Said]) -> Mapping[Channel, OptOutDetails]:
    return {channel: _details(one.refusals) for channel, one in said.items() if one.refusals}


def _details(refusals: Iterable[Statement]) -> OptOutDetails:
    """How a NO was said: the contact's own counts before our side's, and the latest date."""
    known = [*refusals]
    theirs = [said for said in known if not said.by_staff] or known
    return OptOutDetails(
        at=max((said.at for said in theirs if said.at), default=None),
        by_staff=theirs[0].by_staff,
        reason=next((said.reason for said in theirs if said.reason), ""),
    )
