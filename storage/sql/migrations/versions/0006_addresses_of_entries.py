"""Entries of the Activity Log are found by the address that they are about (rules.md §8.9).

The column holds the key of the address, and is erased together with the personal part. Nobody's
answer changes, so `optin migrate` does not have to ask. A million entries take half a minute.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from alembic import op
from sqlalchemy import Connection

from bot.consent.addresses import key_of

revision = "0006"
down_revision = "0005"

#: Entries that are read, and written, in one go.
_PAGE = 10_000
_TEXT = {"sqlite": "VARCHAR", "postgresql": 'VARCHAR COLLATE "C"'}
_FIXED = ("workspace", "seq", "contact", "actor", "kind", "channel", "document")

_INDEX = (
    "CREATE INDEX entries_address ON entries (workspace, address, seq) WHERE address IS NOT NULL"
)

#: By database: what lets the column be filled, how it is filled, and what guards the log then. The
#: one change that goes through takes the personal part and the address with it.
_UNGUARDED = {
    "sqlite": "DROP TRIGGER entries_fixed",
    "postgresql": "ALTER TABLE entries DISABLE TRIGGER entries_kept",
}
_FILL = {
    "sqlite": "UPDATE entries SET address = ? WHERE workspace = ? AND seq = ?",
    "postgresql": """UPDATE entries SET address = told.address
        FROM unnest(%s::text[], %s::smallint[], %s::bigint[]) AS told (address, workspace, seq)
        WHERE entries.workspace = told.workspace AND entries.seq = told.seq""",
}
_GUARDED = {
    "sqlite": [
        f"""CREATE TRIGGER entries_fixed BEFORE UPDATE ON entries
            WHEN new.personal IS NOT NULL OR new.address IS NOT NULL
              OR {" OR ".join(f"new.{name} IS NOT old.{name}" for name in _FIXED)}
            BEGIN SELECT RAISE(ABORT, 'the Activity Log is append-only'); END"""
    ],
    "postgresql": [
        f"""CREATE OR REPLACE FUNCTION entries_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              IF TG_OP = 'UPDATE' AND new.personal IS NULL AND new.address IS NULL
                 AND ({", ".join(f"new.{name}" for name in _FIXED)})
                     IS NOT DISTINCT FROM ({", ".join(f"old.{name}" for name in _FIXED)}) THEN
                RETURN new;
              END IF;
              RAISE EXCEPTION 'the Activity Log is append-only';
            END $$""",
        "ALTER TABLE entries ENABLE TRIGGER entries_kept",
    ],
}


class _Personal(msgspec.Struct):
    address: str | None = None


def upgrade() -> None:
    connection = op.get_bind()
    kind = connection.dialect.name
    connection.exec_driver_sql(f"ALTER TABLE entries ADD COLUMN address {_TEXT[kind]}")
    connection.exec_driver_sql(_UNGUARDED[kind])
    _fill(connection, kind)
    for statement in (*_GUARDED[kind], _INDEX):
        connection.exec_driver_sql(statement)


def _fill(connection: Connection, kind: str) -> None:
    sign = "?" if kind == "sqlite" else "%s"
    page = (
        f"SELECT workspace, seq, personal FROM entries WHERE (workspace, seq) > ({sign}, {sign}) "  # noqa: S608 - the driver's sign
        f"ORDER BY workspace, seq LIMIT {_PAGE}"
    )
    read = msgspec.json.Decoder(_Personal)
    after: Sequence[int] = (0, 0)
    while rows := connection.exec_driver_sql(page, tuple(after)).fetchall():
        told = [
            (_plain(key_of(address)), workspace, seq)
            for workspace, seq, personal in rows
            if personal and (address := read.decode(f"{{{personal[1:]}}}").address)
        ]
        if told and kind == "sqlite":
            connection.exec_driver_sql(_FILL[kind], told)
        elif told:
            connection.exec_driver_sql(_FILL[kind], tuple(map(list, zip(*told, strict=True))))
        after = rows[-1][:2]


def _plain(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-8", "surrogatepass").decode("utf-8", "replace")
