"""The cells of one row that say who a contact is."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.consent.errors import Invalid
from handlers.cells import plain
from handlers.contacts_file.columns import FOR_PHONE, Column, Columns
from handlers.contacts_file.csv_records import CsvRecord

#: Between several addresses in one cell.
_BETWEEN = re.compile(r":::|[;,|\n]")
#: Before a number in the exports of Meta's lead forms.
_LEAD = "p:"


class RowCells:
    """Finds them in the rows of one file."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._places = tuple((c, places[0]) for c, places in columns.places.items())
        #: Further columns of the same meaning.
        self._others = tuple((c, places[1:]) for c, places in columns.places.items() if places[1:])

    def of(self, record: CsvRecord) -> dict[Column, str]:
        """The cells by the meaning of their column, the best where several mean the same."""
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

    def first(self, cells: dict[Column, str], record: CsvRecord, column: Column) -> str | None:
        """What stands in the best column that is filled."""
        return cells.get(column) or next(iter(self._further(record, column)), None)

    def name(self, cells: dict[Column, str], record: CsvRecord) -> str | None:
        """The contact's name; None where the file has no names at all."""
        if name := cells.get(Column.NAME):
            return name
        if not self._columns.has_names:
            return None
        parts = (self.first(cells, record, c) for c in (Column.FIRST_NAME, Column.LAST_NAME))
        return " ".join(filter(None, parts)) or next(iter(self._further(record, Column.NAME)), "")

    def phones(self, cells: dict[Column, str], record: CsvRecord) -> list[str]:
        """Each phone number of the row, the best first. Raises `Invalid` for a formula."""
        phones = self.addresses(cells, record, FOR_PHONE)
        if any(phone[:1] == "=" for phone in phones):
            raise Invalid("A formula stands where the phone number should be.")
        return phones

    def addresses(
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
            found = self._mobilefirst(found, record)
        if len(found) == 1 and not _BETWEEN.search(found[0]):
            return found
        parts = (part.strip() for cell in found for part in _BETWEEN.split(cell))
        return list(dict.fromkeys(part for part in parts if part))

    def _mobilefirst(self, found: list[str], record: CsvRecord) -> list[str]:
        """Those first of which the column beside them says that they are mobile."""
        mobile = {
            _plain(record.cells[place])
            for place, label in self._columns.labels.items()
            if max(place, label) < len(record.cells)
            and ("mobile" in (kind := record.cells[label].lower()) or "cell" in kind)
        }
        return sorted(found, key=lambda cell: cell not in mobile)


def _plain(cell: str) -> str:
    """Without what a spreadsheet or an export puts before a value to keep it a text."""
    cell = plain(cell)
    if cell[:1] == "'" and cell[1:2].isdecimal():
        return cell[1:]
    return cell.removeprefix(_LEAD) if cell[2:3] in "+0123456789" else cell
