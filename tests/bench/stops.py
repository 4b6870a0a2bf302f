"""Durable STOPs a second, beside what the same database does without us in the same run.

One after the other, each is a transaction of its own. Eight writers who each wait for the answer
to their last one are what the web intake sees: real signed requests, in the line in which they
share a transaction.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from http import HTTPStatus
from pathlib import Path

from handlers.webhooks.provider import Request
from handlers.webhooks.providers.twilio import Twilio
from handlers.webhooks.receiver.provider_health import ProviderHealth
from handlers.webhooks.receiver.receive import WebhookReceiver
from handlers.webhooks.receiver.webhook_routes import BatchQueue
from storage import open_store
from storage.sql.engine.sqlite import PRAGMAS
from tests.bench import sql
from tests.bench._webhooks import PATH, PUBLIC, TOKEN, signed_stop
from tests.support.postgres_fixtures import Server

Report = Callable[[str, float | str, str, bool, str], None]

WRITERS = 8
_SECONDS = 4.0
_TURNS = 3


def run(report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _beside_sqlite(report, Path(folder))
        server = Server(options=["-c shared_buffers=256MB", "-c max_wal_size=4GB"])
        try:
            _beside_pgbench(report, server)
        finally:
            server.remove()


def _beside_sqlite(report: Report, folder: Path) -> None:
    """The floor commits one insert after the other: SQLite does not get quicker by more writers."""
    url = f"sqlite:///{folder}/optin.db"
    open_store(url).close()
    sql.fill(url, sql.SMALL)
    bare = sqlite3.connect(folder / "bare.db", isolation_level=None)
    for pragma in PRAGMAS:
        bare.execute(f"PRAGMA {pragma}")
    bare.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)")
    floors: list[float] = []
    alone: list[float] = []
    together: list[float] = []
    with closing(bare), closing(open_store(url)) as store:
        for turn in range(_TURNS):
            for number in range(300):
                with sql.timed(floors):
                    bare.execute("BEGIN IMMEDIATE")
                    bare.execute("INSERT INTO t (text) VALUES (?)", ("x" * 256,))
                    bare.execute("COMMIT")
                with sql.timed(alone):
                    sql.stop(store, number, turn)
            together.append(_stops_a_second(url))
    floor, our = 1 / statistics.median(floors), 1 / statistics.median(alone)
    many = statistics.median(together)
    for what, rate in (("one after the other", our), (f"by {WRITERS} writers", many)):
        report(
            f"sqlite: durable STOPs a second, {what}, in bare commits of one insert",
            rate / floor,
            ">= 0.5",
            rate / floor >= 0.5,
            f"{rate:,.0f}/s and {floor:,.0f}/s",
        )


def _beside_pgbench(report: Report, server: Server) -> None:
    url = server.another("optin")
    open_store(url).close()
    sql.fill(url, sql.SMALL)
    server.another("pgbench")
    where = ("-h", server.folder, "-U", "postgres")
    server.run("pgbench", *where, "-i", "-q", "-s", 10, "pgbench")
    theirs, ours = [], []
    for _ in range(_TURNS):
        said = server.run(
            "pgbench", *where, "-N", "-c", WRITERS, "-j", 2, "-T", int(_SECONDS), "pgbench"
        )
        theirs.append(float(said.split("tps = ")[1].split()[0]))
        ours.append(_stops_a_second(url))
    their, our = statistics.median(theirs), statistics.median(ours)
    report(
        f"postgresql: durable STOPs a second by {WRITERS} writers, in pgbench's simple updates",
        our / their,
        ">= 0.5",
        our / their >= 0.5,
        f"{our:,.0f}/s and {their:,.0f}/s; {os.cpu_count()} cores, with the server on them",
    )


def _stops_a_second(url: str) -> float:
    """Of as many writers as there are: each sends its next when the last one is on the disk."""
    made = [_request(number) for number in range(int(_SECONDS * 10_000))]
    with closing(open_store(url)) as store:
        intake = WebhookReceiver(
            sql.service_on(store), counted=_count_nothing, health=ProviderHealth()
        )
        with BatchQueue(intake, Twilio(auth_tokens=[TOKEN])) as line:
            return asyncio.run(_written(line, made))


async def _written(line: BatchQueue, made: list[Request]) -> float:
    end = time.perf_counter() + _SECONDS
    waiting = iter(made)
    done = 0

    async def write() -> None:
        nonlocal done
        while time.perf_counter() < end:
            assert await line.receive(next(waiting)) is HTTPStatus.OK
            done += 1

    begun = time.perf_counter()
    await asyncio.gather(*(write() for _ in range(WRITERS)))
    return done / (time.perf_counter() - begun)


def _request(number: int) -> Request:
    signature, body = signed_stop(sql.phone_of(number % sql.SMALL))
    return Request.of(
        method="POST",
        path=PATH,
        headers=[
            ("content-type", "application/x-www-form-urlencoded; charset=UTF-8"),
            ("x-twilio-signature", signature),
        ],
        body=body,
        public_url=PUBLIC,
    )


def _count_nothing(provider: str, outcome: str, count: int) -> None:
    pass
