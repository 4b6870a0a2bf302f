"""PostgreSQL and SQLite under fire: many writers, a server that restarts, connections that are lost
at the worst moment, processes that are killed. Nothing acknowledged is lost, none is doubled."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import pytest

from bot.consent.errors import StorageFailed
from bot.consent.log.chain import GENESIS, holds
from bot.consent.log.entries import EntryKind
from storage import open_store
from tests.support.crash_checks import check
from tests.support.postgres_fixtures import Server
from tests.support.receiving_fixtures import receiver
from tests.support.storages import connected, path_in, url_of
from tests.support.store_fixtures import contact, entry, put
from tests.support.store_worker import SHARED, flipped, prepare, take
from tests.support.twilio_requests import ANA, TOKEN, text


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """One that may be restarted, and that has on the disk what it says it has."""
    server = Server(options=["-c shared_buffers=32MB"])
    yield server
    server.remove()


@pytest.fixture
def server(own_server: Server) -> Server:
    """With an empty database."""
    own_server.renew()
    return own_server


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_eight_writers_on_one_chain(tmp_path: Path, kind: str) -> None:
    """Each transaction touches three contacts in an order of its own, and appends three entries:
    no order of locks would do, so one lock comes first."""
    url = url_of(path_in(tmp_path, kind))
    stores = [open_store(url) for _ in range(2)]
    put(stores[0], *(contact(f"c{n}") for n in range(6)))

    def work(number: int) -> None:
        for turn in range(25):
            with stores[number % 2].transaction() as records:
                for step in (0, 1, 2) if number % 2 else (2, 1, 0):
                    id = f"c{(number + turn + step) % 6}"
                    found = records.contacts.get(id)
                    assert found is not None
                    version = found.version + 1
                    records.contacts.put(contact(id, version=version))
                    records.log.append(
                        entry(f"{number}-{turn}-{step}", contact=id, version=version)
                    )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    with stores[0].reading() as records:
        log = list(records.log.all())
        assert [e.seq for e in log] == list(range(1, 8 * 25 * 3 + 1))
        # Each was made behind the one before it: no two have the same parent.
        parents = [GENESIS, *(e.hash for e in log[:-1])]
        assert all(holds(e, parent) for e, parent in zip(log, parents, strict=True))
        assert len({*parents}) == len(log)
        assert len({e.id for e in log}) == len(log)
        for n in range(6):
            mine = [e.version for e in log if e.contact == f"c{n}"]
            assert mine == list(range(1, len(mine) + 1))
    for store in stores:
        store.close()


class Cutter:
    """Between a client and a server: once it is armed, it lets a COMMIT through and cuts the line
    before anybody hears of it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.armed = False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/optin?sslmode=disable"

    def close(self) -> None:
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with socket.socket(socket.AF_UNIX) as server, client:
            server.connect(str(self._server.folder / ".s.PGSQL.5432"))
            threading.Thread(target=self._back, args=(server, client), daemon=True).start()
            with suppress(OSError):
                while data := client.recv(65536):
                    cut = self.armed and b"COMMIT\0" in data  # and no isolation level
                    if cut:
                        self.armed = False
                        client.shutdown(socket.SHUT_RDWR)
                    server.sendall(data)
                    if cut:
                        # It goes on until it has done what it was told.
                        server.shutdown(socket.SHUT_WR)
                        time.sleep(0.5)
                        return

    @staticmethod
    def _back(server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)


def test_a_connection_lost_during_commit_is_an_unknown_outcome_that_the_event_settles(
    server: Server,
) -> None:
    cutter = Cutter(server)
    with closing(open_store(server.url)) as direct, closing(open_store(cutter.url)) as store:
        put(store, contact())

        def tell() -> None:
            with store.transaction() as records:
                if not records.events.seen("twilio:SM1"):
                    records.events.remember("twilio:SM1")
                    records.log.append(entry("e1"))

        cutter.armed = True
        with pytest.raises(StorageFailed, match="nobody knows whether"):
            tell()
        end = time.monotonic() + 10
        while True:
            with direct.reading() as records:
                if records.events.seen("twilio:SM1") or time.monotonic() > end:
                    break
        tell()

        with direct.reading() as records:
            assert records.events.seen("twilio:SM1")
            assert [e.id for e in records.log.all()] == ["e1"]
    cutter.close()


def test_a_webhook_whose_commit_is_lost_sight_of_is_503_and_counts_once(
    server: Server, tmp_path: Path
) -> None:
    cutter = Cutter(server)
    env = {"OPTIN_STORAGE": cutter.url, "OPTIN_TWILIO_AUTH_TOKEN": TOKEN}
    with receiver(tmp_path, env) as bot, closing(open_store(server.url)) as direct:
        bot.willing("Ana", phone=ANA)

        def stops() -> list[str | None]:
            with direct.reading() as records:
                return [e.provider_id for e in records.log.all() if e.kind is EntryKind.CONSENT][1:]

        cutter.armed = True
        lost = text(bot, "STOP", sid="SM1")
        while not stops():  # the server goes on until it has done what it was told
            time.sleep(0.01)
        again = [text(bot, "STOP", sid="SM1") for _ in range(2)]

        assert lost.status == 503
        assert [answer.status for answer in again] == [200, 200]
        assert stops() == ["twilio:in:SM1"]
    cutter.close()


