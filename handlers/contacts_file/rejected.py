"""The rows that an import did not take, as a file to be mended and imported again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from handlers.cells import defused, line, plain
from handlers.contacts_file.read_file import ContactsFile

_ADDED = ("line", "reason")


def write_rejected(contacts: ContactsFile, path: Path, reasons: Mapping[int, str]) -> None:
    """Writes the rows that begin in these lines, with their original columns, and the line and the
    reason at the end. Readable by its owner alone. Raises OSError."""
    header = contacts.columns.header
    # Left over where the file is itself one of these.
    kept = [place for place, name in enumerate(header) if name not in _ADDED]
    path.touch(mode=0o600)
    encoding = "utf-8-sig" if contacts.marked else "utf-8"
    with path.open("w", encoding=encoding, newline="") as file:
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


def _fitted(cells: list[str], width: int, separator: str) -> list[str]:
    """As many cells as the header has; what is too much stays in the last one, to be seen."""
    if len(cells) > width:
        return [*cells[: width - 1], separator.join(cells[width - 1 :])]
    return cells + [""] * (width - len(cells))


def _defused(cells: list[str]) -> list[str]:
    return [defused(plain(cell)).replace("\0", "") for cell in cells]
