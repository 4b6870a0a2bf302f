"""Cells of a CSV file that no spreadsheet takes for a formula, and back again without loss.

https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import re
from collections.abc import Iterable

#: What a spreadsheet may run or drop: formula signs, full-width ones too, and control characters.
#: Text that has apostrophes before one of these is guarded as well, or `plain` would not be exact.
_DANGEROUS = re.compile("'*[=+\\-@＝＋－＠\x00-\x1f\x7f-\x9f]")
#: Where the file is opened with another separator than ours, a cell begins in the middle of one: at
#: each of these separators, whatever quotes stand around the whole. A sheet drops spaces and quotes
#: before a sign.
_INSIDE = "(?<=[;\t\r\n]){guard}(?=[\x00-\x08\x0b\x0c\x0e-\x20\"'\x7f-\x9f]*[=+\\-@＝＋－＠])"
_UNGUARDED = re.compile(_INSIDE.format(guard=""))
_GUARDED = re.compile(_INSIDE.format(guard="'"))
_PHONE = re.compile(r"\+[0-9]{1,15}")
#: `="+14155550100"`: how some exports keep a spreadsheet from rounding a number.
_WRAPPED = re.compile(r'="([^"]*)"')
#: Separators of any locale: a cell must not fall apart where another one opens the file.
_NEEDS_QUOTES = re.compile('[",;\t\r\n]|^[ ]|[ ]$')


def defused(cell: str) -> str:
    """The cell with a `'` in front where it, or a part of it, could be a formula. A phone number in
    E.164 can't, and stays as it is."""
    cell = _UNGUARDED.sub("'", cell)
    if _DANGEROUS.match(cell) and not _PHONE.fullmatch(cell):
        return f"'{cell}"
    return cell


def plain(cell: str) -> str:
    """The cell as it was before `defused`; text that a formula only wraps comes out of it, too."""
    cell = _GUARDED.sub("", cell)
    if cell[:1] == "'" and _DANGEROUS.match(cell, 1):
        return cell[1:]
    if cell[:2] == '="' and (wrapped := _WRAPPED.fullmatch(cell)):
        return wrapped[1]
    return cell


def line(cells: Iterable[str], separator: str = ",") -> str:
    """One line of a CSV file, of cells that are defused already."""
    return separator.join(map(_quoted, cells)) + "\n"


def _quoted(cell: str) -> str:
    if _NEEDS_QUOTES.search(cell):
        return '"' + cell.replace('"', '""') + '"'
    return cell
