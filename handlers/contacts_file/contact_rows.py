"""One record of a file as a row of an import."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from bot.consent.errors import Invalid
from bot.consent.model import ConsentValue, Evidence
from bot.consent.parsing import blank, visible
from bot.consent.use_cases import Details, Row
from handlers.cells import plain
from handlers.contacts_file.cell_values import read_bounced, read_on, read_time
from handlers.contacts_file.columns import Column, Columns
from handlers.contacts_file.csv_records import CsvRecord

_SMS = (Column.SMS_ON, Column.SMS_OPT_OUT)
_EMAIL = (Column.EMAIL_ON, Column.EMAIL_OPT_OUT)


class RowReader:
    """Reads the records of one file."""

    def __init__(self, columns: Columns, now: datetime) -> None:
        self._columns = columns
        self._places = tuple(columns.places.items())
        self._now = now

    def read(self, record: CsvRecord) -> Row:
        """The row; one that makes no sense has a problem, which names the column."""
        try:
            if record.problem:
                raise Invalid(record.problem)
            return self._read(record)
        except Invalid as problem:
            return self._refusals(record, problem.sentence)

    def _refusals(self, record: CsvRecord, problem: str) -> Row:
        """What a row that makes no sense says all the same: its opt-outs and bounces, and of which
        addresses. They are taken although the row is not."""
        cells = {column: cell.replace("\0", "") for column, cell in self._cells(record).items()}

        def says_no(*columns: Column) -> ConsentValue:
            for opt_in, opt_out in zip(columns[::2], columns[1::2], strict=True):
                with suppress(Invalid):
                    if self._on(cells, opt_in, opt_out) is ConsentValue.NO:
                        return ConsentValue.NO
            return ConsentValue.UNSET

        def bounced(column: Column) -> bool:
            with suppress(Invalid):
                return self._bounced(cells, column)
            return False

        general = (Column.OPT_IN, Column.OPT_OUT)
        return Row(
            line=record.line,
            details=Details(
                # Whichever of them can be read.
                phone=";".join(filter(None, (cells.get(Column.MOBILE), cells.get(Column.PHONE)))),
                email=cells.get(Column.EMAIL),
            ),
            sms=says_no(*_SMS, *general),
            email=says_no(*_EMAIL, *general),
            sms_bounce=bounced(Column.SMS_BOUNCE),
            email_bounce=bounced(Column.EMAIL_BOUNCE),
            problem=problem,
        )

    def _cells(self, record: CsvRecord) -> dict[Column, str]:
        width = len(record.cells)
        return {
            column: plain(cell) if cell[0] in "'=" else cell
            for column, place in self._places
            if place < width and (cell := record.cells[place])
        }

    def _read(self, record: CsvRecord) -> Row:
        cells = self._cells(record)
        sms, email = self._on(cells, *_SMS), self._on(cells, *_EMAIL)
        if Column.OPT_IN in cells or Column.OPT_OUT in cells:
            general = self._on(cells, Column.OPT_IN, Column.OPT_OUT)
            sms = self._spread(general, sms, Column.SMS_ON)
            email = self._spread(general, email, Column.EMAIL_ON)
        evidence = self._evidence(cells, Column.CONSENT_SOURCE, Column.CONSENT_AT)
        return Row(
            line=record.line,
            details=Details(
                name=_name(cells, self._columns),
                phone=self._phone(cells),
                email=cells.get(Column.EMAIL),
                company=cells.get(Column.COMPANY),
                external_id=cells.get(Column.EXTERNAL_ID),
            ),
            sms=sms,
            email=email,
            sms_bounce=self._bounced(cells, Column.SMS_BOUNCE),
            email_bounce=self._bounced(cells, Column.EMAIL_BOUNCE),
            evidence=evidence,
            sms_evidence=self._evidence(cells, Column.SMS_CONSENT_SOURCE, Column.SMS_CONSENT_AT),
            email_evidence=self._evidence(
                cells, Column.EMAIL_CONSENT_SOURCE, Column.EMAIL_CONSENT_AT
            ),
        )

    def _on(self, cells: dict[Column, str], opt_in: Column, opt_out: Column) -> ConsentValue:
        """A refusal in either column counts. Not to have opted out is no opt-in."""
        on = ConsentValue.UNSET
        if text := cells.get(opt_in):
            on = read_on(text, self._columns.title(opt_in))
        if (text := cells.get(opt_out)) and read_on(
            text, self._columns.title(opt_out)
        ) is ConsentValue.YES:
            on = ConsentValue.NO
        return on

    def _spread(self, general: ConsentValue, own: ConsentValue, column: Column) -> ConsentValue:
        """What a word about no channel in particular says of one: a refusal holds for all, a yes
        only for those that have no column of their own."""
        if general is ConsentValue.NO or column not in self._columns.places:
            return ConsentValue.NO if ConsentValue.NO in (general, own) else general
        return own

    def _phone(self, cells: dict[Column, str]) -> str | None:
        phone = cells.get(Column.MOBILE) or cells.get(Column.PHONE)
        if phone and phone[0] == "=":
            raise Invalid("A formula stands where the phone number should be.")
        return phone

    def _bounced(self, cells: dict[Column, str], column: Column) -> bool:
        text = cells.get(column)
        return read_bounced(text, self._columns.title(column)) if text else False

    def _evidence(self, cells: dict[Column, str], source: Column, at: Column) -> Evidence | None:
        """What shows that somebody agreed, and when. Text that says nothing shows nothing."""
        if source not in cells and at not in cells:
            return None
        text, when = cells.get(source, ""), visible(cells.get(at, "")).strip()
        time = read_time(when, self._columns.title(at), self._now) if when else None
        text = "" if blank(text) else text.strip()
        return Evidence(text=text, at=time) if text or time else None


def _name(cells: dict[Column, str], columns: Columns) -> str | None:
    """None where the file has no names at all."""
    if name := cells.get(Column.NAME):
        return name
    if not columns.has_names:
        return None
    return " ".join(filter(None, (cells.get(Column.FIRST_NAME), cells.get(Column.LAST_NAME))))
