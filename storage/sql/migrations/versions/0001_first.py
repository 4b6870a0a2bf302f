"""The first tables. See `storage.sql.schema` for what they are."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

_TABLES = """
CREATE TABLE heads (
    workspace SMALLINT DEFAULT 1 NOT NULL,
    seq BIGINT NOT NULL,
    hash VARCHAR NOT NULL,
    PRIMARY KEY (workspace)
);
INSERT INTO heads (seq, hash) VALUES (0, '{genesis}');

CREATE TABLE contacts (
    number {serial},
    workspace SMALLINT DEFAULT 1 NOT NULL,
    id {text} NOT NULL,
    document VARCHAR NOT NULL,
    phone {text},
    phone_back {text},
    email {text},
    external_id {text},
    erased SMALLINT NOT NULL,
    name {text} NOT NULL,
    other {text} NOT NULL,
    UNIQUE (workspace, id)
);
CREATE INDEX contacts_phone ON contacts (workspace, phone);
CREATE INDEX contacts_phone_back ON contacts (workspace, phone_back);
CREATE INDEX contacts_email ON contacts (workspace, email);
CREATE INDEX contacts_external_id ON contacts (workspace, external_id);

CREATE TABLE addresses (
    workspace SMALLINT DEFAULT 1 NOT NULL,
    address {text} NOT NULL,
    document VARCHAR NOT NULL,
    PRIMARY KEY (workspace, address)
) {keyed};

CREATE TABLE entries (
    workspace SMALLINT DEFAULT 1 NOT NULL,
    seq BIGINT NOT NULL,
    contact {text},
    actor {text} NOT NULL,
    kind {text} NOT NULL,
    channel {text},
    document VARCHAR NOT NULL,
    personal VARCHAR,
    PRIMARY KEY (workspace, seq)
) {keyed};
CREATE INDEX entries_contact ON entries (workspace, contact, seq);
CREATE INDEX entries_actor ON entries (workspace, actor, seq);

CREATE TABLE events (
    workspace SMALLINT DEFAULT 1 NOT NULL,
    fingerprint {bytes} NOT NULL,
    PRIMARY KEY (workspace, fingerprint)
) {keyed};

CREATE TABLE alerts (
    number {serial},
    workspace SMALLINT DEFAULT 1 NOT NULL,
    id {text} NOT NULL,
    document VARCHAR NOT NULL,
    key {text} NOT NULL,
    rank SMALLINT NOT NULL,
    slack_channel {text} NOT NULL,
    first_at BIGINT NOT NULL,
    waits_since BIGINT NOT NULL,
    not_before BIGINT NOT NULL,
    due SMALLINT NOT NULL,
    dead SMALLINT NOT NULL,
    UNIQUE (workspace, id)
);
CREATE INDEX alerts_key ON alerts (workspace, key, number);
CREATE INDEX alerts_due ON alerts (workspace, rank, first_at) WHERE due = 1;
CREATE INDEX alerts_dead ON alerts (workspace) WHERE dead = 1;

CREATE TABLE cases (
    workspace SMALLINT DEFAULT 1 NOT NULL,
    id {text} NOT NULL,
    document VARCHAR NOT NULL,
    contact {text} NOT NULL,
    channel {text} NOT NULL,
    open SMALLINT NOT NULL,
    requested_at BIGINT NOT NULL,
    next_at BIGINT,
    PRIMARY KEY (workspace, id)
);
CREATE INDEX cases_contact ON cases (workspace, contact);
CREATE UNIQUE INDEX cases_one_open ON cases (workspace, contact, channel) WHERE open = 1;
CREATE INDEX cases_requested ON cases (workspace, requested_at, id) WHERE open = 1;
CREATE INDEX cases_next ON cases (workspace, next_at, id) WHERE open = 1;

CREATE TABLE marks (
    workspace SMALLINT DEFAULT 1 NOT NULL,
    name {text} NOT NULL,
    document VARCHAR NOT NULL,
    PRIMARY KEY (workspace, name)
);

