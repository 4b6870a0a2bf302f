"""What the database itself sees to, and how its tables come and go with the versions."""

from __future__ import annotations

import importlib
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import storage.sql.migrations
from bot.consent.errors import Corrupt, OptinError, StorageFailed
from storage import UnknownStorage, open_store
from storage.sql.schema import VERSION, metadata
from storage.sql.sql_store import SQLStore
from tests.support.postgres_fixtures import empty_database, with_options
from tests.support.storages import as_the_first_program_left_it, connected, path_in, url_of
from tests.support.store_fixtures import NOON, PHONE, contact, entry, put, write_back

Run = Callable[[str], int]


@pytest.fixture(params=["sqlite", "postgresql"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return path_in(tmp_path, request.param)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM entries",
        "DELETE FROM entries WHERE seq = 2",
        "UPDATE entries SET personal = '{}' WHERE seq = 1",
        "UPDATE entries SET document = '{}', personal = NULL, address = NULL WHERE seq = 1",
        "UPDATE entries SET contact = NULL, personal = NULL, address = NULL",
        "UPDATE entries SET actor = 'x', personal = NULL, address = NULL",
        "UPDATE entries SET seq = 7, personal = NULL, address = NULL WHERE seq = 2",
        "UPDATE entries SET address = NULL WHERE seq = 1",
        "UPDATE entries SET personal = NULL WHERE seq = 1",
    ],
)
def test_the_database_itself_refuses_to_change_the_log(path: Path, statement: str) -> None:
    with closing(open_store(url_of(path))) as store:
        put(store, entry("e1", reason="asked"), entry("e2"))
        with store.reading() as records:
            before = list(records.log.all())
        with (
            connected(path) as run,
            pytest.raises(
                (sa.exc.DatabaseError, psycopg.Error, OSError, Exception), match="append"
            ),
        ):
            run(statement)

        with store.reading() as records:
            assert list(records.log.all()) == before


def test_a_database_lets_personal_parts_go_and_nothing_else(path: Path) -> None:
    with closing(open_store(url_of(path))) as store:
        put(store, entry("e1", reason="asked"), entry("e2"))
        with connected(path) as run:
            erase = "UPDATE entries SET personal = NULL, address = NULL WHERE seq = 1"
            assert run(erase) == 1

        with store.reading() as records:
            assert [e.redacted for e in records.log.all()] == [True, False]


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE entries",
        "INSERT INTO entries (seq, actor, kind, document) VALUES (1, 'a', 'note', '{}')",
    ],
)
def test_postgresql_refuses_to_empty_or_to_double_it(tmp_path: Path, statement: str) -> None:
    path = path_in(tmp_path, "postgresql")
    with closing(open_store(url_of(path))) as store:
        put(store, entry("e1"))
    with connected(path) as run, pytest.raises(psycopg.Error):
        run(statement)


def test_sqlite_refuses_to_replace_an_entry(tmp_path: Path) -> None:
    path = path_in(tmp_path, "sqlite")
    with closing(open_store(url_of(path))) as store:
        put(store, entry("e1"))
    with connected(path) as run, pytest.raises(Exception, match="append-only"):
        run("REPLACE INTO entries (seq, actor, kind, document) VALUES (1, 'a', 'note', '{}')")


def test_the_database_itself_refuses_a_second_open_case(path: Path) -> None:
    insert = (
        "INSERT INTO cases (id, document, contact, channel, open, requested_at) "
        "VALUES ('{}', '{{}}', 'c1', 'sms', 1, 0)"
    )
    with closing(open_store(url_of(path))), connected(path) as run:
        run(insert.format("1"))
        with pytest.raises(Exception, match=r"(?i)unique"):
            run(insert.format("2"))


def test_the_migrations_make_what_the_statements_are_made_for(path: Path) -> None:
    open_store(url_of(path)).close()
    engine = sa.create_engine(url_of(path).replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": _is_ours, "compare_type": False}
        )
        differences = compare_metadata(context, metadata)
    engine.dispose()

    assert differences == []


