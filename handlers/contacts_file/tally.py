"""How often each column about consent says yes and no, and what in it is not understood.

A file is tallied as a whole before anything of it is imported: a word that nobody understands may
be an opt-out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.consent.model import ConsentValue
from bot.consent.parsing import masked
from handlers.cells import plain
from handlers.contacts_file.cell_times import looks_like_time
from handlers.contacts_file.cell_values import NOTHING, Statement, is_strong, statement_of
from handlers.contacts_file.columns import Kind, Use
from handlers.contacts_file.csv_records import CsvRecord, UnreadableFile

#: Words that are told one by one. Of a column with more of them, all are in doubt.
MOST_UNKNOWN = 20
#: Different words of one column that are counted as words: a column with more holds no words.
_MOST_WORDS = 2_000
_SHOWN = 3
_LONGEST_SHOWN = 24


@dataclass(slots=True)
class Tally:
    """What the cells of one column say, counted."""

    use: Use
    yes: int = 0
    no: int = 0
    bounced: int = 0
    unset: int = 0
    #: Of these, the cells with a word in them.
    unset_words: int = 0
    #: Rows with a word that is not understood, by the word.
    unknown: Counter[str] = field(default_factory=Counter)
    #: Any of the words is about consent, whatever the title.
    strong: bool = False
    _words: Counter[str] = field(default_factory=Counter)

    def count(self, text: str) -> None:
        """One cell."""
        self._words[text] += 1
        if len(self._words) > _MOST_WORDS:
            self.finish()

    def finish(self) -> None:
        """Reads the words that were counted."""
        for text, times in self._words.items():
            self.strong = self.strong or is_strong(text)
            said = statement_of(plain(text), self.use)
            if said is not None:
                self._add(said, times)
                if said == NOTHING and text.strip():
                    self.unset_words += times
            elif len(self.unknown) <= MOST_UNKNOWN:
                self.unknown[text.strip()] += times
        self._words.clear()

    def _add(self, said: Statement, times: int) -> None:
        if said.on is ConsentValue.NO:
            self.no += times
        elif said.on is ConsentValue.YES:
            self.yes += times
        elif said.bounced:
            self.bounced += times
        else:
            self.unset += times


def tally(uses: Iterable[Use], records: Iterable[CsvRecord]) -> tuple[int, list[Tally]]:
    """How many records there are, and what each of the columns says."""
    tallies = [Tally(use) for use in uses]
    places = [(one.use.place, one) for one in tallies]
    rows = 0
    for record in records:
        rows += 1
        cells = record.cells
        width = len(cells)
        if record.problem is None:
            for place, one in places:
                if place < width:
                    one.count(cells[place])
    for one in tallies:
        one.finish()
    # A status may be about anything, as long as none of its words is about consent.
    return rows, [one for one in tallies if one.strong or one.use.kind is not Kind.STATUS]


class NotUnderstood(UnreadableFile):
    """Columns may be about consent, and Optin does not understand them."""

    def __init__(self, columns: Mapping[str, str], *, at_command_line: str) -> None:
        #: What is not understood in each, by its title.
        self.columns = columns
        sentence = "\n".join([*columns.values(), _NOTHING])
        super().__init__(sentence, at_command_line=at_command_line)


def check_understood(tallies: Iterable[Tally]) -> None:
    """Raises `NotUnderstood` for columns that may be about consent and are not understood."""
    unknown = [one for one in tallies if one.unknown]
    if unknown:
        problems = [f"{_problem(one)} {_cure(one)}" for one in unknown]
        columns = {one.use.title: _problem(one) for one in unknown}
        raise NotUnderstood(columns, at_command_line="\n".join([*problems, _NOTHING]))


def _problem(one: Tally) -> str:
    title, examples = one.use.title, _examples(one.unknown)
    if _is_unknown(one):
        return (
            f"The column “{title}” may be about consent, and Optin does not understand it. It "
            f"holds {examples}."
        )
    what = "a word" if len(one.unknown) == 1 else f"{len(one.unknown)} words"
    return f"The column “{title}” holds {what} that Optin does not understand: {examples}."


def _cure(one: Tally) -> str:
    title = one.use.title
    leave = f"--ignore {_quoted(title)}"
    if _is_unknown(one):
        example = _quoted(title + "=sms_on")
        return f"Say what it means, such as --column {example}, or leave it out: {leave}."
    words = "yes, no or nothing"
    if one.use.kind is Kind.LIST_REASON:
        words = "unsubscribed, bounced, complaint or manual"
    return f"Write {words} instead, or leave the column out: {leave}."


def _is_unknown(one: Tally) -> bool:
    return one.use.kind is Kind.UNKNOWN or len(one.unknown) > MOST_UNKNOWN


_NOTHING = "Nothing was imported."


def _examples(unknown: Mapping[str, int]) -> str:
    return ", ".join(f"“{_shown(text)}”" for text in [*unknown][:_SHOWN])


def _shown(text: str) -> str:
    """A value as it may be shown: without the digits of a phone number or the name of a mailbox."""
    digits = sum(character.isdecimal() for character in text)
    if "@" in text or (digits >= 7 and not looks_like_time(text)):
        return masked(text.strip())
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'