CREATE TABLE imports (
    workspace SMALLINT DEFAULT 1 NOT NULL,
    id {text} NOT NULL,
    document VARCHAR NOT NULL,
    started_at BIGINT NOT NULL,
    PRIMARY KEY (workspace, id)
);
"""

#: An entry is never changed and never deleted, by whomever. One thing may be done to it: its
#: personal column becomes NULL, and nothing else of it changes.
_FIXED = ("workspace", "seq", "contact", "actor", "kind", "channel", "document")

_SQLITE = [
    """CREATE TRIGGER entries_kept BEFORE DELETE ON entries
       BEGIN SELECT RAISE(ABORT, 'the Activity Log is append-only'); END""",
    f"""CREATE TRIGGER entries_fixed BEFORE UPDATE ON entries
        WHEN new.personal IS NOT NULL
          OR {" OR ".join(f"new.{name} IS NOT old.{name}" for name in _FIXED)}
        BEGIN SELECT RAISE(ABORT, 'the Activity Log is append-only'); END""",
    """CREATE TRIGGER entries_once BEFORE INSERT ON entries
       WHEN EXISTS (SELECT 1 FROM entries WHERE workspace = new.workspace AND seq = new.seq)
       BEGIN SELECT RAISE(ABORT, 'the Activity Log is append-only'); END""",
    """CREATE VIRTUAL TABLE names USING fts5(
         name, other, content='contacts', content_rowid='number', detail=column,
         tokenize='trigram case_sensitive 1')""",
    """CREATE TRIGGER names_added AFTER INSERT ON contacts
       BEGIN INSERT INTO names(rowid, name, other) VALUES (new.number, new.name, new.other); END""",
    """CREATE TRIGGER names_deleted AFTER DELETE ON contacts
       BEGIN INSERT INTO names(names, rowid, name, other)
             VALUES ('delete', old.number, old.name, old.other); END""",
    """CREATE TRIGGER names_changed AFTER UPDATE ON contacts
       WHEN new.name IS NOT old.name OR new.other IS NOT old.other
       BEGIN INSERT INTO names(names, rowid, name, other)
             VALUES ('delete', old.number, old.name, old.other);
             INSERT INTO names(rowid, name, other) VALUES (new.number, new.name, new.other); END""",
]

_POSTGRESQL = [
    "ALTER TABLE contacts ADD COLUMN grams VARCHAR[] NOT NULL",
    "CREATE INDEX contacts_grams ON contacts USING gin (grams)",
    f"""CREATE FUNCTION entries_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP = 'UPDATE' AND new.personal IS NULL
             AND ({", ".join(f"new.{name}" for name in _FIXED)})
                 IS NOT DISTINCT FROM ({", ".join(f"old.{name}" for name in _FIXED)}) THEN
            RETURN new;
          END IF;
          RAISE EXCEPTION 'the Activity Log is append-only';
        END $$""",
    """CREATE TRIGGER entries_kept BEFORE UPDATE OR DELETE ON entries
       FOR EACH ROW EXECUTE FUNCTION entries_append_only()""",
    """CREATE TRIGGER entries_not_emptied BEFORE TRUNCATE ON entries
       FOR EACH STATEMENT EXECUTE FUNCTION entries_append_only()""",
    # Whoever is let in besides the owner may add, read and erase, and no more.
    "REVOKE ALL ON entries FROM PUBLIC",
]

_WORDS = {
    "sqlite": {
        "serial": "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT",
        "text": "VARCHAR",
        "bytes": "BLOB",
        "keyed": "WITHOUT ROWID",
    },
    "postgresql": {
        "serial": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "text": 'VARCHAR COLLATE "C"',
        "bytes": "BYTEA",
        "keyed": "",
    },
}


def upgrade() -> None:
    kind = op.get_bind().dialect.name
    words = _WORDS[kind] | {"genesis": "0" * 64}
    statements = _TABLES.format(**words).split(";\n")
    for statement in [*statements, *(_SQLITE if kind == "sqlite" else _POSTGRESQL)]:
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
