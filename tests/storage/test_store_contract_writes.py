"""What every storage does with the writes to the providers' suppression lists."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.consent.model import Channel
from bot.consent.records import WriteBacks
from bot.consent.store import Store
from bot.consent.write_backs import OPEN, WriteAction, WriteBack, WriteState
from tests.support.store_fixtures import DAY, NOON, Opened, write_back

ANA, BEN = "ana@example.com", "ben@example.com"
SECOND = timedelta(seconds=1)
FULL = write_back(
    listing="postmark/unsubscribe/broadcast",
    channel=Channel.EMAIL,
    address="Ana@Example.com",
    action=WriteAction.REMOVE,
    state=WriteState.PARKED,
    attempts=7,
    not_before=NOON + DAY,
    token="w1",
    added_at=NOON - DAY,
    removed_at=NOON,
    problem="Postmark answers with 500 ✍",
)


def put(store: Store, *writes: WriteBack) -> None:
    with store.transaction() as records:
        for write in writes:
            records.write_backs.put(write)


def keys(found: list[WriteBack]) -> list[str]:
    return [write.key for write in found]


def due(writes: WriteBacks, *providers: str, limit: int = 99) -> list[str]:
    return keys(writes.due(NOON, providers or ("sendgrid",), limit=limit))


def test_a_write_comes_back_as_it_was_put(opened: Opened) -> None:
    put(opened.open(), FULL, write_back())

    for store in (opened.open(), opened.open()):
        with store.reading() as records:
            assert records.write_backs.get(FULL.id) == FULL
            assert records.write_backs.get(write_back().id) == write_back()
            assert records.write_backs.get("sendgrid/ours:nobody@example.com") is None
            assert list(records.write_backs.all()) == [FULL, write_back()]


def test_a_newer_wish_replaces_the_older_one(store: Store) -> None:
    newer = write_back(action=WriteAction.REMOVE, cause="e2", wished_at=NOON + SECOND)
    put(store, write_back(), write_back(BEN), newer)

    with store.reading() as records:
        assert records.write_backs.get(newer.id) == newer
        assert records.write_backs.of(ANA) == [newer]
        assert keys(records.write_backs.due(NOON, ["sendgrid"], limit=9)) == [BEN, ANA]


def test_those_of_an_address_come_by_id_whatever_became_of_them(store: Store) -> None:
    group = write_back(listing="sendgrid/unsubscribe/asm_group:12", state=WriteState.DROPPED)
    put(store, group, write_back(), write_back(BEN), FULL)

    with store.reading() as records:
        assert records.write_backs.of(ANA) == [FULL, write_back(), group]
        assert records.write_backs.of("nobody@example.com") == []


def test_a_transaction_sees_its_own_writes_of_an_address(store: Store) -> None:
    put(store, write_back(), write_back(BEN))
    sent = write_back(state=WriteState.SENT)
    with store.transaction() as records:
        writes = records.write_backs
        writes.put(sent)
        assert writes.of(ANA) == [sent]
        writes.put(FULL)
        assert writes.of(ANA) == [FULL, sent]
        writes.remove(sent.id)
        assert writes.of(ANA) == [FULL]
        assert writes.get(sent.id) is None
        writes.put(sent)
        writes.remove(write_back(BEN).id)
        assert writes.of(BEN) == []
        assert due(writes) == [ANA]

    with store.reading() as records:
        assert records.write_backs.of(ANA) == [FULL, sent]
        assert list(records.write_backs.all()) == [FULL, sent]


@pytest.mark.parametrize("state", WriteState)
def test_only_open_ones_are_due(store: Store, state: WriteState) -> None:
    put(store, write_back(state=state))

    with store.reading() as records:
        assert due(records.write_backs) == ([ANA] if state in OPEN else [])
        assert records.write_backs.oldest("sendgrid") == (NOON if state in OPEN else None)


def test_the_due_ones_come_the_oldest_wish_first(store: Store) -> None:
    put(store, *(write_back(f"{n}@example.com", wished_at=NOON - n * SECOND) for n in range(4)))
    put(store, write_back("0@example.com", listing="sendgrid/bounce", wished_at=NOON - 9 * SECOND))

    with store.reading() as records:
        writes = records.write_backs
        assert [name[0] for name in due(writes)] == ["0", "3", "2", "1", "0"]
        assert [name[0] for name in due(writes, limit=2)] == ["0", "3"]
        assert due(writes, limit=0) == []
        assert writes.oldest("sendgrid") == NOON - 9 * SECOND
        assert writes.oldest("mailgun") is None


def test_one_whose_time_has_not_come_is_not_due(store: Store) -> None:
    put(store, write_back(not_before=NOON + SECOND), write_back(BEN, not_before=NOON))

    with store.reading() as records:
        assert due(records.write_backs) == [BEN]
        later = records.write_backs.due(NOON + SECOND, ["sendgrid"], limit=9)
        assert keys(later) == [ANA, BEN]


def test_only_those_of_the_asked_providers_are_due(store: Store) -> None:
    put(
        store,
        write_back("1@example.com", listing="mailgun/ours", wished_at=NOON - SECOND),
        write_back("2@example.com", listing="mailgunner/ours"),
        write_back("3@example.com", listing="sendgrid/ours", wished_at=NOON - 2 * SECOND),
    )

    with store.reading() as records:
        writes = records.write_backs
        assert due(writes, "mailgun") == ["1@example.com"]
        assert due(writes, "mailgun", "sendgrid") == ["3@example.com", "1@example.com"]
        assert due(writes, "mailgun", "sendgrid", limit=1) == ["3@example.com"]
        assert writes.due(NOON, (), limit=9) == []


def test_they_are_counted_by_provider_and_state(store: Store) -> None:
    put(store, FULL, write_back(), write_back(BEN, state=WriteState.SENT))
    put(store, replace(write_back(), state=WriteState.SENT))

    with store.reading() as records:
        assert dict(records.write_backs.waiting()) == {
            ("postmark", WriteState.PARKED): 1,
            ("sendgrid", WriteState.SENT): 2,
        }


def test_a_removed_one_leaves_nothing(store: Store) -> None:
    put(store, FULL, write_back())
    with store.transaction() as records:
        records.write_backs.remove(write_back().id)
        records.write_backs.remove(FULL.id)
        records.write_backs.remove("sendgrid/ours:nobody@example.com")

    with store.reading() as records:
        writes = records.write_backs
        assert (list(writes.all()), writes.of(ANA), due(writes)) == ([], [], [])
        assert dict(writes.waiting()) == {}


def test_a_write_of_an_undone_transaction_is_not_there(store: Store) -> None:
    put(store, write_back())
    with suppress(ZeroDivisionError), store.transaction() as records:
        records.write_backs.put(write_back(state=WriteState.CONFIRMED))
        records.write_backs.put(write_back(BEN))
        assert due(records.write_backs) == [BEN]
        raise ZeroDivisionError

    with store.reading() as records:
        assert due(records.write_backs) == [ANA]
        assert records.write_backs.of(BEN) == []
        assert dict(records.write_backs.waiting()) == {("sendgrid", WriteState.WAITING): 1}


def test_what_a_rehearsal_puts_and_removes_is_thrown_away(store: Store) -> None:
    put(store, write_back(), write_back(BEN, wished_at=NOON - SECOND))
    with store.rehearsal() as records:
        writes = records.write_backs
        writes.put(write_back(state=WriteState.SENT))
        writes.remove(write_back(BEN).id)
        writes.put(FULL)
        assert writes.of(ANA) == [FULL, write_back(state=WriteState.SENT)]
        assert writes.get(write_back(BEN).id) is None
        assert due(writes) == [ANA]
        assert writes.oldest("sendgrid") == NOON
        assert dict(writes.waiting()) == {
            ("postmark", WriteState.PARKED): 1,
            ("sendgrid", WriteState.SENT): 1,
        }

    with store.reading() as records:
        assert due(records.write_backs) == [BEN, ANA]
        assert records.write_backs.get(FULL.id) is None
