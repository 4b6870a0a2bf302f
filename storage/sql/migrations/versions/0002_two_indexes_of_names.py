"""SQLite's search index becomes two: what contacts are called, and the rest.

In one index a part that stands in every mailbox, as "exa" in those at example.com, is a list of all
contacts, which each search for the one person called Exa went through.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

_BEFORE = """
DROP TRIGGER names_added;
DROP TRIGGER names_deleted;
DROP TRIGGER names_changed;
DROP TABLE names
"""

#: Without `detail`, since only whole parts are looked for, and each index has but one column.
_INDEX = (
    """CREATE VIRTUAL TABLE {index} USING fts5(
         {column}, content='contacts', content_rowid='number', detail=none,
         tokenize='trigram case_sensitive 1')""",
    """CREATE TRIGGER {index}_added AFTER INSERT ON contacts
       BEGIN INSERT INTO {index}(rowid, {column}) VALUES (new.number, new.{column}); END""",
    """CREATE TRIGGER {index}_deleted AFTER DELETE ON contacts
       BEGIN INSERT INTO {index}({index}, rowid, {column})
             VALUES ('delete', old.number, old.{column}); END""",
    """CREATE TRIGGER {index}_changed AFTER UPDATE ON contacts
       WHEN new.{column} IS NOT old.{column}
       BEGIN INSERT INTO {index}({index}, rowid, {column})
             VALUES ('delete', old.number, old.{column});
             INSERT INTO {index}(rowid, {column}) VALUES (new.number, new.{column}); END""",
    "INSERT INTO {index}({index}) VALUES ('rebuild')",
)


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for statement in _BEFORE.split(";\n"):
        op.get_bind().exec_driver_sql(statement)
    for index, column in (("names", "name"), ("others", "other")):
        for statement in _INDEX:
            op.get_bind().exec_driver_sql(statement.format(index=index, column=column))
