"""Finding contacts by parts of what they are called: the first that are found, not the best.

SQLite goes through its index row by row and stops when there are enough. PostgreSQL's GIN collects
every hit first, which for a common part takes longer than the whole search may; so there the first
two thousand contacts are looked through, and only what is too rare to be found among them twenty
times is asked of the index.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import BigInteger, bindparam, literal_column, select, text

from bot.consent.model import Contact
from storage.sql.schema import INDEXES, TEXT, WORKSPACE, contacts, grams
from storage.sql.statements import Statements
from storage.sql.tables import table_rows, trigrams
from storage.sql.tables.trigrams import Part
from storage.sql.transaction import Transaction

#: Contacts that are looked through without an index: some 2 ms.
_FIRST = 2_000
#: Left to itself, SQLite would go by the workspace, and look at every contact there is.
_MINE = f"+contacts.workspace = {WORKSPACE}"
#: The end of what begins with some digits.
_AFTER_DIGITS = ":"


def search(turn: Transaction, asked: str, limit: int) -> list[Contact]:
    found: dict[str, Contact] = {}
    for documents in _steps(turn, asked, limit):
        for (document,) in documents:
            contact = table_rows.contacts.decode(document)
            if len(found) < limit:
                found.setdefault(contact.id, contact)
        if len(found) >= limit:
            break
    return list(found.values())


def _steps(turn: Transaction, asked: str, limit: int) -> Iterator[list[Any]]:
    if limit <= 0:
        return
    for part in trigrams.parts(asked):
        for sql, given in _queries(turn, part):
            yield turn.rows(sql, {**given, "limit": limit})
    if digits := trigrams.digits(asked):
        for sql, low in (
            (turn.sql.phones_from, f"+{digits}"),
            (turn.sql.phones_back, digits[::-1]),
        ):
            yield turn.rows(sql, {"low": low, "high": low + _AFTER_DIGITS, "limit": limit})


def _queries(turn: Transaction, part: Part) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is too short for the index is looked for among the first contacts alone."""
    given: dict[str, Any] = {f"text{n}": text for n, text in enumerate(part.texts)}
    if turn.sql.postgresql or not part.grams:
        yield _statement(turn.sql, part, "first"), given
    if part.grams and turn.sql.pg_trgm and part.column == "name":
        # What is folded holds nothing that LIKE would take for more than it is.
        like = {f"like{n}": f"%{text}%" for n, text in enumerate(part.texts)}
        yield _statement(turn.sql, part, "pg_trgm"), like
    elif part.grams and turn.sql.postgresql:
        yield _statement(turn.sql, part, "grams"), {**given, "grams": trigrams.marked(part)}
    elif part.grams:
        every = " AND ".join(f'"{gram}"' for gram in part.grams)
        yield _statement(turn.sql, part, "fts"), {**given, "every": every}


def _statement(sql: Statements, part: Part, by: str) -> str:
    key = (part.column, len(part.texts), by)
    if key not in sql.searches:
        sql.searches[key] = _made(sql, part, by)
    return sql.searches[key]


def _made(sql: Statements, part: Part, by: str) -> str:
    c = contacts.c
    kept_in = c[part.column]
    limit = bindparam("limit", type_=BigInteger)
    holds = [sql.within(kept_in, f"text{n}") for n in range(len(part.texts))]
    query = select(c.document).where(c.workspace == WORKSPACE).limit(limit)
    if by == "grams":
        kept = literal_column(f"contacts.{grams.name}", grams.type)
        wanted = bindparam("grams", type_=grams.type)
        return sql.text(query.where(kept.op("@>")(wanted), *holds))
    if by == "pg_trgm":
        like = (kept_in.like(bindparam(f"like{n}", type_=TEXT)) for n in range(len(part.texts)))
        return sql.text(query.where(*like))
    if by == "fts":
        # In this order, hit by hit until there are enough.
        held = " AND ".join(
            f"instr(contacts.{part.column}, :text{n}) > 0" for n in range(len(part.texts))
        )
        index = INDEXES[part.column]
        return (
            f"SELECT contacts.document FROM {index} CROSS JOIN contacts "  # noqa: S608 - our own names alone
            f"ON contacts.number = {index}.rowid WHERE {index} MATCH :every "
            f"AND {_MINE} AND {held} LIMIT :limit"
        )
    mine = c.workspace == WORKSPACE if sql.postgresql else text(_MINE)
    first = (
        select(c.document, c.name, c.other).where(mine).order_by(c.number).limit(_FIRST).subquery()
    )
    holds = [sql.within(first.c[part.column], f"text{n}") for n in range(len(part.texts))]
    return sql.text(select(first.c.document).where(*holds).limit(limit))
