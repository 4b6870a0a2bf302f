"""An older copy of a PostgreSQL database, made and put back behind Optin's back (`stale_copies`)."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from urllib.parse import urlsplit

import psycopg

from tests.support.postgres_fixtures import packaged_programs
from tests.support.stale_copies import StorageAt


def older_template(storage: StorageAt) -> Callable[[], None]:
    """A PostgreSQL database as it was at an earlier moment."""
    name = urlsplit(storage.url).path[1:]
    # Nobody may be connected while it is copied.
    storage.admin(
        f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
        f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'",
        f"CREATE DATABASE {name}_older TEMPLATE {name}",
        f"ALTER DATABASE {name} ALLOW_CONNECTIONS true",
    )

    def put_back() -> None:
        storage.admin(
            f"DROP DATABASE {name} WITH (FORCE)",
            f"ALTER DATABASE {name}_older RENAME TO {name}",
        )

    return put_back


def older_dump(storage: StorageAt) -> Callable[[], None]:
    """By PostgreSQL's own means: pg_dump and pg_restore."""
    dump = storage.folder / "older.dump"
    _run("pg_dump", "-Fc", "-f", dump, storage.url)

    def put_back() -> None:
        storage.empty()
        _run("pg_restore", "--exit-on-error", "-d", storage.url, dump)

    return put_back


def _run(program: str, *arguments: object) -> None:
    subprocess.run([packaged_programs() / program, *map(str, arguments)], check=True)


def lost_rows(storage: StorageAt) -> Callable[[], None]:
    """A PostgreSQL database whose newest rows are gone, as after a failover to a server that had
    not received them: the newest entries are deleted, the head is wound back, and the state is what
    the rest of the log says."""
    with psycopg.connect(storage.url, autocommit=True) as database:
        for table in ("contacts", "addresses"):
            database.execute(f"CREATE TABLE older_{table} AS TABLE {table}")  # type: ignore[call-overload]
        head = database.execute("SELECT seq, hash FROM heads").fetchone()
    assert head is not None

    def lose() -> None:
        with psycopg.connect(storage.url) as database:
            database.execute("SET session_replication_role = replica")
            lost = database.execute("DELETE FROM entries WHERE seq > %s", head[:1]).rowcount
            database.execute("UPDATE heads SET seq = %s, hash = %s", head)
            for table in ("contacts", "addresses"):
                database.execute(f"DELETE FROM {table}")  # type: ignore[call-overload]
                database.execute(
                    f"INSERT INTO {table} OVERRIDING SYSTEM VALUE TABLE older_{table}"  # type: ignore[call-overload]
                )
                database.execute(f"DROP TABLE older_{table}")  # type: ignore[call-overload]
        assert lost

    return lose


def recovered_to_a_time(storage: StorageAt) -> Callable[[], None]:
    """PostgreSQL's recovery of a base backup and the archived WAL, up to a time."""
    return _recovery(storage, "recovery_target_time", "clock_timestamp()")


def recovered_to_a_place(storage: StorageAt) -> Callable[[], None]:
    """The same, up to a place in the WAL."""
    return _recovery(storage, "recovery_target_lsn", "pg_current_wal_lsn()")


def _recovery(storage: StorageAt, target: str, now: str) -> Callable[[], None]:
    server = storage.server
    assert server is not None
    moment = server.ask(now)
    return lambda: server.recover(f"{target}={moment}")
