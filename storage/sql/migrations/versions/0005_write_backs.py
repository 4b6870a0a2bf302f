"""Writes to the providers' suppression lists get a table (rules.md §4).

Nobody's answer changes, so `optin migrate` does not have to ask.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

_TABLE = """
CREATE TABLE write_backs (
    workspace SMALLINT DEFAULT 1 NOT NULL,
    id {text} NOT NULL,
    document VARCHAR NOT NULL,
    key {text} NOT NULL,
    provider {text} NOT NULL,
    state {text} NOT NULL,
    open SMALLINT NOT NULL,
    wished_at BIGINT NOT NULL,
    not_before BIGINT NOT NULL,
    PRIMARY KEY (workspace, id)
);
CREATE INDEX write_backs_key ON write_backs (workspace, key);
CREATE INDEX write_backs_state ON write_backs (workspace, provider, state);
CREATE INDEX write_backs_due ON write_backs (workspace, provider, wished_at, id, not_before)
    WHERE open = 1
"""
_TEXT = {"sqlite": "VARCHAR", "postgresql": 'VARCHAR COLLATE "C"'}


def upgrade() -> None:
    connection = op.get_bind()
    for statement in _TABLE.format(text=_TEXT[connection.dialect.name]).split(";\n"):
        connection.exec_driver_sql(statement)