def test_a_connection_lost_before_commit_changed_nothing(server: Server) -> None:
    with closing(open_store(server.url)) as store:
        put(store, contact())

        def broken_off() -> None:
            with store.transaction() as records:
                records.log.append(entry("e1"))
                with psycopg.connect(server.url, autocommit=True) as other:
                    other.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
                    )
                records.contacts.get("c9")

        with pytest.raises(StorageFailed, match="nothing was changed"):
            broken_off()
        put(store, entry("e2"))

        with store.reading() as records:
            assert [e.id for e in records.log.all()] == ["e2"]


@pytest.mark.parametrize(
    "mode",
    [
        "fast",
        "immediate",
        pytest.param(
            "killed", marks=pytest.mark.skipif(not Path("/proc").exists(), reason="no /proc")
        ),
    ],
)
def test_a_server_that_restarts_in_a_flood_loses_and_doubles_nothing(  # noqa: C901 - with the work of its threads
    server: Server, mode: str
) -> None:
    """Whoever is not told that it is stored tells it again, under the same id, as providers do."""
    stores = [open_store(server.url) for _ in range(2)]
    prepare(stores[0])
    over = threading.Event()
    told: list[list[str]] = [[] for _ in range(8)]
    refused = Counter[str]()

    def tell(number: int, event: str) -> None:
        with stores[number % 2].transaction() as records:
            if records.events.seen(event):
                return
            records.events.remember(event)
            found = records.contacts.get(SHARED[len(event) * number % len(SHARED)])
            assert found is not None
            take(records, found, flipped(event, found))

    def work(number: int) -> None:
        turn = 0
        while not over.is_set():
            event = f"twilio:{number}-{turn}"
            try:
                tell(number, event)
            except StorageFailed as error:
                refused[error.sentence[:30]] += 1
                time.sleep(0.02)
                continue
            told[number].append(event)
            turn += 1

    with ThreadPoolExecutor(8) as pool:
        working = [pool.submit(work, number) for number in range(8)]
        try:
            for restarts in range(4):
                before = sum(map(len, told))
                while sum(map(len, told)) < before + 100:
                    for one in working:
                        if one.done():
                            one.result()
                    time.sleep(0.01)
                if restarts < 3:
                    server.stop(mode)
                    server.start()
        finally:
            over.set()
        for one in working:
            one.result()

    assert refused
    with stores[0].reading() as records:
        flips = Counter(e.id for e in records.log.all() if e.before)
        assert set(flips.values()) == {1}
        assert not [event for events in told for event in events if event not in flips]
        assert all(records.events.seen(event) for event in flips)
    check(stores[0], [])
    for store in stores:
        store.close()


def test_two_replicas_and_sixteen_writers_on_the_same_contacts(server: Server) -> None:
    url = server.url
    with closing(open_store(url)) as store:
        prepare(store)
    worker = Path(__file__).parents[1] / "support" / "store_worker.py"
    running = [
        subprocess.Popen(
            [sys.executable, str(worker), url, f"p{n}", str(n), "8", "25"],
            env={"PYTHONPATH": str(worker.parents[2])},
            stdout=subprocess.PIPE,
        )
        for n in range(2)
    ]
    told = [line.split() for one in running for line in one.communicate()[0].splitlines()]

    assert [one.returncode for one in running] == [0, 0]
    assert len(told) == 2 * 8 * 25
    with closing(open_store(url)) as store:
        check(store, [(int(seq), hash.decode()) for seq, hash in told])


def test_who_waits_for_the_lock_waits_for_nobody_who_only_reads(tmp_path: Path) -> None:
    url = url_of(path_in(tmp_path, "postgresql"))
    with closing(open_store(url)) as store, closing(open_store(url)) as other:
        put(store, contact(), entry("e1"))
        with store.reading() as reading:
            assert reading.log.head()[0] == 1
            flip_nothing = threading.Thread(target=lambda: put(other, entry("e2")))
            flip_nothing.start()
            flip_nothing.join(10)

            assert not flip_nothing.is_alive()
            assert reading.log.head()[0] == 1
        with store.transaction() as writing:
            writing.log.append(entry("e3"))
            with other.reading() as reading:
                assert reading.log.head()[0] == 2


def test_what_nobody_foresaw_leaves_no_lock_behind(tmp_path: Path) -> None:
    path = path_in(tmp_path, "postgresql")
    with closing(open_store(url_of(path))) as store:
        with connected(path) as run:
            run("DELETE FROM heads")
        with pytest.raises(ValueError, match="unpack"), store.transaction() as records:
            records.log.head()

        with psycopg.connect(url_of(path)) as server:
            states = server.execute(
                "SELECT DISTINCT state FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchall()
        assert states == [("idle",)]