def _is_ours(thing: object, name: str | None, kind: str, reflected: bool, other: object) -> bool:
    """What names are searched by, which stands in no statement of SQLAlchemy's: PostgreSQL's grams
    or its index of pg_trgm's, and SQLite's indexes with their own tables."""
    ours = ("names", "others", "contacts_grams", "contacts_names", "grams")
    return not (name or "").startswith(ours)


def test_the_newest_migration_is_the_version_that_is_asked_for() -> None:
    (folder,) = storage.sql.migrations.__path__
    scripts = ScriptDirectory(folder)

    assert scripts.get_heads() == [VERSION]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_of_the_first_program_is_brought_up_to_date(tmp_path: Path, kind: str) -> None:
    known = contact(email="ana@example.com", company="Optica")
    with empty_database() if kind == "postgresql" else _file(tmp_path) as url:
        as_the_first_program_left_it(url, known)

        with closing(open_store(url)) as store, store.reading() as records:
            for part in ("ana", "ómez", "optica", "xample"):
                assert records.contacts.search(part, limit=9) == [known]


def test_a_database_without_the_table_of_writes_gets_it_unasked(path: Path) -> None:
    url = url_of(path)
    with closing(open_store(url)) as store:
        put(store, contact())
    with connected(path) as run:
        without_addresses_of_entries(path, run)
        run("DROP TABLE write_backs")
        run("UPDATE alembic_version SET version_num = '0004'")

    with closing(open_store(url)) as store:
        assert not store.outdated
        with store.transaction() as records:
            records.write_backs.put(write_back())
        with store.reading() as records:
            assert records.contacts.count() == 1
            assert list(records.write_backs.all()) == [write_back()]


def test_the_entries_of_an_earlier_database_are_found_by_their_address(path: Path) -> None:
    url = url_of(path)
    told = [entry("e1"), entry("e2", address="ANA@B\u00fccher.example", reason="a\0b"), entry("e3")]
    with closing(open_store(url)) as store:
        put(store, *told, entry("e4", address=None), entry("e5", contact="c2"))
        with store.transaction() as records:
            records.log.redact("c2")
        with store.reading() as records:
            before = list(records.log.all())
    with connected(path) as run:
        without_addresses_of_entries(path, run)
        run("UPDATE alembic_version SET version_num = '0005'")

    with closing(open_store(url)) as store, store.reading() as records:
        assert list(records.log.all()) == before
        assert [e.id for e in records.log.of_address(PHONE)] == ["e1", "e3"]
        assert [e.id for e in records.log.of_address("ana@xn--bcher-kva.example")] == ["e2"]
    with connected(path) as run, pytest.raises(Exception, match="append"):
        run("UPDATE entries SET address = NULL")


def without_addresses_of_entries(path: Path, run: Run) -> None:
    """As migration 0005 left the log."""
    first = importlib.import_module("storage.sql.migrations.versions.0001_first")
    run("DROP INDEX entries_address")
    if path.name.endswith(".db"):
        run("DROP TRIGGER entries_fixed")
        run("ALTER TABLE entries DROP COLUMN address")
        run(next(s for s in first._SQLITE if "entries_fixed" in s))
    else:
        run("ALTER TABLE entries DROP COLUMN address")
        old = next(s for s in first._POSTGRESQL if "entries_append_only()" in s)
        run(old.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))


