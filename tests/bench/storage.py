"""The embedded storage: what must not grow with its size, and what it costs beside the disk."""

from __future__ import annotations

import json
import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import Channel, Consent, ConsentValue, Contact, Evidence, Origin
from bot.consent.permissions import Actor, Role
from bot.consent.use_cases.look_up import find
from storage.tinydb.tinydb_store import TinyDBStore
from tests.bench.sql import service_on

Report = Callable[[str, float, str, bool, str], None]

SMALL, LARGE, ENTRIES_EACH = 1_000, 100_000, 5
NOW = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
_OPERATOR = Actor(id="cli:bench", role=Role.OPERATOR, source="cli")
_FIRST = ("Ana", "Béa", "Carl", "Dora", "Emil", "Fatima", "Giulia", "Hans", "Inés", "Jørgen")
_LAST = ("Gómez", "Smith", "Müller", "Okafor", "Tanaka", "O'Brien", "van Dijk", "Kowalska")


def run(report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small/optin.json", Path(folder) / "large/optin.json"
        for path, contacts in ((small, SMALL), (large, LARGE)):
            _build(path, contacts)
        _opening(report, large)
        with closing(TinyDBStore(small)) as few, closing(TinyDBStore(large)) as many:
            _look_ups(report, few, many)
            _flips(report, few, many, Path(folder) / "bare")
            _names(report, many)
            _nobody(report, few, many)
            _compaction(report, many)
            _groups(report, many)


def _opening(report: Report, path: Path) -> None:
    """Beside `json.load` of the contacts alone; the log's entries are not even looked at."""
    contacts = path.with_name("contacts.json")
    contacts.write_text(json.dumps(json.loads(path.read_text())["contacts"]))
    floors, ours = [], []
    for _ in range(5):
        with contacts.open() as file, _timed(floors):
            json.load(file)
        with _timed(ours):
            store = TinyDBStore(path)
        store.close()
    floor, our = statistics.median(floors), statistics.median(ours)
    name = (
        f"opening {LARGE:,} contacts and {LARGE * ENTRIES_EACH:,} entries, in json.load of contacts"
    )
    _at_most(report, name, our / floor, 1.5, f"{our:.2f} s; json.load {floor:.2f} s")


def _look_ups(report: Report, few: TinyDBStore, many: TinyDBStore) -> None:
    chance = random.Random(1)
    small, large = [], []
    for _ in range(300):
        for store, contacts, times in ((few, SMALL, small), (many, LARGE, large)):
            phones = [_phone(chance.randrange(contacts)) for _ in range(50)]
            with _timed(times):
                for phone in phones:
                    with store.reading() as records:
                        records.contacts.at(phone)
    one, other = statistics.median(small) / 50, statistics.median(large) / 50
    name = f"look-up by phone at {LARGE:,} contacts, in look-ups at {SMALL:,}"
    _at_most(report, name, other / one, 1.5, f"{other * 1e6:.1f} µs and {one * 1e6:.1f} µs")


def _flips(report: Report, few: TinyDBStore, many: TinyDBStore, bare: Path) -> None:
    """A change of a contact with its entry, on the disk; beside 256 bytes appended and synced."""
    chance = random.Random(2)
    floors, small, large = [], [], []
    with bare.open("ab", buffering=0) as file:
        for _ in range(1_500):
            with _timed(floors):
                file.write(bytes(256))
                getattr(os, "fdatasync", os.fsync)(file.fileno())
            with _timed(small):
                _flip(few, chance.randrange(SMALL))
            with _timed(large):
                _flip(many, chance.randrange(LARGE))
    floor, one, other = map(statistics.median, (floors, small, large))
    name = f"durable flip at {LARGE:,} contacts, in flips at {SMALL:,}"
    _at_most(report, name, other / one, 1.5, f"{other * 1e6:.0f} µs and {one * 1e6:.0f} µs")
    report(
        "durable flips a second, in bare appends and syncs a second",
        floor / other,
        ">= 0.6 where a bare one takes 300 µs",
        floor / other >= 0.6 or floor < 300e-6,
        f"the disk takes {floor * 1e6:.0f} µs for a bare one, a flip {other * 1e6:.0f} µs",
    )


def _names(report: Report, store: TinyDBStore) -> None:
    """What people type, letter by letter, and what nobody is called."""
    store.warm()
    chance = random.Random(3)
    texts = ["zzz", "qq", "no such name", "ana zzz", "99999", "+1999", "@"]
    for _ in range(120):
        name = f"{chance.choice(_FIRST)} {chance.choice(_LAST)}"
        number = chance.randrange(LARGE)
        texts += [name[:length] for length in (1, 2, 4, 8)]
        texts += [f"{name} {number}", f"person{number}@", _phone(number)[-4:], f"comp{number % 9}"]
    medians = []
    for text in texts:
        times: list[float] = []
        for _ in range(3):
            with _timed(times), store.reading() as records:
                records.contacts.search(text, limit=20)
        medians.append(statistics.median(times))
    p99 = statistics.quantiles(medians, n=100)[98]
    name = f"name search over {LARGE:,} contacts, p99 in ms"
    detail = f"{len(texts):,} texts, half of them take {statistics.median(medians) * 1e3:.2f} ms"
    _at_most(report, name, p99 * 1e3, 20, detail)


def _nobody(report: Report, few: TinyDBStore, many: TinyDBStore) -> None:
    """The whole look-up of a name that nobody has, with the search for similar ones."""
    few.warm()
    small, large = [], []
    for _ in range(20):
        for text in ("Zebediah Quux", "Nora Nobodyson", "no such name", "unknown person", "zzzz"):
            for store, times in ((few, small), (many, large)):
                service = service_on(store)
                with _timed(times):
                    assert not find(service, text, _OPERATOR).count
    one, other = statistics.median(small), statistics.median(large)
    name = f"name that nobody has at {LARGE:,} contacts, in look-ups at {SMALL:,}"
    _at_most(report, name, other / one, 3, f"{other * 1e3:.1f} ms and {one * 1e3:.1f} ms")


def _compaction(report: Report, store: TinyDBStore) -> None:
    """The longest commit while a snapshot is written; the median of several, for a machine with
    others on it has long ones without, too."""
    while_compacting, without = [], []
    for _ in range(5):
        while_compacting.append(_longest_commit(store, store.compact))
        without.append(_longest_commit(store, lambda: time.sleep(0.5)))
    name = f"longest commit while {LARGE:,} contacts are compacted, in ms"
    detail = f"without: {statistics.median(without) * 1e3:.1f} ms"
    _at_most(report, name, statistics.median(while_compacting) * 1e3, 50, detail)


def _longest_commit(store: TinyDBStore, meanwhile: Callable[[], object]) -> float:
    times: list[float] = []
    done = threading.Event()
    chance = random.Random(4)

    def commit() -> None:
        while not done.is_set():
            with _timed(times):
                _flip(store, chance.randrange(LARGE))

    with ThreadPoolExecutor(1) as pool:
        committing = pool.submit(commit)
        meanwhile()
        done.set()
        committing.result()
    return max(times)


def _groups(report: Report, store: TinyDBStore) -> None:
    """Transactions that wait share one sync."""
    rates: dict[int, list[float]] = {1: [], 16: [], 64: []}
    for _ in range(3):
        for threads, found in rates.items():
            found.append(_rate(store, threads, 2_048))
    one, sixteen, sixty_four = (statistics.median(found) for found in rates.values())
    for threads, rate in ((16, sixteen), (64, sixty_four)):
        report(
            f"durable flips a second with {threads} threads, in those with one",
            rate / one,
            ">= 1",
            rate >= one,
            f"{rate:,.0f}/s and {one:,.0f}/s",
        )


def _rate(store: TinyDBStore, threads: int, flips: int) -> float:
    def work(number: int) -> None:
        for turn in range(flips // threads):
            _flip(store, (number * 997 + turn) % LARGE)

    times: list[float] = []
    with ThreadPoolExecutor(threads) as pool, _timed(times):
        list(pool.map(work, range(threads)))
    return flips / times[0]


def _at_most(report: Report, name: str, value: float, bar: float, detail: str) -> None:
    report(name, value, f"<= {bar}", value <= bar, detail)


def _flip(store: TinyDBStore, number: int) -> None:
    with store.transaction() as records:
        (contact,) = records.contacts.at(_phone(number))
        records.contacts.put(replace(contact, version=contact.version + 1))
        records.log.append(_entry(contact.id, contact.version + 1, number))


def _build(path: Path, contacts: int) -> None:
    store = TinyDBStore(path)
    for first in range(0, contacts, 10_000):
        with store.transaction() as records:
            for number in range(first, min(first + 10_000, contacts)):
                contact = _contact(number)
                records.contacts.put(contact)
                for version in range(1, ENTRIES_EACH + 1):
                    records.log.append(_entry(contact.id, version, number))
    store.compact()
    store.close()


def _contact(number: int) -> Contact:
    phone = _phone(number)
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
        address=_phone(number),
        reason="Asked for it on the phone",
    )


def _phone(number: int) -> str:
    return f"+1415{number:07}"


@contextmanager
def _timed(times: list[float]) -> Iterator[None]:
    start = time.perf_counter()
    yield
    times.append(time.perf_counter() - start)
