"""The records of a CSV, one after the other, whatever is in the file: its size never matters to
memory, and a broken record costs its first line and nothing more."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple, TextIO

from bot.consent.errors import Invalid

#: Characters. Longer is no row of contacts, and nothing that is kept.
LONGEST_ROW = 100_000
#: Of such a line this much is shown among the rejected, to be found again.
_SHOWN = 200
#: More is a mistake, or somebody's joke: a wide export has some hundred.
MOST_COLUMNS = 2_000
MOST_LINES = 5_000_000


class UnreadableFile(Invalid):
    """This file can't be read as contacts. Nothing was changed."""  # noqa: D404 - the sentence that the person reads

    def __init__(self, sentence: str | None = None, *, at_command_line: str | None = None) -> None:
        super().__init__(sentence)
        #: The same with the options that help; Slack has none.
        self.at_command_line = at_command_line or self.sentence


class CsvRecord(NamedTuple):
    """One row as it stands in the file."""

    #: From 1, where it begins.
    line: int
    cells: list[str]
    #: Why it can't be taken, as far as that can be told from its form.
    problem: str | None


class CsvRecords(Iterator[CsvRecord]):
    """Reads a text whose line ends were left as they are. Blank lines are passed over.

    Raises `UnreadableFile` where the text as a whole makes no sense.
    """

    def __init__(self, text: TextIO, separator: str, *, line: int = 0) -> None:
        """`line` is how many lines of the file were read before."""
        self._lines = _Lines(text, line)
        self._separator = separator
        self._reader = csv.reader(self._lines, delimiter=separator, strict=True)
        #: Cells of the header, once it was read.
        self._width = 0

    def __next__(self) -> CsvRecord:
        while True:
            begin = self._lines.begin()
            try:
                cells = next(self._reader)
            except (csv.Error, _TooLong):
                return self._broken(begin, _QUOTATION)
            if not any(map(str.strip, cells)):
                continue
            if self._lines.nul:
                return CsvRecord(begin, cells, _NUL)
            if not self._width:
                self._width = len(cells)
                if self._width > MOST_COLUMNS:
                    raise UnreadableFile(f"There are more than {MOST_COLUMNS:,} columns.")
            elif len(cells) > self._width and any(cells[self._width :]):
                return self._broken(begin, f"There are more than {self._width} cells: {_QUOTE_IT}")
            return CsvRecord(begin, cells, None)

    def _broken(self, begin: int, problem: str) -> CsvRecord:
        """The first line of what the reader has just read; the others are read again."""
        line = self._lines.keep_first()
        if len(line) > LONGEST_ROW:
            problem, line = _TOO_LONG, line[:_SHOWN]
        elif "\0" in line:
            problem = _NUL
        # Without `strict`, so that it is taken apart as far as it goes.
        return CsvRecord(begin, next(csv.reader([line], delimiter=self._separator), []), problem)


_QUOTE_IT = "a value with a separator in it has to stand in quotation marks."
_QUOTATION = "A quotation mark never closes, or text follows the one that closes."
_NUL = "There is a NUL character in this row."
_TOO_LONG = f"The line is longer than {LONGEST_ROW:,} characters."


class _TooLong(Exception):
    """A line, or what a quotation mark that opened has swallowed, is more than a row can hold."""


class _Lines(Iterator[str]):
    """The lines of a text, counted and measured; those of one record can be taken back."""

    def __init__(self, text: TextIO, line: int) -> None:
        self._text = text
        self._line = line
        self._again: deque[str] = deque()
        self._record: list[str] = []
        self._length = 0
        self.nul = False

    def begin(self) -> int:
        """A record begins: the number of its first line."""
        self._record = []
        self._length = 0
        self.nul = False
        return self._line + 1

    def keep_first(self) -> str:
        """The first line of the record; the others come again."""
        first, *others = self._record
        self._again.extendleft(reversed(others))
        self._line -= len(others)
        return first

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._read()
        if not line:
            raise StopIteration
        self._line += 1
        self._record.append(line)
        self._length += len(line)
        if self._length > LONGEST_ROW:
            raise _TooLong
        if self._line > MOST_LINES:
            raise UnreadableFile(f"There are more than {MOST_LINES:,} lines: split the file.")
        if "\0" in line:
            self.nul = True
        return line

    def _read(self) -> str:
        """The next line; of one that is too long the beginning, and the rest is passed over."""
        line = rest = self._text.readline(LONGEST_ROW + 1)
        while len(rest) > LONGEST_ROW and not rest.endswith(("\n", "\r")):
            rest = self._text.readline(LONGEST_ROW + 1)
        return line
