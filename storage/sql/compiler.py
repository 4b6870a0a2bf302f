"""Statements of SQLAlchemy's, made into a database's own text.

Putting a statement together anew costs SQLAlchemy more than SQLite takes to answer it: so each is
compiled once for a database, and at work only text and values go to its driver.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    ColumnElement,
    Dialect,
    MetaData,
    Select,
    String,
    Table,
    and_,
    any_,
    bindparam,
    cast,
    column,
    delete,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.types import TypeEngine

from storage.sql.schema import GRAMS, TEXT, WORKSPACE, alerts, contacts, grams

#: Rows that are fetched at a time where all are wanted.
PAGE = 1_000
#: Cases that are fetched so that no contact's has to be looked for.
MOST_OPEN_CASES = 200


class Put(NamedTuple):
    """Stores rows."""

    one: str
    #: Many at once, given as `rows`, a JSON text; None where there is no quicker way than one by
    #: one.
    many: str | None = None


class Compiler:
    """Makes the text of statements for one dialect, SQLite's or PostgreSQL's."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self.postgresql = dialect.name == "postgresql"

    def text(self, statement: ClauseElement) -> str:
        """With its numbers written out, and a name for each value that is given later."""
        compiled = statement.compile(dialect=self._dialect)
        assert isinstance(compiled, SQLCompiler)
        numbers = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        if not numbers:
            return str(compiled)
        written = re.compile(rf"(?::|%\()({'|'.join(numbers)})\b(?:\)s::\w+)?")
        return written.sub(lambda found: str(numbers[found[1]]), str(compiled))

    def locking(self, query: Select[Any], *, skip: bool = False) -> str:
        """With the alerts that it gives locked until the transaction ends: those who claim them
        work beside those who write. `skip`: but those that somebody else has locked."""
        return self.text(query.with_for_update(skip_locked=skip) if self.postgresql else query)

    def upsert(self, table: Table, key: str, given: list[str]) -> Put:
        insert = postgresql_insert if self.postgresql else sqlite_insert
        put = insert(_with_grams if grams.name in given else table).inline()
        changed = {name: put.excluded[name] for name in given if name != key}

        def keyed(put: Any) -> str:
            return self.text(
                put.on_conflict_do_update(index_elements=["workspace", key], set_=changed)
            )

        one = keyed(put.values({name: bindparam(name) for name in given}))
        if not self.postgresql:
            return Put(one)
        return Put(
            one, keyed(put.from_select(given, self.rows({n: put.table.c[n].type for n in given})))
        )

    def redraw(self, table: Table, key: str) -> Put:
        """The document alone."""
        change = update(table).where(table.c.workspace == WORKSPACE)
        one = self.text(
            change.where(table.c[key] == bindparam("key")).values(document=bindparam("document"))
        )
        if not self.postgresql:
            return Put(one)
        new = self.rows({"key": table.c[key].type, "document": String()}).subquery()
        many = change.where(table.c[key] == new.c.key).values(document=new.c.document)
        return Put(one, self.text(many))

    def rows(self, kinds: Mapping[str, TypeEngine[Any]]) -> Select[Any]:
        """Out of one JSON text, of which PostgreSQL makes a table quicker than it takes them one
        by one. An array comes as a text."""
        plain = (column(n, String() if kind is GRAMS else kind) for n, kind in kinds.items())
        listed = (
            func.json_to_recordset(cast(bindparam("rows"), JSON))
            .table_valued(*plain, name="listed")
            .render_derived(name="listed", with_types=True)
        )
        return select(
            *(
                cast(listed.c[n], GRAMS) if kind is GRAMS else listed.c[n]
                for n, kind in kinds.items()
            )
        )

    def among(self, column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
        """Whether it is one of many, which are given as `Database.many`."""
        if self.postgresql:
            return column == any_(bindparam(name, type_=ARRAY(column.type)))
        return column.in_(select(self.listed(name, column.type).c.value))

    def listed(self, name: str, kind: TypeEngine[Any]) -> TableValuedAlias:
        """Many as a table, whose column is `value`."""
        if not self.postgresql:
            return func.json_each(bindparam(name)).table_valued("value")
        given = func.unnest(bindparam(name, type_=ARRAY(kind)))
        return given.table_valued(column("value", kind), name="listed").render_derived()

    def within(self, text: ColumnElement[str], name: str) -> ColumnElement[bool]:
        find = func.strpos if self.postgresql else func.instr
        return find(text, bindparam(name, type_=TEXT)) > 0


class Keyed:
    """What is done with a table of documents."""

    def __init__(self, sql: Compiler, table: Table, key: str) -> None:
        self._sql, self._table, self._key = sql, table, key
        known_by = table.c[key]
        mine = and_(table.c.workspace == WORKSPACE, known_by == bindparam("key"))
        get = select(table.c.document).where(mine)
        self.get = sql.text(get)
        #: For whoever means to write it.
        self.get_locked = sql.locking(get) if table is alerts else self.get
        self.remove = sql.text(delete(table).where(mine))
        given = [c.name for c in table.c if c.name not in ("workspace", "number")]
        if table is contacts and sql.postgresql:
            given.append(grams.name)
        self.put = sql.upsert(table, key, given)
        #: A page in the order of the key.
        self.after = sql.text(
            select(known_by, table.c.document)
            .where(table.c.workspace == WORKSPACE, known_by > bindparam("key"))
            .order_by(known_by)
            .limit(PAGE)
        )

    @cached_property
    def redraw(self) -> Put:
        """Where nothing by which it is found has changed."""
        return self._sql.redraw(self._table, self._key)


def flag(value: int) -> ColumnElement[int]:
    """Written out, or no partial index would be used."""
    return literal_column(str(value), contacts.c.erased.type)


_with_grams = contacts.to_metadata(MetaData())
_with_grams.append_column(grams)
