"""One record of a file as a row of an import."""

from __future__ import annotations

from datetime import datetime

from bot.consent.errors import Invalid
from bot.consent.model import Channel, ConsentValue, Evidence
from bot.consent.parsing import blank, visible
from bot.consent.use_cases import Details, Row
from handlers.contacts_file.asked import ListKind
from handlers.contacts_file.cell_times import read_time, time_in
from handlers.contacts_file.cell_values import Statement, merged
from handlers.contacts_file.columns import FOR_PHONE, Column, Columns, Kind
from handlers.contacts_file.csv_records import CsvRecord
from handlers.contacts_file.row_cells import RowCells
from handlers.contacts_file.row_statements import RowConsent, RowStatements, Said, details_of

#: What one statement of a list without reasons says.
_SAYS = {
    ListKind.OPT_OUTS: Statement(on=ConsentValue.NO),
    ListKind.SUPPRESSIONS: Statement(on=ConsentValue.NO),
    ListKind.BOUNCES: Statement(bounced=True),
    ListKind.COMPLAINTS: Statement(on=ConsentValue.NO, bounced=True, complained=True),
}


#: Evidence of whatever is YES, and of each channel where they differ.
_EVIDENCE = (
    (Column.CONSENT_SOURCE, Column.CONSENT_AT),
    (Column.SMS_CONSENT_SOURCE, Column.SMS_CONSENT_AT),
    (Column.EMAIL_CONSENT_SOURCE, Column.EMAIL_CONSENT_AT),
)
_MOST_KNOWN = 5_000


class RowReader:
    """Reads the records of one file."""

    def __init__(self, columns: Columns, now: datetime, kind: ListKind | None = None) -> None:
        self._columns = columns
        self._cells = RowCells(columns)
        self._statements = RowStatements(columns.consent)
        self._now = now
        self._evidenced = tuple(
            (source, at) if source in columns.places or at in columns.places else None
            for source, at in _EVIDENCE
        )
        #: Rows have the same evidence over and over.
        self._known: dict[tuple[str, str], Evidence] = {}
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
        sms, email, refusals, calls = self._statements.of(record)
        phones = self._cells.phones(cells, record)
        emails = self._cells.addresses(cells, record, (Column.EMAIL,))
        more: dict[Channel, list[str]] | None = None
        if len(phones) > 1 or len(emails) > 1:
            more = {Channel.SMS: phones[1:], Channel.EMAIL: emails[1:]}
        evidence, of_sms, of_email = (
            self._evidence(cells, *columns) if columns else None for columns in self._evidenced
        )
        if sms.agreed_at or email.agreed_at:
            of_sms = self._dated(of_sms, evidence, sms.agreed_at)
            of_email = self._dated(of_email, evidence, email.agreed_at)
        return Row(
            line=record.line,
            details=Details(
                name=self._cells.name(cells, record),
                phone=phones[0] if phones else cells.get(Column.MOBILE),
                email=emails[0] if emails else cells.get(Column.EMAIL),
                company=self._cells.first(cells, record, Column.COMPANY),
                external_id=cells.get(Column.EXTERNAL_ID),
            ),
            sms=sms.on,
            email=email.on,
            sms_bounce=sms.bounced,
            email_bounce=email.bounced,
            complaint=email.complained,
            refusals=refusals,
            evidence=evidence,
            sms_evidence=of_sms,
            email_evidence=of_email,
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
            # Nobody reports a text as spam and has it bounce for that.
            sms_bounce=statement.bounced and not statement.complained,
            email_bounce=statement.bounced,
            complaint=statement.complained,
            refusals=dict.fromkeys(Channel, details_of((statement,))),
            listed=True,
        )

    def _refusals(self, record: CsvRecord, problem: str) -> Row:
        """What a row that makes no sense says all the same: its opt-outs and bounces, and of which
        addresses. They are taken although the row is not."""
        if self._kind:
            statement = _SAYS[self._kind]
            of_email = Said(statement.on, statement.bounced, statement.complained)
            of_sms = Said(statement.on, statement.bounced and not statement.complained)
            consent = RowConsent(of_sms, of_email, {}, False)
        else:
            consent = self._statements.as_far_as_understood(record)
        cells = {column: cell.replace("\0", "") for column, cell in self._cells.of(record).items()}
        sms, email = (
            one.on if one.on is ConsentValue.NO else ConsentValue.UNSET
            for one in (consent.sms, consent.email)
        )
        return Row(
            line=record.line,
            details=Details(
                # Whichever of them can be read.
                phone=";".join(self._cells.addresses(cells, record, FOR_PHONE)),
                email=";".join(self._cells.addresses(cells, record, (Column.EMAIL,))),
            ),
            sms=sms,
            email=email,
            sms_bounce=consent.sms.bounced,
            email_bounce=consent.email.bounced,
            complaint=consent.email.complained,
            refusals=consent.refusals,
            problem=problem,
        )

    def _evidence(self, cells: dict[Column, str], source: Column, at: Column) -> Evidence | None:
        """What shows that somebody agreed, and when. Text that says nothing shows nothing."""
        text, when = cells.get(source, ""), cells.get(at, "")
        if not text and not when:
            return None
        known = self._known.get((text, when))
        if known is None:
            known = _evidence_of(text, self._time(when, at))
            if known is not None and len(self._known) < _MOST_KNOWN:
                self._known[text, when] = known
        return known

    def _time(self, when: str, column: Column) -> datetime | None:
        when = visible(when).strip()
        return read_time(when, self._columns.title(column), self._now) if when else None

    def _dated(
        self, own: Evidence | None, general: Evidence | None, agreed_at: datetime | None
    ) -> Evidence | None:
        """The evidence of one channel, with the time of the opt-in in a column of its own."""
        if agreed_at is None or (own and own.at):
            return own
        text = own.text if own else general.text if general else ""
        return Evidence(text=text, at=min(agreed_at, self._now))


def _evidence_of(text: str, at: datetime | None) -> Evidence | None:
    text = "" if blank(text) else text.strip()
    return Evidence(text=text, at=at) if text or at else None
