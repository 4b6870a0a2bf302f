"""The addresses in a file, whatever else it says: for a list that is checked and not imported."""

from __future__ import annotations

from collections.abc import Iterator
from io import FileIO
from itertools import islice
from pathlib import Path

from handlers.cells import plain
from handlers.contacts_file.asked import Asked, ListKind
from handlers.contacts_file.columns import FOR_ADDRESS
from handlers.contacts_file.read_file import Source
from handlers.contacts_file.recognise import SAMPLED, recognise
from handlers.contacts_file.text_encoding import encoding_of


def addresses_of(path: Path) -> Iterator[str]:
    """Every cell of a column of phone numbers or mailboxes, row by row, with a header or without.

    Raises `UnreadableFile` where no column has addresses, and `OSError`.
    """
    asked = Asked(kind=ListKind.SUPPRESSIONS)
    with FileIO(path) as file:
        source = Source.of(file, asked)
        sample = [record.cells for record in islice(source.rows(), SAMPLED)]
        columns = recognise(source.header, sample, asked)
        places = sorted(place for column in FOR_ADDRESS for place in columns.places.get(column, ()))
        for record in source.rows():
            cells = (record.cells[place] for place in places if place < len(record.cells))
            yield from (text for cell in cells if (text := plain(cell).strip()))


def lines_of(path: Path) -> list[str]:
    """The file as text, line by line."""
    with FileIO(path) as file:
        encoding = encoding_of(file, None)
        file.seek(0)
        return file.read().decode(encoding).splitlines()
