"""SQLite and PostgreSQL: what must not grow with a million contacts, and what a STOP and
a search cost beside what the same database does without us.

`OPTIN_BENCH_CONTACTS` makes it smaller. PostgreSQL comes out of the package of the tests.
"""

from __future__ import annotations

import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from bot.consent.events import Event, EventKind
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import Channel, Consent, ConsentValue, Contact, Evidence, Origin
from bot.consent.permissions import Actor, Role
from bot.consent.store import Store
from bot.consent.use_cases import Service
from bot.consent.use_cases.contacts import Details, add
from bot.consent.use_cases.ingest import ingest
from bot.consent.use_cases.log_pages import recent_log
from bot.consent.use_cases.look_up import find
from bot.runtime import clock
from bot.runtime.read_email import read_email
from handlers.webhooks.registry import known_providers
from storage import open_store
from tests.bench._loading import LARGE, loading
from tests.support.postgres_fixtures import Server
from tests.support.round_trips import RoundTrips

Report = Callable[[str, float | str, str, bool, str], None]

SMALL = 1_000
ENTRIES_EACH = 5
NOW = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
_FIRST = ("Ana", "Béa", "Carl", "Dora", "Emil", "Fatima", "Giulia", "Hans", "Inés", "Jørgen")
_LAST = ("Gómez", "Smith", "Müller", "Okafor", "Tanaka", "O'Brien", "van Dijk", "Kowalska")
_SENDER = "+18885550199"
#: The first number of a telephone that can exist.
_VALID = 5_550_100
_OPERATOR = Actor(id="cli:bench", role=Role.OPERATOR, source="cli")


