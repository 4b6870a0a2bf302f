"""What one cell says: yes or no, bounced or not, and when that was."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum, auto
from typing import NamedTuple

from bot.consent.model import Channel, ConsentValue
from bot.consent.parsing import visible
from handlers.contacts_file import value_words
from handlers.contacts_file.cell_times import looks_like_time, time_in
from handlers.contacts_file.columns import Kind, Use
from handlers.contacts_file.value_words import sign, table, words


class Statement(NamedTuple):
    """What a cell about consent says."""

    on: ConsentValue = ConsentValue.UNSET
    #: The NO is our own side's, not the contact's.
    by_staff: bool = False
    bounced: bool = False
    complained: bool = False
    #: When, where the cell says that.
    at: datetime | None = None
    #: What the word speaks of, whatever the column.
    channel: Channel | None = None
    reason: str = ""

    @property
    def says_no(self) -> bool:
        """Whether anything in it speaks against a message."""
        return self.on is ConsentValue.NO or self.bounced or self.complained


NOTHING = Statement()
_YES, _NO = Statement(on=ConsentValue.YES), Statement(on=ConsentValue.NO)
_STAFF_NO = Statement(on=ConsentValue.NO, by_staff=True)
_BOUNCED = Statement(bounced=True)
_COMPLAINED = Statement(on=ConsentValue.NO, bounced=True, complained=True)


class _Word(Enum):
    """Classes of words whose meaning is the column's."""

    AFFIRM = auto()
    DENY = auto()
    ACTIVE = auto()
    ALIVE = auto()
    ALLOWED = auto()
    UNSET = auto()
    SOFT = auto()
    TIME = auto()
    COUNT = auto()


_WORDS: dict[str, _Word | Statement] = {
    word: meaning
    for listed, meaning in (
        (value_words.AFFIRM, _Word.AFFIRM),
        (value_words.DENY, _Word.DENY),
        (value_words.ACTIVE, _Word.ACTIVE),
        (value_words.ALIVE, _Word.ALIVE),
        (value_words.ALLOWED, _Word.ALLOWED),
        (value_words.UNSET, _Word.UNSET),
        (value_words.SOFT, _Word.SOFT),
        (value_words.YES, _YES),
        (value_words.NO, _NO),
        (value_words.STAFF_NO, _STAFF_NO),
        (value_words.SMS_NO, _NO._replace(channel=Channel.SMS)),
        (value_words.EMAIL_NO, _NO._replace(channel=Channel.EMAIL)),
        (value_words.BOUNCED, _BOUNCED),
        (value_words.COMPLAINED, _COMPLAINED),
    )
    for word in table(listed)
}
_OF_LISTS: dict[str, Statement] = {
    **dict.fromkeys(table(value_words.LIST_NO), _NO),
    **dict.fromkeys(table(value_words.LIST_STAFF_NO), _STAFF_NO),
}
_SIGNS: dict[str, _Word | Statement] = {
    **dict.fromkeys(value_words.AFFIRM_SIGNS, _Word.AFFIRM),
    **dict.fromkeys(value_words.DENY_SIGNS, _Word.DENY),
    **dict.fromkeys(value_words.UNSET_SIGNS, _Word.UNSET),
    **dict.fromkeys(value_words.NO_SIGNS, _NO),
}
_STRONG = table(value_words.STRONG)
_EMPTY = table(value_words.EMPTY) | table(value_words.DENY)

#: What a column makes of a class of words. A class that is not here is not understood.
_MEANS: Mapping[Kind, Mapping[_Word, Statement]] = {
    Kind.OPT_IN: {
        _Word.AFFIRM: _YES,
        _Word.ACTIVE: _YES,
        _Word.ALLOWED: _YES,
        _Word.TIME: _YES,
        _Word.DENY: _NO,
    },
    Kind.OPT_OUT: {
        _Word.AFFIRM: _NO,
        _Word.TIME: _NO,
        _Word.COUNT: _NO,
        _Word.DENY: NOTHING,
        _Word.ACTIVE: NOTHING,
    },
    Kind.ACTIVE: {_Word.AFFIRM: NOTHING, _Word.ACTIVE: NOTHING, _Word.DENY: _STAFF_NO},
    Kind.BOUNCE: {
        _Word.AFFIRM: _BOUNCED,
        _Word.TIME: _BOUNCED,
        _Word.COUNT: _BOUNCED,
        _Word.DENY: NOTHING,
        _Word.ACTIVE: NOTHING,
    },
    Kind.COMPLAINT: {
        _Word.AFFIRM: _COMPLAINED,
        _Word.TIME: _COMPLAINED,
        _Word.COUNT: _COMPLAINED,
        _Word.DENY: NOTHING,
    },
    Kind.STATUS: {_Word.AFFIRM: NOTHING, _Word.ACTIVE: NOTHING, _Word.DENY: _STAFF_NO},
    # A list has nobody on it for a failure that has passed.
    Kind.LIST_REASON: {_Word.SOFT: _BOUNCED},
    Kind.DO_NOT_CALL: {_Word.AFFIRM: _NO, _Word.TIME: _NO, _Word.DENY: NOTHING},
}
#: Says nothing, where the column makes nothing else of it.
_SAY_NOTHING = frozenset({_Word.UNSET, _Word.ALIVE, _Word.SOFT, _Word.ALLOWED})
#: Of a column where whatever stands there says it.
_FILLED = {
    Kind.OPT_IN: _YES,
    Kind.OPT_OUT: _NO,
    Kind.BOUNCE: _BOUNCED,
    Kind.COMPLAINT: _COMPLAINED,
}
_COUNT = re.compile(r"[1-9]\d{0,5}(\.0+)?", re.ASCII)
_NO_TIME = re.compile(r"0000-00-00.*|0001-01-01.*|0(\.0+)?", re.ASCII)
#: What a mail server says for good (RFC 5321, RFC 3463).
_REFUSED = re.compile(r"5\d\d\b|5\.\d{1,3}\.\d{1,3}\b", re.ASCII)
#: Such as the address of an unsubscribe page.
_LINKS = ("http://", "https://")
_AROUND = "[](){}\"'“”‘’ \t\r\n"
_BETWEEN = re.compile(r"[,;|\n]|:::")


