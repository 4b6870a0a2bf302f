"""PostgreSQL's own index of parts of names, where the server has it and nobody is kept yet.

Where there are contacts it would keep everybody from writing while it is made; `optin copy` into a
new database takes them there. The column of parts stays, for companies and mailboxes: between
their words pg_trgm finds no part, so "a company" would be looked for in all of them. And a dump
may come back on a server without it.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy.exc import DBAPIError

revision = "0003"
down_revision = "0002"

#: It may be in any schema, and that may not be searched.
_SCHEMA = """SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace
             ON pg_namespace.oid = extnamespace WHERE extname = 'pg_trgm'"""


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    if op.get_bind().dialect.name == "sqlite" or run("SELECT 1 FROM contacts LIMIT 1").first():
        return
    if not run("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'").first():
        return
    run("SAVEPOINT pg_trgm")
    try:
        _make()
    except DBAPIError:  # it is the server's, and not for us: names are found without
        run("ROLLBACK TO SAVEPOINT pg_trgm")


def _make() -> None:
    run = op.get_bind().exec_driver_sql
    run("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    schema = run(_SCHEMA).scalar_one()
    # In a database of the language "C" it takes no letter but those of ASCII for one.
    if run(f"SELECT {schema}.show_trgm('ж') <> '{{}}'").scalar_one():
        run(f"CREATE INDEX contacts_names ON contacts USING gin (name {schema}.gin_trgm_ops)")
