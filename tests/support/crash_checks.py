"""What has to hold of a storage whose process was killed."""

from __future__ import annotations

from bot.consent.log.apply import apply
from bot.consent.log.chain import GENESIS, holds
from bot.consent.model import AddressFacts, Contact
from bot.consent.store import Store
from tests.support.store_worker import SHARED

Acknowledged = list[tuple[int, str]]


def check(store: Store, told: Acknowledged) -> int:
    """How many entries the log has."""
    contacts: dict[str, Contact] = {}
    facts: dict[str, AddressFacts] = {}
    hashes = [GENESIS]
    with store.reading() as records:
        for entry in records.log.all():
            assert holds(entry, hashes[-1])
            assert entry.seq == len(hashes)
            hashes.append(entry.hash)
            assert entry.contact is not None
            address = entry.address or ""
            contact, known = apply(
                entry,
                contacts.get(entry.contact),
                facts.get(address, AddressFacts(address=address)),
            )
            assert contact is not None
            contacts[entry.contact] = contact
            assert contact.version == entry.version
            if known is not None and known != AddressFacts(address=address):
                facts[address] = known

        assert records.log.head() == (len(hashes) - 1, hashes[-1])
        assert {contact.id: contact for contact in records.contacts.all()} == contacts
        assert {found.address: found for found in records.addresses.all()} == facts
        for id in SHARED:
            mine = records.log.entries(contact=id, limit=10**6)
            assert [entry.version for entry in mine] == list(range(contacts[id].version, 0, -1))
            assert [c.id for c in records.contacts.at(contacts[id].phone or "")] == [id]
    lost = [seq for seq, hash in told if seq >= len(hashes) or hashes[seq] != hash]
    assert not lost, f"acknowledged and lost: {lost}"
    return len(hashes) - 1
