"""Works on a storage from a process of its own, until it is done or killed.

    python tests/support/store_worker.py URL NAME SEED THREADS TURNS

Flips contacts and brings in new ones, each with its entries in one transaction, and writes a line
`<seq> <hash>` for each transaction that it was told is stored. Compacts now and then.
"""

from __future__ import annotations

import os
import random
import sys
import threading
from datetime import UTC, datetime

from bot.consent.log.apply import apply
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import Channel, ConsentValue, Contact, Origin
from bot.consent.store import Records, Store
from storage import open_store
from storage.tinydb.tinydb_store import TinyDBStore

NOW = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
#: What all workers flip.
SHARED = [f"shared{n}" for n in range(8)]


def take(records: Records, contact: Contact | None, entry: Entry) -> Entry:
    """Changes the state as the entry says, and keeps it."""
    facts = records.addresses.get(entry.address) if entry.address else None
    changed, known = apply(entry, contact, facts)
    if changed is not None:
        records.contacts.put(changed)
    if known is not None:
        records.addresses.put(known)
    return records.log.append(entry)


def added(id: str, phone: str) -> Entry:
    return Entry(
        id=f"{id}-added",
        kind=EntryKind.CONTACT,
        occurred_at=NOW,
        recorded_at=NOW,
        actor="import:1",
        source="import",
        contact=id,
        version=1,
        after="added",
        changes={"name": ("", f"Ana {id}"), "phone": (None, phone)},
    )


def flipped(id: str, contact: Contact) -> Entry:
    before = contact.consent(Channel.SMS).on
    return Entry(
        id=id,
        kind=EntryKind.CONSENT,
        occurred_at=NOW,
        recorded_at=NOW,
        actor="slack:U1",
        source="slack",
        contact=contact.id,
        version=contact.version + 1,
        channel=Channel.SMS,
        by=Origin.STAFF,
        before=before,
        after=ConsentValue.NO if before is ConsentValue.YES else ConsentValue.YES,
        address=contact.phone,
        reason="asked for it",
    )


def prepare(store: Store) -> None:
    """The contacts that all workers flip."""
    with store.transaction() as records:
        for number, id in enumerate(SHARED):
            take(records, None, added(id, f"+1415555{number:04}"))


def flip(store: Store, id: str, entry: str) -> Entry:
    with store.transaction() as records:
        contact = records.contacts.get(id)
        assert contact is not None
        return take(records, contact, flipped(entry, contact))


def bring_in(store: Store, name: str, count: int) -> Entry:
    with store.transaction() as records:
        for number in range(count):
            entry = take(
                records, None, added(f"{name}-{number}", f"+1{hash(name) % 10**9}{number}")
            )
        return entry


def work(store: Store, name: str, turns: int, chance: random.Random) -> None:
    for turn in range(turns):
        at = f"{name}-{turn}"
        if chance.random() < 0.1:
            entry = bring_in(store, at, chance.randint(1, 60))
        else:
            entry = flip(store, chance.choice(SHARED), at)
        os.write(1, f"{entry.seq} {entry.hash}\n".encode())
        if isinstance(store, TinyDBStore) and chance.random() < 0.03:
            store.compact()


def main(url: str, name: str, seed: str, threads: str, turns: str) -> None:
    store = open_store(url)
    workers = [
        threading.Thread(
            target=work,
            args=(store, f"{name}-{number}", int(turns), random.Random(int(seed) + number)),
        )
        for number in range(int(threads))
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
