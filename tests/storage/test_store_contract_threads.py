"""What every storage promises to threads at work at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from bot.consent.log.chain import GENESIS, holds
from tests.support.store_fixtures import Opened, contact, entry, ids, put


def at_once(threads: int, work: Callable[[int], None]) -> None:
    start = threading.Barrier(threads)

    def run(number: int) -> None:
        start.wait()
        work(number)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, range(threads)))


def test_threads_lose_no_update(opened: Opened) -> None:
    stores = [opened.open(), opened.open()]
    put(stores[0], *(contact(f"c{n}") for n in range(4)))

    def count(number: int) -> None:
        store = stores[number % 2]
        for turn in range(10):
            id = f"c{(number + turn) % 4}"
            with store.transaction() as records:
                found = records.contacts.get(id)
                assert found is not None
                records.contacts.put(replace(found, version=found.version + 1))
                records.log.append(entry(f"{number}-{turn}", contact=id, version=found.version + 1))

    at_once(16, count)
    with opened.open().reading() as records:
        log = list(records.log.all())

        assert sum(found.version for found in records.contacts.all()) == len(log) == 160
        assert [e.seq for e in log] == list(range(1, 161))
        assert all(
            holds(e, p) for e, p in zip(log, [GENESIS, *(e.hash for e in log)], strict=False)
        )
        for found in records.contacts.all():
            mine = records.log.entries(contact=found.id, limit=999)

            assert [e.version for e in mine] == list(range(found.version, 0, -1))


def test_reading_never_sees_half_a_transaction(opened: Opened) -> None:
    stores = [opened.open(), opened.open()]
    put(stores[0], contact("a"), contact("b"))
    done = threading.Event()

    def work(number: int) -> None:
        if number == 0:
            for version in range(1, 80):
                put(
                    stores[0],
                    contact("a", version=version, phone=f"+1{version}"),
                    entry(f"e{version}", contact="a"),
                    contact("b", version=version, phone=f"+1{version}"),
                )
            done.set()
        while not done.is_set():
            with stores[number % 2].reading() as records:
                a, b = records.contacts.get("a"), records.contacts.get("b")
                assert a is not None
                assert b is not None
                assert a.version == b.version == records.log.head()[0]
                assert ids(records.contacts.at(a.phone or "")) == ["a", "b"]

    at_once(4, work)
