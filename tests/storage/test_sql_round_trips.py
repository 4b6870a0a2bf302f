"""How often PostgreSQL is waited for, and that it never reads a table whole for one row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime

import psycopg
import pytest

from bot.consent.events import Event, EventKind
from bot.consent.model import Actor, Channel
from bot.consent.permissions import Role
from bot.consent.store import Store
from bot.consent.use_cases import Service
from bot.consent.use_cases.contacts import Details, add
from bot.consent.use_cases.ingest import ingest
from bot.consent.use_cases.log_pages import recent_log
from bot.consent.use_cases.look_up import find
from bot.runtime.read_email import read_email
from handlers.webhooks.registry import known_providers
from storage import open_store
from tests.support.postgres_fixtures import empty_database, shared
from tests.support.round_trips import RoundTrips
from tests.support.storages import KINDS

pytestmark = pytest.mark.skipif("postgresql" not in KINDS, reason="PostgreSQL was not asked for")

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
AGENT = Actor(id="slack:U1", role=Role.AGENT, source="slack")
OPERATOR = Actor(id="cli:root", role=Role.OPERATOR, source="cli")


@pytest.fixture
def url() -> Iterator[str]:
    with empty_database(shared()) as url:
        yield url


def service_of(store: Store) -> Service:
    return Service(
        store=store,
        now=lambda: NOW,
        region="US",
        read_email=read_email,
        hash_key=b"round trips" * 3,
        providers=known_providers(),
        alert_channel="C0ALERTS",
    )


def stop(service: Service, id: str, number: int) -> None:
    event = Event(
        provider="twilio",
        id=id,
        kind=EventKind.REPLY,
        channel=Channel.SMS,
        address=f"+1415555{1000 + number}",
        sender="+18885550199",
        text="STOP",
        occurred_at=NOW,
    )
    ingest(service, [event])


def people(service: Service) -> None:
    for number in range(12):
        details = Details(
            name=f"Ana Gómez {number}",
            phone=f"+1415555{1000 + number}",
            email=f"ana{number}@example.com",
        )
        add(service, details, OPERATOR)


@pytest.mark.parametrize(
    ("act", "most"),
    [
        pytest.param(lambda s: find(s, "+1 415 555 1003", AGENT), 3, id="look-up"),
        pytest.param(lambda s: find(s, "ana gomez", AGENT), 4, id="name with several hits"),
        pytest.param(lambda s: recent_log(s, AGENT), 2, id="recent entries"),
    ],
)
def test_a_question_waits_for_postgresql_a_few_times(
    url: str, act: Callable[[Service], object], most: int
):
    trips = RoundTrips(url)
    with closing(trips), closing(open_store(trips.url)) as store:
        service = service_of(store)
        people(service)
        act(service)  # connects, and learns the search's statements
        with trips.counted() as count:
            act(service)

    assert count[0] <= most


def test_a_stop_in_a_storm_waits_for_postgresql_twice(url: str):
    trips = RoundTrips(url)
    with closing(trips), closing(open_store(trips.url)) as store:
        service = service_of(store)
        people(service)
        for number in range(60):
            stop(service, f"storm-{number}", number % 12)
        with trips.counted() as count:
            stop(service, "one more", 7)

    assert count[0] <= 2


def test_a_table_that_was_empty_at_first_is_not_read_whole(url: str):
    def scans(connection: psycopg.Connection) -> int:
        row = connection.execute(
            "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'events'"
        ).fetchone()
        assert row is not None
        return int(row[0])

    open_store(url).close()  # makes the tables
    with psycopg.connect(url, autocommit=True) as watcher:
        with closing(open_store(url)) as store:
            watcher.execute("ALTER TABLE events SET (autovacuum_enabled = off)")
            before = scans(watcher)
            service = service_of(store)
            people(service)
            # The driver prepares a statement at its sixth run, and the server makes one plan for
            # all later runs after another five.
            for number in range(30):
                stop(service, f"few-{number}", number % 12)
            watcher.execute(
                "INSERT INTO events (workspace, fingerprint) "
                "SELECT 1, decode(md5(n::text), 'hex') FROM generate_series(1, 20000) n"
            )
            for number in range(5):
                stop(service, f"many-{number}", number % 12)
        # A connection that ends has told what it scanned.
        with psycopg.connect(url) as after:
            assert scans(after) == before