def is_strong(text: str) -> bool:
    """Whether the word is about consent even under a title that may be about anything."""
    return words(text.strip(_AROUND)) in _STRONG


def statement_of(text: str, use: Use) -> Statement | None:
    """What a cell of this column says; None for a word that is not understood."""
    if use.kind is Kind.UNKNOWN:
        return None if text.strip() else NOTHING
    said = read_statement(use.codes.get(text.strip(), text), use.kind, filled=use.filled)
    if said == _NO and use.maker:
        return said._replace(by_staff=True, reason=f"Not subscribed in {use.maker}")
    return said


def read_statement(text: str, kind: Kind, *, filled: bool = False) -> Statement | None:
    """What a cell says; None for a word that is not understood."""
    text = visible(text).strip(_AROUND)
    if not text or text.startswith(_LINKS):
        return NOTHING
    if filled:
        return _read_filled(text, kind)
    one = _read_word(text, kind)
    if one is not None or not _BETWEEN.search(text):
        return one
    # Several words in one cell: the one against a message counts.
    several = [_read_word(part.strip(_AROUND), kind) for part in _BETWEEN.split(text)]
    if None in several:
        return None
    return merged([said for said in several if said])


def _read_filled(text: str, kind: Kind) -> Statement:
    """Of a date or a reason of an opt-out or a bounce."""
    said = _SIGNS.get(sign(text)) or _WORDS.get(words(text))
    soft = said is _Word.SOFT and kind is Kind.BOUNCE
    nothing = said in (_Word.DENY, _YES) or (said is _Word.UNSET and sign(text))
    if soft or nothing or words(text) in _EMPTY or _NO_TIME.fullmatch(text):
        return NOTHING
    if isinstance(said, Statement) and said.says_no:
        return said
    return _FILLED[kind]._replace(at=time_in(text))


def _read_word(text: str, kind: Kind) -> Statement | None:
    found = _SIGNS.get(sign(text)) or _WORDS.get(words(text))
    if kind is Kind.LIST_REASON:
        found = _OF_LISTS.get(words(text), found)
    if found is None and _COUNT.fullmatch(text) and _Word.COUNT in _MEANS[kind]:
        found = _Word.COUNT
    elif found is None and looks_like_time(text):
        found = _Word.TIME
    if isinstance(found, Statement):
        # The word of another column: "Bounced" is a bounce wherever it stands.
        return found
    if found is None:
        refused = kind in (Kind.LIST_REASON, Kind.BOUNCE) and _REFUSED.match(text)
        return _BOUNCED if refused else None
    said = _MEANS[kind].get(found, NOTHING if found in _SAY_NOTHING else None)
    return said._replace(at=time_in(text)) if said and found is _Word.TIME else said


def merged(statements: Sequence[Statement]) -> Statement:
    """Several statements as one: what speaks against a message counts, and the contact's own NO
    before our side's."""
    refusals = [said for said in statements if said.on is ConsentValue.NO]
    agreed = any(said.on is ConsentValue.YES for said in statements)
    theirs = [said for said in refusals if not said.by_staff] or refusals
    on = ConsentValue.NO if refusals else ConsentValue.YES if agreed else ConsentValue.UNSET
    return Statement(
        on=on,
        by_staff=bool(theirs) and theirs[0].by_staff,
        bounced=any(said.bounced for said in statements),
        complained=any(said.complained for said in statements),
        at=max((said.at for said in theirs or statements if said.at), default=None),
        channel=next((said.channel for said in theirs if said.channel), None),
        reason=next((said.reason for said in theirs if said.reason), ""),
    )
