"""What every storage promises of its transactions: all or nothing, one after the other."""

from __future__ import annotations

import pytest

from bot.consent.errors import Invalid, NotFound, OptinError
from bot.consent.log.chain import GENESIS
from bot.consent.model import (
    AddressFacts,
    Import,
)
from bot.consent.store import Store
from tests.support.store_fixtures import FACTS, NOON, PHONE, Opened, contact, entry, ids, put


def test_an_error_undoes_everything(opened: Opened) -> None:
    store = opened.open()
    put(store, contact(), FACTS, entry("e1"), Import(id="i1", file="a", actor="x", started_at=NOON))
    with store.reading() as records:
        head = records.log.head()

    def broken_off() -> None:
        with store.transaction() as records:
            records.contacts.put(contact(phone="+14155550101", name="Changed"))
            records.contacts.put(contact("c2"))
            records.addresses.put(AddressFacts(address=PHONE))
            records.log.append(entry("e2"))
            records.log.append(entry("e3", contact="c2"))
            records.contacts.remove("c1")
            records.imports.put(Import(id="i2", file="b", actor="x", started_at=NOON))
            raise NotFound

    with pytest.raises(NotFound):
        broken_off()

    for again in (store, opened.open()):
        with again.reading() as records:
            assert ids(list(records.contacts.all())) == ["c1"]
            assert ids(records.contacts.at(PHONE)) == ["c1"]
            assert records.contacts.at("+14155550101") == []
            assert records.addresses.get(PHONE) == FACTS
            assert records.log.head() == head
            assert [e.id for e in records.log.entries(contact="c1", limit=9)] == ["e1"]
            assert records.log.entries(contact="c2", limit=9) == []
            assert [i.id for i in records.imports.all()] == ["i1"]
    put(store, entry("e4"))
    with store.reading() as records:
        assert [e.id for e in records.log.all()] == ["e1", "e4"]


def test_a_write_is_seen_by_the_reads_after_it(store: Store) -> None:
    with store.transaction() as records:
        records.contacts.put(contact())
        records.contacts.put(contact("c2", phone="+14155550101"))
        records.addresses.put(FACTS)

        assert records.contacts.get("c1") == contact()
        assert ids(records.contacts.at(PHONE)) == ["c1"]
        assert records.contacts.count() == 2
        assert records.addresses.get(PHONE) == FACTS
        assert [facts.address for facts in records.addresses.all()] == [PHONE]


def test_a_committed_change_is_there_for_another_process(opened: Opened) -> None:
    writer, reader = opened.open(), opened.open()
    for n in range(3):
        put(writer, contact(version=n), entry(f"w{n}"))
        with reader.reading() as records:
            found = records.contacts.get("c1")

            assert found is not None
            assert found.version == n
        put(reader, entry(f"r{n}"))
    with writer.reading() as records:
        assert [e.id for e in records.log.all()] == ["w0", "r0", "w1", "r1", "w2", "r2"]


def test_a_rehearsal_sees_its_own_writes_and_leaves_nothing(opened: Opened) -> None:
    store = opened.open()
    put(store, contact(), entry("e1"))
    with store.rehearsal() as records:
        records.contacts.put(contact("c2", name="Rehearsed"))
        records.log.append(entry("e2", contact="c2"))
        records.contacts.remove("c1")

        assert ids(list(records.contacts.all())) == ["c2"]
        assert ids(records.contacts.search("rehearsed", limit=9)) == ["c2"]
        assert [e.id for e in records.log.all()] == ["e1", "e2"]

    for again in (store, opened.open()):
        with again.reading() as records:
            assert ids(list(records.contacts.all())) == ["c1"]
            assert [e.id for e in records.log.all()] == ["e1"]
            assert records.log.head()[0] == 1


def test_other_processes_write_on_during_a_rehearsal(opened: Opened) -> None:
    store, other = opened.open(), opened.open()
    with store.rehearsal() as records:
        records.contacts.put(contact("c1", name="Rehearsed"))
        records.log.append(entry("e1"))
        put(other, contact("c2"), entry("e2", contact="c2"))

        assert ids(list(records.contacts.all())) == ["c1"]

    with store.reading() as records:
        assert ids(list(records.contacts.all())) == ["c2"]
        assert [e.id for e in records.log.all()] == ["e2"]


def test_an_error_ends_a_rehearsal_like_a_transaction(store: Store) -> None:
    def broken_off() -> None:
        with store.rehearsal() as records:
            records.contacts.put(contact())
            raise NotFound

    with pytest.raises(NotFound):
        broken_off()

    with store.reading() as records:
        assert records.contacts.count() == 0


def test_reading_writes_nothing(store: Store) -> None:
    with store.reading() as records:
        for write in (
            lambda: records.contacts.put(contact()),
            lambda: records.contacts.remove("c1"),
            lambda: records.addresses.put(FACTS),
            lambda: records.log.append(entry()),
            lambda: records.log.redact("c1"),
            lambda: records.imports.put(Import(id="i", file="", actor="", started_at=NOON)),
        ):
            with pytest.raises(RuntimeError):
                write()

    with store.reading() as records:
        assert records.log.head() == (0, GENESIS)


def test_records_are_for_their_block_only(store: Store) -> None:
    with store.transaction() as records:
        records.contacts.put(contact())
    for write in (lambda: records.contacts.put(contact("c2")), lambda: records.log.append(entry())):
        with pytest.raises(RuntimeError):
            write()

    with store.reading() as records:
        assert ids(list(records.contacts.all())) == ["c1"]
        assert records.log.head() == (0, GENESIS)


@pytest.mark.parametrize("outer", ["transaction", "reading", "rehearsal"])
@pytest.mark.parametrize("inner", ["transaction", "reading", "rehearsal"])
def test_one_inside_another_is_refused(store: Store, outer: str, inner: str) -> None:
    with getattr(store, outer)(), pytest.raises(RuntimeError), getattr(store, inner)():
        pass

    put(store, contact())


def test_half_a_character_is_refused_and_changes_nothing(store: Store) -> None:
    def broken_off() -> None:
        with store.transaction() as records:
            records.contacts.put(contact())
            records.log.append(entry(reason="half \ud83d"))

    with pytest.raises(Invalid):
        broken_off()

    with store.reading() as records:
        assert records.contacts.count() == 0
        assert records.log.head() == (0, GENESIS)


def test_a_storage_that_was_closed_says_so(store: Store) -> None:
    store.close()
    store.close()

    with pytest.raises(OptinError), store.reading():
        pass
    with pytest.raises(OptinError), store.transaction():
        pass
