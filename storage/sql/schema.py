"""The tables: each value as one JSON document, and beside it the columns by which it is found.

`migrations/` makes them; a test compares the two. Times are microseconds since 1970, flags 0 or 1:
both drivers take and give these as they are. Everything carries the workspace that it belongs to;
there is one so far.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.schema import SchemaItem

#: The newest migration. Whoever adds one changes it; a test compares the two.
VERSION = "0006"
#: The last one before 0004, which `optin migrate` has to ask about first. Those behind 0004 change
#: nobody's answer.
UNASKED = "0003"

#: Sorted by code point, as Python does, whatever the database's own language is.
TEXT = String().with_variant(String(collation="C"), "postgresql")
#: Whatever grows by itself is an INTEGER in SQLite, and may be larger elsewhere.
NUMBER = BigInteger().with_variant(Integer(), "sqlite")
GRAMS = ARRAY(String())

#: SQLite's search indexes, by the column that they are of.
INDEXES = {"name": "names", "other": "others"}

#: The workspace of every row.
WORKSPACE = literal_column("1", SmallInteger)

metadata = MetaData()


def _table(name: str, *columns: SchemaItem, **options: Any) -> Table:
    return Table(name, metadata, *columns, **options)


def _workspace(**options: Any) -> Column[int]:
    return Column("workspace", SmallInteger, nullable=False, server_default=text("1"), **options)


def _keyed(key: str) -> tuple[Column[int], Column[str], Column[str]]:
    """A document by the key that it is known by."""
    return (
        _workspace(primary_key=True, autoincrement=False),
        Column(key, TEXT, primary_key=True),
        Column("document", String, nullable=False),
    )


heads = _table(
    "heads",
    _workspace(primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String, nullable=False),
)

contacts = _table(
    "contacts",
    Column("number", NUMBER, Identity(always=True), primary_key=True),
    _workspace(),
    Column("id", TEXT, nullable=False),
    Column("document", String, nullable=False),
    Column("phone", TEXT),
    # Its digits from the last to the first: a number is also found by its end.
    Column("phone_back", TEXT),
    Column("email", TEXT),
    Column("external_id", TEXT),
    Column("erased", SmallInteger, nullable=False),
    # As they are searched; see `words`.
    Column("name", TEXT, nullable=False),
    Column("other", TEXT, nullable=False),
    UniqueConstraint("workspace", "id"),
    sqlite_autoincrement=True,
)
for _column in ("phone", "phone_back", "email", "external_id"):
    Index(f"contacts_{_column}", contacts.c.workspace, contacts.c[_column])
#: PostgreSQL has them in a column with a GIN index, SQLite in tables of their own (FTS5).
grams: Column[Any] = Column("grams", GRAMS, nullable=False)

addresses = _table("addresses", *_keyed("address"), sqlite_with_rowid=False)

entries = _table(
    "entries",
    _workspace(primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("contact", TEXT),
    Column("actor", TEXT, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("channel", TEXT),
    Column("document", String, nullable=False),
    # NULL once it was erased: the one change that the database lets through.
    Column("personal", String),
    # The key of the address that the entry is about; erased together with the personal part.
    Column("address", TEXT),
    sqlite_with_rowid=False,
)
Index("entries_contact", entries.c.workspace, entries.c.contact, entries.c.seq)
Index("entries_actor", entries.c.workspace, entries.c.actor, entries.c.seq)
Index(
    "entries_address",
    entries.c.workspace,
    entries.c.address,
    entries.c.seq,
    sqlite_where=text("address IS NOT NULL"),
    postgresql_where=text("address IS NOT NULL"),
)

events = _table(
    "events",
    _workspace(primary_key=True, autoincrement=False),
    Column("fingerprint", LargeBinary, primary_key=True),
    sqlite_with_rowid=False,
)

alerts = _table(
    "alerts",
    Column("number", NUMBER, Identity(always=True), primary_key=True),
    _workspace(),
    Column("id", TEXT, nullable=False),
    Column("document", String, nullable=False),
    Column("key", TEXT, nullable=False),
    # Urgent ones have 0, the others 1.
    Column("rank", SmallInteger, nullable=False),
    Column("slack_channel", TEXT, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    # Since when it waits: when it was told last, or may be told at last.
    Column("waits_since", BigInteger, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("due", SmallInteger, nullable=False),
    Column("dead", SmallInteger, nullable=False),
    UniqueConstraint("workspace", "id"),
    sqlite_autoincrement=True,
)
Index("alerts_key", alerts.c.workspace, alerts.c.key, alerts.c.number)
Index(
    "alerts_due",
    alerts.c.workspace,
    alerts.c.rank,
    alerts.c.first_at,
    sqlite_where=text("due = 1"),
    postgresql_where=text("due = 1"),
)
Index(
    "alerts_dead",
    alerts.c.workspace,
    sqlite_where=text("dead = 1"),
    postgresql_where=text("dead = 1"),
)

cases = _table(
    "cases",
    *_keyed("id"),
    Column("contact", TEXT, nullable=False),
    Column("channel", TEXT, nullable=False),
    Column("open", SmallInteger, nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Column("next_at", BigInteger),
)
Index("cases_contact", cases.c.workspace, cases.c.contact)
for _name, _columns, _unique in (
    ("cases_one_open", ("contact", "channel"), True),
    ("cases_requested", ("requested_at", "id"), False),
    ("cases_next", ("next_at", "id"), False),
):
    Index(
        _name,
        cases.c.workspace,
        *(cases.c[name] for name in _columns),
        unique=_unique,
        sqlite_where=text("open = 1"),
        postgresql_where=text("open = 1"),
    )

write_backs = _table(
    "write_backs",
    *_keyed("id"),
    Column("key", TEXT, nullable=False),
    Column("provider", TEXT, nullable=False),
    Column("state", TEXT, nullable=False),
    Column("open", SmallInteger, nullable=False),
    Column("wished_at", BigInteger, nullable=False),
    Column("not_before", BigInteger, nullable=False),
)
Index("write_backs_key", write_backs.c.workspace, write_backs.c.key)
Index("write_backs_state", write_backs.c.workspace, write_backs.c.provider, write_backs.c.state)
# With `not_before`, so that those whose time has not come are passed over within the index.
Index(
    "write_backs_due",
    *(write_backs.c[name] for name in ("workspace", "provider", "wished_at", "id", "not_before")),
    sqlite_where=text("open = 1"),
    postgresql_where=text("open = 1"),
)

marks = _table("marks", *_keyed("name"))

imports = _table(
    "imports",
    *_keyed("id"),
    Column("started_at", BigInteger, nullable=False),
)
