"""A CSV of contacts: checked as a whole before anything is written, then read row by row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import FileIO
from pathlib import Path
from typing import TextIO

from bot.consent.errors import Invalid
from bot.consent.use_cases import Row
from handlers.contacts_file.columns import Columns, read_header, understood
from handlers.contacts_file.contact_rows import RowReader
from handlers.contacts_file.csv_records import CsvRecord, CsvRecords, UnreadableFile
from handlers.contacts_file.file_size import check_shape, undecodable

_SEPARATORS = (",", ";", "\t")
#: Excel's own first line, which names the separator and is no header.
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?[\r\n]*', re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactsFile:
    """A file that can be read as contacts, for as long as `open_contacts` holds it open."""

    file: FileIO
    separator: str
    columns: Columns
    #: It began with a byte order mark, which some spreadsheets need.
    marked: bool
    #: How many there are without the header and blank lines.
    rows: int

    def read(self, now: datetime) -> Iterator[Row]:
        """The rows, those that can't be taken with their problem. Whoever agreed today did so by
        `now`."""
        return map(RowReader(self.columns, now).read, self.records())

    def records(self) -> Iterator[CsvRecord]:
        """The rows as they stand there. One such iterator at a time: they share the file."""
        records = _records(self.file, self.separator)
        next(records)
        return records


@contextmanager
def open_contacts(path: Path) -> Iterator[ContactsFile]:
    """Opens a file and looks through all of it.

    Raises `UnreadableFile` where it makes no sense as contacts; nothing was written then.
    """
    if path.exists() and not path.is_file():
        raise UnreadableFile(f"{path} is no file.")
    try:
        file = FileIO(path)
    except OSError as error:
        raise UnreadableFile(f"{path} can't be read: {error.strerror}.") from None
    with file:
        try:
            contacts = _look_through(file)
        except UnicodeDecodeError:
            raise undecodable(file) from None
        yield contacts


def _look_through(file: FileIO) -> ContactsFile:
    check_shape(file)
    declared = _SEPARATOR_LINE.fullmatch(_text(file).readline(16))
    separator = declared[1] if declared else max(_SEPARATORS, key=lambda s: _fit(file, s))
    records = _records(file, separator)
    header = next(records)
    if header.problem:
        raise UnreadableFile(f"Line {header.line}: {header.problem}")
    try:
        columns = read_header(header.cells)
    except Invalid as problem:
        raise UnreadableFile(problem.sentence) from None
    rows = sum(1 for _ in records)
    file.seek(0)
    return ContactsFile(
        file=file,
        separator=separator,
        columns=columns,
        marked=file.read(3) == b"\xef\xbb\xbf",
        rows=rows,
    )


def _fit(file: FileIO, separator: str) -> tuple[int, int]:
    """How well this separator suits the header."""
    header = next(_records(file, separator)).cells
    return understood(header), len(header)


def _records(file: FileIO, separator: str) -> CsvRecords:
    """The records, the header first."""
    text = _text(file)
    if _SEPARATOR_LINE.fullmatch(text.readline(16)):
        return CsvRecords(text, separator, line=1)
    return CsvRecords(_text(file), separator)


def _text(file: FileIO) -> TextIO:
    """The file from its beginning, its line ends left as they are."""
    file.seek(0)
    return open(file.fileno(), encoding="utf-8-sig", newline="", closefd=False)
