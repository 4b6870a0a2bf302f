"""The storage is busy for a moment, in the middle of something: what was said already still counts."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import psycopg
import pytest

from bot.consent.alerts import Alert, AlertKind, DeliveryState
from bot.consent.errors import StorageFailed
from bot.consent.store import Store
from bot.consent.use_cases.ingest import ingest
from bot.runtime.clock import Stopped
from bot.runtime.open_service import open_service
from bot.runtime.read_settings import read_settings
from handlers.webhooks.provider import Request
from handlers.webhooks.receiver import BatchQueue, ProviderHealth, WebhookReceiver
from handlers.webhooks.registry import make_providers
from storage import open_store
from storage.sql.engine.database import Database
from storage.sql.engine.sqlite import SQLite
from tests.support import consent_fixtures
from tests.support.alerts_fixtures import Bench, reply
from tests.support.consent_fixtures import NOW
from tests.support.held_lock import counting, held
from tests.support.mailgun_requests import EVENT, signed
from tests.support.storages import path_in, url_of

#: Lee's direct messages.
LEE = "U0LEECHEN1"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_slack_has_taken_is_settled_when_the_storage_has_time(
    bench: Bench, tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    storage = path_in(tmp_path, kind)
    with closing(open_store(url_of(storage), patience=0.3)) as store:
        bench.service = replace(bench.service, store=store)
        told = Alert(
            id="a1",
            key="k",
            kind=AlertKind.STOP,
            slack_channel=LEE,
            first_at=bench.clock(),
            last_at=bench.clock(),
        )
        with store.transaction() as records:
            records.outbox.put(told)
        bench.worker = bench.hire(bench.slack)
        bench.workspace.fault("chat.postMessage", "timeout", seconds=1)
        with ThreadPoolExecutor(1) as beside:
            working = beside.submit(bench.worker.step)
            while not bench.calls("chat.postMessage"):
                pass
            with held(storage):
                while "can't be settled yet" not in caplog.text and not working.done():
                    pass
            assert working.result()
        for _ in range(30):
            bench.clock.advance(timedelta(seconds=2))
            bench.settle()

        assert bench.alert().delivery.state is DeliveryState.SENT
        assert len(bench.calls("chat.postMessage")) == 1


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_requests_whose_tokens_are_kept_wait_for_the_storage_once(
    tmp_path: Path, kind: str
) -> None:
    storage = path_in(tmp_path, kind)
    env = {"OPTIN_MAILGUN_SIGNING_KEY": "key", "OPTIN_STORAGE": url_of(storage)}
    settings = read_settings(env)
    tries: Counter[str] = Counter()

    with open_service(settings, patience=0.3) as service:
        service = replace(service, store=counting(service.store, tries))
        known = make_providers(
            settings.providers,
            public_url="https://optin.example.com",
            mailboxes_of=lambda _: None,
        )
        (mailgun,) = (one for one in known if one.name == "mailgun")
        intake = WebhookReceiver(service, counted=lambda *_: None, health=ProviderHealth())
        with BatchQueue(intake, mailgun) as line:
            requests = [event(number) for number in range(24)]

            async def all_at_once() -> list[HTTPStatus]:
                return await asyncio.gather(*map(line.receive, requests))

            with held(storage):
                refused = asyncio.run(all_at_once())
                while_held = tries["transactions"]
            taken = asyncio.run(all_at_once())
        with service.store.reading() as records:
            ids = [entry.provider_id for entry in records.log.all() if entry.provider_id]

    assert set(refused) == {503}
    # The first one alone, those who came meanwhile, and perhaps some in between: not each.
    assert while_held <= 4
    assert set(taken) == {200}
    assert len(ids) == len(set(ids))


def event(number: int) -> Request:
    at = datetime.now(UTC).replace(microsecond=0)
    return signed(EVENT | {"id": f"e{number}"}, token=secrets.token_hex(25), at=at)


def test_readers_by_the_dozen_are_busy_and_no_fault_of_ours(tmp_path: Path) -> None:
    inside, over = threading.Semaphore(0), threading.Event()
    with closing(open_store(url_of(path_in(tmp_path, "sqlite")), patience=0.3)) as store:

        def read() -> None:
            with store.reading() as records:
                records.log.head()
                inside.release()
                over.wait()

        readers = [threading.Thread(target=read) for _ in range(64)]
        for reader in readers:
            reader.start()
        for _ in readers:
            inside.acquire()
        try:
            with pytest.raises(StorageFailed, match="busy"), store.transaction() as records:
                records.log.head()
        finally:
            over.set()
            for reader in readers:
                reader.join()


def test_a_busy_commit_of_sqlite_has_stored_nothing_and_says_so(tmp_path: Path) -> None:
    """With a rollback journal, as on a file system that has no WAL, a reader holds up the COMMIT."""
    path = tmp_path / "optin.db"
    with closing(SQLite(path, patience=0.2)) as database:
        # Without the guard of the files: its connection keeps the write-ahead log.
        Database.migrate(database)
        with database.session() as session:
            assert session.rows("PRAGMA journal_mode = DELETE") == [("delete",)]
            session.write(())
            session.do("INSERT INTO marks (name, document) VALUES ('m', 'x')", [()])
            with closing(sqlite3.connect(path, isolation_level=None)) as reader:
                reader.execute("BEGIN")
                reader.execute("SELECT * FROM marks").fetchall()
                with pytest.raises(StorageFailed, match="busy, so nothing was changed"):
                    session.commit(lambda: None)
                session.undo()
                reader.execute("ROLLBACK")
            assert session.rows("SELECT * FROM marks") == []


def test_what_tells_nothing_does_not_wait_for_whoever_claims(tmp_path: Path) -> None:
    path = path_in(tmp_path, "postgresql")
    opened = consent_fixtures.open_service(path, Stopped(NOW))
    with closing(opened.store), closing(open_store(url_of(path), patience=0.5)) as store:
        service = replace(opened, store=store, alert_channel="C1")
        for number in range(6):
            ingest(service, [reply("STOP", f"+1212555{number:04}")])
        with opened.store.transaction() as frozen:
            assert frozen.outbox.due(NOW, limit=99)
            taken = ingest(service, [reply("thanks, see you", "+12125559999")])

    assert taken == {"no_effect": 1}


def test_the_server_may_have_another_isolation_by_default(tmp_path: Path) -> None:

    url = url_of(path_in(tmp_path, "postgresql"))
    with psycopg.connect(url, autocommit=True) as server:
        (name,) = server.execute("SELECT current_database()").fetchone() or ("",)
        server.execute(
            f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'"  # type: ignore[call-overload]
        )
    try:
        with closing(open_store(url)) as one, closing(open_store(url)) as other:

            def count(store: Store) -> None:
                for _ in range(50):
                    with store.transaction() as records:
                        records.key_value.put("m", str(int(records.key_value.get("m") or 0) + 1))

            with ThreadPoolExecutor(2) as pool:
                list(pool.map(count, (one, other)))
            with one.reading() as records:
                assert records.key_value.get("m") == "100"
    finally:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(
                f"ALTER DATABASE {name} RESET default_transaction_isolation"  # type: ignore[call-overload]
            )
