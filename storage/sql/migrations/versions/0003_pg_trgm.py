"""PostgreSQL's own index of parts of names, where the server has it and nobody is kept yet.

A database with contacts stays as it is: replicas of the version before may still be at work on it,
and would miss the column. `optin copy` into a new database moves it.
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
    schema = _pg_trgm()
    if schema:
        run("ALTER TABLE contacts DROP COLUMN grams")
        run(
            "CREATE INDEX contacts_parts ON contacts "
            f"USING gin (name {schema}.gin_trgm_ops, other {schema}.gin_trgm_ops)"
        )


def _pg_trgm() -> str:
    """The schema that it is in; empty where the server does not have it, or not for us."""
    run = op.get_bind().exec_driver_sql
    if not run("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'").first():
        return ""
    run("SAVEPOINT pg_trgm")
    try:
        run("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        schema = str(run(_SCHEMA).scalar_one())
        # In a database of the language "C" it takes no letter but those of ASCII for one.
        known = run(f"SELECT {schema}.show_trgm('ж') <> '{{}}'").scalar_one()
    except DBAPIError:
        run("ROLLBACK TO SAVEPOINT pg_trgm")
        return ""
    return schema if known else ""
