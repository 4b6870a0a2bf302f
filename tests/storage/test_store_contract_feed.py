"""What every storage promises to whoever follows the log, and to whoever can't wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.consent.store import Store, WouldWait
from storage.tinydb.tinydb_store import TinyDBStore
from tests.support.store_fixtures import Opened, contact, entry, ids, put


def test_the_log_is_read_behind_any_place(store: Store) -> None:
    put(store, contact(), *(entry(f"e{n}") for n in range(1, 6)))
    with store.transaction() as records:
        records.log.append(entry("e6"))
        for place in range(8):
            assert [e.seq for e in records.log.since(place)] == list(range(place + 1, 7))
    with store.reading() as records:
        for place in range(8):
            assert [e.seq for e in records.log.since(place)] == list(range(place + 1, 7))


def test_contacts_are_read_behind_any_id_and_many_at_once(store: Store) -> None:
    put(store, contact("c1"), contact("c2"), contact("c3"))
    with store.transaction() as records:
        records.contacts.put(contact("c4"))
        records.contacts.remove("c2")

        assert ids(list(records.contacts.all(after="c1"))) == ["c3", "c4"]
        assert sorted(records.contacts.get_many(["c1", "c2", "c4", "none"])) == ["c1", "c4"]
    with store.reading() as records:
        assert ids(list(records.contacts.all(after="c2"))) == ["c3", "c4"]
        assert ids(list(records.contacts.all(after="c4"))) == []
        assert records.contacts.get_many(["c3"]) == {"c3": contact("c3")}
        assert records.contacts.get_many([]) == {}


def test_a_rehearsal_reads_its_own_changes_behind_a_place(store: Store) -> None:
    put(store, contact("c1"), entry("e1"))
    with store.rehearsal() as records:
        records.contacts.put(contact("c2"))
        records.log.append(entry("e2"))

        assert [e.id for e in records.log.since(1)] == ["e2"]
        assert ids(list(records.contacts.all(after="c1"))) == ["c2"]
        assert sorted(records.contacts.get_many(["c1", "c2"])) == ["c1", "c2"]


def test_reading_at_once_reads_or_refuses(store: Store) -> None:
    put(store, contact("c1"), entry("e1"))
    if not isinstance(store, TinyDBStore):
        with pytest.raises(WouldWait), store.reading_at_once():
            pass
        return
    with store.reading_at_once() as records:
        assert ids(records.contacts.at("+14155550100")) == ["c1"]


@contextmanager
def writing_elsewhere(store: Store) -> Iterator[None]:
    """A transaction of another thread, open meanwhile."""
    began, ends = threading.Event(), threading.Event()

    def write() -> None:
        with store.transaction() as records:
            records.contacts.put(contact("c9"))
            began.set()
            ends.wait()

    thread = threading.Thread(target=write)
    thread.start()
    began.wait()
    try:
        yield
    finally:
        ends.set()
        thread.join()


def test_reading_at_once_never_waits_for_a_writer(store: Store) -> None:
    with writing_elsewhere(store), pytest.raises(WouldWait), store.reading_at_once():
        pass


def test_reading_at_once_shows_nothing_that_is_older_than_another_process_wrote(
    opened: Opened,
) -> None:
    first, second = opened.open(), opened.open()
    put(second, contact("c1"))
    with pytest.raises(WouldWait), first.reading_at_once():
        pass
    with first.reading() as records:
        assert ids(list(records.contacts.all())) == ["c1"]


def test_the_hashes_of_entries_are_read_behind_any_place(store: Store) -> None:
    put(store, contact(), *(entry(f"e{n}", contact=f"c{n % 2}") for n in range(1, 6)))
    with store.transaction() as records:
        records.log.redact("c1")
    with store.transaction() as records:
        records.log.append(entry("e6", reason='"hash":"a"}'))
        hashes = [e.hash for e in records.log.all()]
        for place in range(8):
            for limit in range(8):
                assert records.log.hashes(place, limit) == hashes[place : place + limit]
    with store.reading() as records:
        for place in range(8):
            assert records.log.hashes(place, 3) == hashes[place : place + 3]
    with store.rehearsal() as records:
        hashes.append(records.log.append(entry("e7")).hash)
        for place in range(8):
            for limit in range(8):
                assert records.log.hashes(place, limit) == hashes[place : place + limit]
