"""The rows that an import did not take, as a file to be mended and imported again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path

from handlers.cells import defused, line, plain
from handlers.contacts_file.read_file import ContactsFile

_ADDED = ("line", "reason")


def write_rejected(contacts: ContactsFile, path: Path, reasons: Mapping[int, str]) -> Path:
    """Writes the rows that begin in these lines, with their original columns, and the line and the
    reason at the end, beside the file that was imported; where to. Readable by its owner alone, and
    never over a file that is there: somebody may be correcting it. Raises OSError."""
    header = contacts.columns.header
    # Left over where the file is itself one of these.
    kept = [place for place, name in enumerate(header) if name not in _ADDED]
    encoding = "utf-8-sig" if contacts.marked else "utf-8"
    target = _new(path)
    with target.open("w", encoding=encoding, newline="") as file:
        file.write(
            line([*_defused([header[place] for place in kept]), *_ADDED], contacts.separator)
        )
        for record in contacts.records():
            if record.line not in reasons:
                continue
            cells = _fitted(record.cells, len(header), contacts.separator)
            row = [cells[place] for place in kept]
            row += [str(record.line), reasons[record.line]]
            file.write(line(_defused(row), contacts.separator))
    return target


def _new(path: Path) -> Path:
    """A new file: the first is `contacts.rejected.csv`, the next ends in `-2`."""
    for number in count(1):
        target = path.with_suffix(f".rejected{f'-{number}' if number > 1 else ''}.csv")
        with suppress(FileExistsError):
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            return target
    raise AssertionError


def _fitted(cells: list[str], width: int, separator: str) -> list[str]:
    """As many cells as the header has; what is too much stays in the last one, to be seen."""
    if len(cells) > width:
        return [*cells[: width - 1], separator.join(cells[width - 1 :])]
    return cells + [""] * (width - len(cells))


def _defused(cells: list[str]) -> list[str]:
    return [defused(plain(cell)).replace("\0", "") for cell in cells]
