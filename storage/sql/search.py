"""Finding contacts by parts of what they are called: the first that are found, not the best.

SQLite goes through its index row by row and stops when there are enough. PostgreSQL's GIN collects
every hit first, which for a common part takes longer than the whole search may; so there the first
few thousand contacts are looked through, and only what is too rare to be found among them twenty
times is asked of the index.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import BigInteger, Integer, bindparam, literal_column, select, union_all

from bot.consent.model import Contact
from storage.sql import rows, words
from storage.sql.schema import INDEXES, WORKSPACE, contacts, grams
from storage.sql.statements import Statements
from storage.sql.turn import Turn
from storage.sql.words import Part

#: Contacts that are looked through without an index: some 3 ms.
_FIRST = 4_000
#: The end of what begins with some digits.
_AFTER_DIGITS = ":"


def search(turn: Turn, asked: str, limit: int) -> list[Contact]:
    found: dict[str, Contact] = {}
    for documents in _steps(turn, asked, limit):
        for (document,) in documents:
            contact = rows.contacts.decode(document)
            if len(found) < limit:
                found.setdefault(contact.id, contact)
        if len(found) >= limit:
            break
    return list(found.values())


def _steps(turn: Turn, asked: str, limit: int) -> Iterator[list[Any]]:
    if limit <= 0:
        return
    parts = words.parts(asked)
    among = _among_the_first(turn, parts, limit) if turn.sql.postgresql else {}
    for number, part in enumerate(parts):
        yield among.get(number, [])
        for sql, given in _queries(turn, part):
            yield turn.rows(sql, {**given, "limit": limit})
    if digits := words.digits(asked):
        for sql, low in (
            (turn.sql.phones_from, f"+{digits}"),
            (turn.sql.phones_back, digits[::-1]),
        ):
            yield turn.rows(sql, {"low": low, "high": low + _AFTER_DIGITS, "limit": limit})


def _among_the_first(turn: Turn, parts: list[Part], limit: int) -> dict[int, list[Any]]:
    """What the first contacts have of each part, in one go."""
    found: dict[int, list[Any]] = {}
    if parts:
        given = {
            f"text{number}_{n}": text
            for number, part in enumerate(parts)
            for n, text in enumerate(part.texts)
        }
        rows = turn.rows(_first(turn.sql, parts), {**given, "limit": limit})
        for number, document in rows:
            found.setdefault(number, []).append((document,))
    return found


def _queries(turn: Turn, part: Part) -> Iterator[tuple[str, dict[str, Any]]]:
    """Of the index. What is too short for it is looked for among the first contacts alone."""
    given: dict[str, Any] = {f"text{n}": text for n, text in enumerate(part.texts)}
    if part.grams and turn.sql.postgresql:
        yield _statement(turn.sql, part, "grams"), {**given, "grams": words.marked(part)}
    elif part.grams:
        every = " AND ".join(f'"{gram}"' for gram in part.grams)
        yield _statement(turn.sql, part, "fts"), {**given, "every": every}
    elif not turn.sql.postgresql:
        yield _statement(turn.sql, part, "some"), given


def _first(sql: Statements, parts: list[Part]) -> str:
    key = ("", len(parts[0].texts), "first")
    if key not in sql.searches:
        c = contacts.c
        mine = c.workspace == WORKSPACE
        some = select(c.number, c.name, c.other).where(mine).limit(_FIRST).cte("some")
        limit = bindparam("limit", type_=BigInteger)
        hits = union_all(
            *(
                select(literal_column(str(number), Integer).label("part"), some.c.number)
                .where(
                    *(
                        sql.within(some.c[part.column], f"text{number}_{n}")
                        for n in range(len(part.texts))
                    )
                )
                .limit(limit)
                for number, part in enumerate(parts)
            )
        ).subquery()
        query = select(hits.c.part, c.document).where(c.number == hits.c.number)
        sql.searches[key] = sql.text(query.order_by(hits.c.part, hits.c.number))
    return sql.searches[key]


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
    if by == "fts":
        # In this order, hit by hit until there are enough: left to itself, SQLite would look at
        # every contact of the workspace.
        held = " AND ".join(
            f"instr(contacts.{part.column}, :text{n}) > 0" for n in range(len(part.texts))
        )
        index = INDEXES[part.column]
        return (
            f"SELECT contacts.document FROM {index} CROSS JOIN contacts "
            f"ON contacts.number = {index}.rowid WHERE {index} MATCH :every "
            f"AND +contacts.workspace = {WORKSPACE} AND {held} LIMIT :limit"
        )
    first = select(c.document, c.name, c.other).order_by(c.number).limit(_FIRST).subquery()
    holds = [sql.within(first.c[part.column], f"text{n}") for n in range(len(part.texts))]
    return sql.text(select(first.c.document).where(*holds).limit(limit))