def test_a_database_of_a_newer_program_is_refused_and_left_alone(path: Path) -> None:
    url = url_of(path)
    with closing(open_store(url)) as store:
        put(store, contact())
    with connected(path) as run:
        run("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StorageFailed, match="newer Optin"):
        open_store(url)
    with connected(path) as run:
        run(f"UPDATE alembic_version SET version_num = '{VERSION}'")

    with closing(open_store(url)) as store, store.reading() as records:
        assert records.contacts.count() == 1


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("sqlite", ""),
        ("postgresql", ""),
        ("postgresql", "-c default_transaction_isolation=serializable"),
    ],
)
def test_all_who_make_the_tables_at_once_get_the_same(
    tmp_path: Path, kind: str, options: str
) -> None:
    with empty_database() if kind == "postgresql" else _file(tmp_path) as url:
        if options:
            url = with_options(url, options)

        def open_and_write(number: int) -> None:
            with closing(open_store(url, patience=60)) as store:
                put(store, entry(f"e{number}"))

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(open_and_write, range(6)))
        with closing(open_store(url)) as store, store.reading() as records:
            assert records.log.head()[0] == 6


class _file:
    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder}/new.db"

    def __enter__(self) -> str:
        return self.url

    def __exit__(self, *_: object) -> None:
        pass


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "optin.db"
    path.write_text("name,phone\nAna,+14155550100\n" * 100)
    before = path.read_bytes()
    with pytest.raises(Corrupt, match=r"optin\.db"):
        open_store(f"sqlite:///{path}")

    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://optin:s3cret@127.0.0.1:1/optin",
        "postgresql://optin:s3cret@127.0.0.1:notaport/optin",
        "postgresql://optin:s3cret@127.0.0.1/",
        "postgresql://optin:s3cret@[::1/optin",
        "postgresql://optin:s3cret@127.0.0.1:1/optin?s3cret=s3cret",
        "postgres://optin:s3cret@127.0.0.1:1/optin",
        "mysql://optin:s3cret@127.0.0.1:1/optin",
    ],
)
def test_no_sentence_holds_a_password(url: str) -> None:
    with pytest.raises((StorageFailed, UnknownStorage)) as refused:
        open_store(url)
    error: BaseException | None = refused.value

    assert isinstance(error, OptinError)
    assert "s3cret" not in error.sentence
    assert error.sentence.endswith(".")


def test_what_a_database_can_not_keep_in_a_text_is_kept_in_its_document(path: Path) -> None:
    with closing(open_store(url_of(path))) as store:
        odd = contact("c\0", name="A\0na", company="\0", email="a\0@example.com", external_id="\0")
        put(store, odd, entry("e\0", contact="c\0", actor="cli:\0", reason="\0"))
        with store.transaction() as records:
            records.events.remember("twilio:\0")
            records.key_value.put("\0", "\0")

        with store.reading() as records:
            assert records.contacts.get("c\0") == odd
            assert records.contacts.at("a\0@example.com") == [odd]
            assert records.contacts.by_external_id("\0") == odd
            assert [e.reason for e in records.log.entries(contact="c\0", limit=9)] == ["\0"]
            assert records.events.seen("twilio:\0")
            assert records.key_value.get("\0") == "\0"
            assert records.contacts.search("a\0", limit=9) == [odd]
            assert records.contacts.get("\ud800") is None
            assert records.contacts.at("\ud800") == []
            assert odd.created_at == NOON


def test_sqlite_finds_writes_to_lists_by_their_indexes(tmp_path: Path) -> None:
    path = path_in(tmp_path, "sqlite")
    with closing(open_store(url_of(path))) as store, closing(sqlite3.connect(path)) as file:
        assert isinstance(store, SQLStore)
        sql = store._database.sql
        plans = [
            (index, file.execute(f"EXPLAIN QUERY PLAN {statement}", given).fetchall())
            for index, statement, given in (
                ("write_backs_key", sql.writes_of, {"key": "a"}),
                ("write_backs_due", sql.due_writes, {"provider": "a", "now": 0, "limit": 1}),
                ("write_backs_due", sql.oldest_write, {"provider": "a"}),
                ("write_backs_state", sql.count_writes, {}),
            )
        ]

    for index, plan in plans:
        assert [index in step[3] for step in plan] == [True]
