"""One record of a file as a row of an import."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.consent.errors import Invalid
from bot.consent.model import Channel, ConsentValue, Evidence
from bot.consent.parsing import blank, visible
from bot.consent.use_cases import Details, Row
from bot.consent.use_cases.imports.rows import OptOutDetails
from handlers.contacts_file.cell_times import read_time, time_in
from handlers.contacts_file.cell_values import Statement, merged
from handlers.contacts_file.columns import FOR_PHONE, Column, Columns, Kind
from handlers.contacts_file.csv_records import CsvRecord
from handlers.contacts_file.recognise import ListKind
from handlers.contacts_file.row_cells import RowCells
from handlers.contacts_file.row_statements import RowStatements, Said, details_of

#: What one statement of a list without reasons says.
_SAYS = {
    ListKind.OPT_OUTS: Statement(on=ConsentValue.NO),
    ListKind.SUPPRESSIONS: Statement(on=ConsentValue.NO),
    ListKind.BOUNCES: Statement(bounced=True),
    ListKind.COMPLAINTS: Statement(on=ConsentValue.NO, bounced=True, complained=True),
}


class RowReader:
    """Reads the records of one file."""

    def __init__(self, columns: Columns, now: datetime, kind: ListKind | None = None) -> None:
        self._columns = columns
        self._cells = RowCells(columns)
        self._statements = RowStatements(columns.consent)
        self._now = now
        self._kind = None if kind is ListKind.CONTACTS else kind

    def read(self, record: CsvRecord) -> Row:
        """The row; one that makes no sense has a problem, which names the column."""
        try:
            if record.problem:
                raise Invalid(record.problem)
            return self._list_row(record) if self._kind else self._read(record)
        except Invalid as problem:
            return self._refusals(record, problem.sentence)

    def _read(self, record: CsvRecord) -> Row:
        cells = self._cells.of(record)
        said, calls = self._statements.said(record)
        phones = self._cells.phones(cells, record)
        emails = self._cells.addresses(cells, record, (Column.EMAIL,))
        sms, email = said[Channel.SMS], said[Channel.EMAIL]
        evidence = self._evidence(cells, Column.CONSENT_SOURCE, Column.CONSENT_AT)
        more = {}
        if len(phones) > 1 or len(emails) > 1:
            more = {Channel.SMS: phones[1:], Channel.EMAIL: emails[1:]}
        return Row(
            line=record.line,
            details=Details(
                name=self._cells.name(cells, record),
                phone=phones[0] if phones else cells.get(Column.MOBILE),
                email=emails[0] if emails else cells.get(Column.EMAIL),
                company=self._cells.first(cells, record, Column.COMPANY),
                external_id=cells.get(Column.EXTERNAL_ID),
            ),
            sms=ConsentValue.UNSET if calls and sms.on is ConsentValue.YES else sms.on,
            email=email.on,
            sms_bounce=sms.bounced,
            email_bounce=email.bounced,
            complaint=email.complained,
            refusals=_refusals_of(said),
            evidence=evidence,
            sms_evidence=self._dated(
                self._evidence(cells, Column.SMS_CONSENT_SOURCE, Column.SMS_CONSENT_AT),
                evidence,
                sms.agreed_at,
            ),
            email_evidence=self._dated(
                self._evidence(cells, Column.EMAIL_CONSENT_SOURCE, Column.EMAIL_CONSENT_AT),
                evidence,
                email.agreed_at,
            ),
            more=more,
            do_not_call=calls,
        )

    def _list_row(self, record: CsvRecord) -> Row:
        """A row of a suppression list: addresses, and what is said against them."""
        assert self._kind is not None
        cells = self._cells.of(record)
        default = _SAYS[self._kind]
        statement = default
        if self._kind is ListKind.SUPPRESSIONS:
            said = [
                one
                for one, use, _ in self._statements.statements(record)
                # The date of an opt-out says when, and nothing of why.
                if one.says_no and not (use.filled and use.kind is Kind.OPT_OUT)
            ]
            statement = merged(said) if said else default
        times = [one.at for one, _, _ in self._statements.statements(record)]
        if text := cells.get(Column.LIST_TIME):
            times.append(time_in(text.strip()))
        statement = statement._replace(at=max(filter(None, times), default=None))
        phones = ";".join(self._cells.phones(cells, record))
        emails = ";".join(self._cells.addresses(cells, record, (Column.EMAIL,)))
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
            refusals=dict.fromkeys(Channel, details_of((statement,))),
            listed=True,
        )

    def _refusals(self, record: CsvRecord, problem: str) -> Row:
        """What a row that makes no sense says all the same: its opt-outs and bounces, and of which
        addresses. They are taken although the row is not."""
        if self._kind:
            said = dict.fromkeys(Channel, Said(on=_SAYS[self._kind].on, refusals=[]))
            bounced = dict.fromkeys(Channel, _SAYS[self._kind].bounced)
            complaint = _SAYS[self._kind].complained
        else:
            said, _ = self._statements.said(record, strict=False)
            bounced = {channel: one.bounced for channel, one in said.items()}
            complaint = said[Channel.EMAIL].complained
        cells = {column: cell.replace("\0", "") for column, cell in self._cells.of(record).items()}
        refused = {
            channel: one.on if one.on is ConsentValue.NO else ConsentValue.UNSET
            for channel, one in said.items()
        }
        return Row(
            line=record.line,
            details=Details(
                # Whichever of them can be read.
                phone=";".join(self._cells.addresses(cells, record, FOR_PHONE)),
                email=";".join(self._cells.addresses(cells, record, (Column.EMAIL,))),
            ),
            sms=refused[Channel.SMS],
            email=refused[Channel.EMAIL],
            sms_bounce=bounced[Channel.SMS],
            email_bounce=bounced[Channel.EMAIL],
            complaint=complaint,
            refusals=_refusals_of(said),
            problem=problem,
        )

    def _evidence(self, cells: dict[Column, str], source: Column, at: Column) -> Evidence | None:
        """What shows that somebody agreed, and when. Text that says nothing shows nothing."""
        if source not in cells and at not in cells:
            return None
        text, when = cells.get(source, ""), visible(cells.get(at, "")).strip()
        time = read_time(when, self._columns.title(at), self._now) if when else None
        text = "" if blank(text) else text.strip()
        return Evidence(text=text, at=time) if text or time else None

    def _dated(
        self, own: Evidence | None, general: Evidence | None, agreed_at: datetime | None
    ) -> Evidence | None:
        """The evidence of one channel, with the time of the opt-in in a column of its own."""
        if agreed_at is None or (own and own.at):
            return own
        text = own.text if own else general.text if general else ""
        return Evidence(text=text, at=min(agreed_at, self._now))


def _refusals_of(said: Mapping[Channel, Said]) -> Mapping[Channel, OptOutDetails]:
    return {channel: details_of(one.refusals) for channel, one in said.items() if one.refusals}
