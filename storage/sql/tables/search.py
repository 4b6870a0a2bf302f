"""Finding contacts by parts of what they are called: the first that are found, not the best.

SQLite goes through its index row by row and stops when there are enough. PostgreSQL's GIN collects
every hit first, which for a common part takes longer than the whole search may; so there the first
two thousand contacts are looked through, and only what is too rare to be found among them twenty
times is asked of the index.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from sqlalchemy import BigInteger, bindparam, literal_column, select, text

from bot.consent.model import Contact
from storage.sql.engine.database_session import Row
from storage.sql.schema import INDEXES, TEXT, WORKSPACE, contacts, grams
from storage.sql.statements import Statements
from storage.sql.tables import table_rows, trigrams
from storage.sql.tables.trigrams import Part
from storage.sql.transaction import PendingQuery, Transaction

#: A statement and its values.
_Query = tuple[str, dict[str, Any]]
#: Documents that the first contacts gave, by part and limit.
FirstHits = dict[tuple[Part, int], list[Row]]

#: Contacts that are looked through without an index: some 2 ms.
_FIRST = 2_000
#: Left to itself, SQLite would go by the workspace, and look at every contact there is.
_MINE = f"+contacts.workspace = {WORKSPACE}"
#: The end of what begins with some digits.
_AFTER_DIGITS = ":"


def search(turn: Transaction, asked: str, limit: int, first_hits: FirstHits) -> list[Contact]:
    """At most `limit` contacts. `first_hits` are known already (`first_steps`)."""
    found: dict[str, Contact] = {}
    steps = _fewer_ways if turn.sql.postgresql else _steps
    for documents in steps(turn, asked, limit, first_hits):
        for document, *_ in documents:
            contact = table_rows.contacts.decode(document)
            if len(found) < limit:
                found.setdefault(contact.id, contact)
        if len(found) >= limit:
            break
    return list(found.values())


def first_steps(
    turn: Transaction, asked: str, limit: int, first_hits: FirstHits
) -> Iterator[PendingQuery]:
    """What PostgreSQL's first contacts are looked through for, all at once."""
    for part in trigrams.parts(asked) if limit > 0 else ():
        if (key := (part, limit)) not in first_hits:
            given = {**_texts(part), "limit": limit}
            learn = partial(first_hits.__setitem__, key)
            yield PendingQuery(_statement(turn.sql, part, "first"), given, learn)


def _fewer_ways(
    turn: Transaction, asked: str, limit: int, first_hits: FirstHits
) -> Iterator[list[Row]]:
    """Two ways to the database: the first contacts, and then the indexes that are needed."""
    if limit <= 0:
        return
    if missing := list(first_steps(turn, asked, limit, first_hits)):
        turn.ask(missing)
    further: dict[int, list[Row]] = {}
    queries = [
        PendingQuery(sql, {**given, "limit": limit}, partial(further.__setitem__, number))
        for number, (sql, given) in _needed(turn, asked, limit, first_hits)
    ]
    if queries:
        turn.ask(queries)
    for number, part in enumerate(trigrams.parts(asked)):
        yield first_hits[part, limit]
        yield further.pop(number, [])
    yield from further.values()


def _needed(
    turn: Transaction, asked: str, limit: int, first_hits: FirstHits
) -> Iterator[tuple[int, _Query]]:
    """The queries of indexes, with the number of the part: until the first contacts have given
    enough."""
    parts = trigrams.parts(asked)
    found: set[Row] = set()
    for number, part in enumerate(parts):
        found.update(first_hits[part, limit])
        if len(found) >= limit:
            return
        if query := _by_index(turn, part):
            yield number, query
    yield from enumerate(_by_digits(turn, asked), len(parts))


def _steps(turn: Transaction, asked: str, limit: int, first_hits: FirstHits) -> Iterator[list[Row]]:
    if limit <= 0:
        return
    for part in trigrams.parts(asked):
        sql, given = _by_index(turn, part) or (_statement(turn.sql, part, "first"), _texts(part))
        yield turn.rows(sql, {**given, "limit": limit})
    for sql, given in _by_digits(turn, asked):
        yield turn.rows(sql, {**given, "limit": limit})


def _by_index(turn: Transaction, part: Part) -> _Query | None:
    """None where the part is too short for an index. It is looked for among the first contacts
    alone."""
    if not part.grams:
        return None
    if turn.sql.pg_trgm and part.column == "name":
        # What is folded holds nothing that LIKE would take for more than it is.
        like = {f"like{n}": f"%{text}%" for n, text in enumerate(part.texts)}
        return _statement(turn.sql, part, "pg_trgm"), like
    if turn.sql.postgresql:
        given = {**_texts(part), "grams": trigrams.marked(part)}
        return _statement(turn.sql, part, "grams"), given
    every = " AND ".join(f'"{gram}"' for gram in part.grams)
    return _statement(turn.sql, part, "fts"), {**_texts(part), "every": every}


def _by_digits(turn: Transaction, asked: str) -> Iterator[_Query]:
    if digits := trigrams.digits(asked):
        for sql, low in (
            (turn.sql.phones_from, f"+{digits}"),
            (turn.sql.phones_back, digits[::-1]),
        ):
            yield sql, {"low": low, "high": low + _AFTER_DIGITS}


def _texts(part: Part) -> dict[str, Any]:
    return {f"text{n}": text for n, text in enumerate(part.texts)}


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
    # The second column is for a round trip with other questions.
    columns = (first.c.document, first.c.name) if sql.postgresql else (first.c.document,)
    return sql.text(select(*columns).where(*holds).limit(limit))