def run(report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(options=["-c shared_buffers=256MB", "-c max_wal_size=4GB"])
        try:
            for kind in ("sqlite", "postgresql"):
                few, many = (_url(kind, server, Path(folder), size) for size in (SMALL, LARGE))
                _sizes(report, kind, few, many)
                _names(report, kind, many)
            _round_trips(report, server.another("optintrips"))
        finally:
            server.remove()


def _url(kind: str, server: Server, folder: Path, size: int) -> str:
    file = f"sqlite:///{folder}/{size}.db"
    url = file if kind == "sqlite" else server.another(f"optin{size}")
    if size:
        open_store(url).close()
        fill(url, size)
    return url


# What must not grow


def _sizes(report: Report, kind: str, few: str, many: str) -> None:
    with closing(open_store(few)) as one, closing(open_store(many)) as other:
        both = ((one, SMALL), (other, LARGE))
        for what, act, times in (
            ("look-up by phone", _look_up, 1_000),
            ("the card (contact, gates, last five entries)", _card, 500),
            ("durable STOP (state, entries, alert)", stop, 300),
        ):
            taken: tuple[list[float], list[float]] = ([], [])
            chance = random.Random(1)
            for turn in range(times + 20):
                for (store, size), found in zip(both, taken, strict=True):
                    number = chance.randrange(size)
                    with timed(found):
                        act(store, number, turn)
            small, large = (statistics.median(found[20:]) for found in taken)
            report(
                f"{kind}: {what} at {LARGE:,} contacts and {LARGE * ENTRIES_EACH:,} entries, "
                f"in those at {SMALL:,}",
                large / small,
                "<= 1.5",
                large / small <= 1.5,
                f"{large * 1e6:,.0f} µs and {small * 1e6:,.0f} µs",
            )


def _look_up(store: Store, number: int, turn: int) -> None:
    with store.reading() as records:
        records.contacts.at(phone_of(number))


def _card(store: Store, number: int, turn: int) -> None:
    with store.reading() as records:
        (contact, *_) = records.contacts.at(phone_of(number))
        for address in contact.addresses:
            records.addresses.get(address)
        records.log.entries(contact=contact.id, limit=5)


def stop(store: Store, number: int, turn: int) -> None:
    ingest(service_on(store), [_told(number, f"{time.perf_counter_ns()}-{turn}")])


def _told(number: int, id: str) -> Event:
    return Event(
        provider="twilio",
        id=id,
        kind=EventKind.REPLY,
        channel=Channel.SMS,
        address=phone_of(number),
        sender=_SENDER,
        text="STOP",
    )


def service_on(store: Store) -> Service:
    return Service(
        store=store,
        now=clock.now,
        region="US",
        read_email=read_email,
        hash_key=b"bench" * 8,
        providers=known_providers(),
        alert_channel="C0ALERTS",
    )


# Searching


def _names(report: Report, kind: str, url: str) -> None:
    chance = random.Random(3)
    words = [*_FIRST, *(word for last in _LAST for word in last.split())]
    beginnings = [word[:length] for word in words for length in (1, 2, 3, 5)]
    beginnings += [f"{a[:3]} {b[:3]}" for a in _FIRST for b in _LAST] + ["xq", "zzz", "exa"]
    middles = [word[1:5] for word in words if len(word) > 4]
    middles += ["ample", "person12", "xample", "mpany 4", "nobody at all", "zzzz"]
    middles += [f"{chance.randrange(LARGE)}"[:6].rjust(4, "1") for _ in range(60)]
    with closing(open_store(url)) as store:
        for what, texts, bar in (
            ("first letters of any word", beginnings, 10),
            ("four letters or more out of the middle", middles, 50),
        ):
            medians = []
            for text in texts:
                times: list[float] = []
                for _ in range(3):
                    with timed(times), store.reading() as records:
                        records.contacts.search(text, limit=20)
                medians.append(statistics.median(times) * 1e3)
            p99 = statistics.quantiles(medians, n=100)[98]
            slowest = max(zip(medians, texts, strict=True))[1]
            report(
                f"{kind}: name search over {LARGE:,} contacts, {what}, p99 in ms",
                p99,
                f"<= {bar}",
                p99 <= bar,
                f"{len(texts)} texts, half of them take {statistics.median(medians):.2f} ms, "
                f"the slowest is {slowest!r}",
            )


# Ways to the database


def _round_trips(report: Report, url: str) -> None:
    trips = RoundTrips(url)
    with closing(trips), closing(open_store(trips.url)) as store:
        service = service_on(store)
        for number in range(12):
            details = Details(name=f"Ana Gómez {number}", phone=phone_of(_VALID + number))
            add(service, details, _OPERATOR)
        for turn in range(60):
            stop(store, _VALID + turn % 12, turn)
        for what, act, bar in (
            ("a look-up", lambda: find(service, phone_of(_VALID + 3), _OPERATOR), 3),
            ("a name with several hits", lambda: find(service, "ana gomez", _OPERATOR), 4),
            ("the recent entries", lambda: recent_log(service, _OPERATOR), 2),
            ("a STOP in a storm", lambda: stop(store, _VALID + 5, 100), 2),
        ):
            act()
            with trips.counted() as count:
                act()
            name = f"postgresql: round trips of {what}"
            report(name, count[0], f"<= {bar}", count[0] <= bar, "counted on the socket")


# Filling


def fill(url: str, size: int) -> None:
    """Directly: a million contacts by use cases would take a quarter of an hour."""
    step = 20_000
    with loading(url) as load:
        for first in range(0, size, step):
            numbers = range(first, min(first + step, size))
            load(
                [_contact(number) for number in numbers],
                [
                    replace(
                        _entry(f"{number:032x}", version, number),
                        seq=number * ENTRIES_EACH + version,
                        salt="0" * 32,
                    )
                    for number in numbers
                    for version in range(1, ENTRIES_EACH + 1)
                ],
            )
    statement = f"UPDATE heads SET seq = {size * ENTRIES_EACH}"
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(url.partition("///")[2], isolation_level=None)) as file:
            file.execute(statement)
            file.execute("PRAGMA optimize")
    else:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(statement)  # type: ignore[call-overload]
            server.execute("VACUUM ANALYZE")


def _contact(number: int) -> Contact:
    phone = phone_of(number)
    agreed = Consent(
        on=ConsentValue.YES, by=Origin.CONTACT, since=NOW, evidence=Evidence(text="Form", at=NOW)
    )
    return Contact(
        id=f"{number:032x}",
        version=ENTRIES_EACH,
        name=f"{_FIRST[number % 10]} {_LAST[number // 10 % 8]} {number}",
        company=f"Company {number % 500}",
        external_id=f"crm-{number}",
        phone=phone,
        email=f"person{number}@example.com",
        consents={phone: agreed},
    )


def _entry(contact: str, version: int, number: int) -> Entry:
    return Entry(
        id=f"{number:016x}{version:016x}",
        kind=EntryKind.CONSENT,
        occurred_at=NOW,
        recorded_at=NOW,
        actor=f"slack:U{number % 9}",
        source="slack",
        contact=contact,
        version=version,
        channel=Channel.SMS,
        by=Origin.STAFF,
        before=ConsentValue.NO,
        after=ConsentValue.YES,
        address=phone_of(number),
        reason="Asked for it on the phone",
        digest="0" * 64,
        hash="0" * 64,
    )


def phone_of(number: int) -> str:
    return f"+1415{number:07}"


@contextmanager
def timed(times: list[float]) -> Iterator[None]:
    start = time.perf_counter()
    yield
    times.append(time.perf_counter() - start)
