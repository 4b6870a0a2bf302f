"""Many statements as one: PostgreSQL and its driver take longer over each message than over what
most of ours ask for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from storage.sql.engine.database_session import Question, Row, Values


def combine_queries(questions: Sequence[Question]) -> Question:
    """Where there are several, each of them has two texts for an answer."""
    if len(questions) == 1:
        return questions[0]
    return _union(tuple(sql for sql, _ in questions)), _numbered(questions)


def split_results(rows: Sequence[Row], count: int) -> list[list[Row]]:
    """What each of so many questions gives, out of what they give together."""
    if count == 1:
        return [list(rows)]
    found: list[list[Row]] = [[] for _ in range(count)]
    for number, *row in rows:
        found[number].append(tuple(row))
    return found


def combine_statements(changes: Sequence[Question]) -> Question:
    """For changes that touch no row twice: none of them sees what the others do, and PostgreSQL
    does them in an order of its own."""
    if len(changes) == 1:
        return changes[0]
    return _with(tuple(sql for sql, _ in changes)), _numbered(changes)


@lru_cache(maxsize=256)
def _union(statements: tuple[str, ...]) -> str:
    return " UNION ALL ".join(
        f"SELECT {number}, answer.* FROM ({_renamed(sql, number)}) AS answer"  # noqa: S608 - our own statements
        for number, sql in enumerate(statements)
    )


@lru_cache(maxsize=256)
def _with(statements: tuple[str, ...]) -> str:
    changes = ", ".join(
        f"change_{number} AS ({_renamed(sql, number)})" for number, sql in enumerate(statements)
    )
    return f"WITH {changes} SELECT"


def _renamed(sql: str, number: int) -> str:
    """`%(key)s` becomes `%(key_0)s`: each has its own."""
    return sql.replace(")s", f"_{number})s")


def _numbered(questions: Sequence[Question]) -> Values:
    return {
        f"{name}_{number}": value
        for number, (_, values) in enumerate(questions)
        for name, value in dict(values).items()
    }
