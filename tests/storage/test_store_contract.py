"""What every storage does, each sentence of `bot/consent/store.py`: contacts, addresses, imports."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone

from bot.consent.model import (
    AddressFacts,
    Bounce,
    Consent,
    ConsentValue,
    Contact,
    Evidence,
    Import,
    LineType,
    Origin,
)
from bot.consent.store import Expected, Store
from tests.support.store_fixtures import FACTS, NOON, PHONE, Opened, contact, ids, put


def test_a_contact_comes_back_as_it_was_put(opened: Opened) -> None:
    evidence = Evidence(text="Signed ✍ the form", at=NOON.astimezone(timezone(timedelta(hours=9))))
    everything = contact(
        version=7,
        name="مريم بنت سعيد \u202b😀",
        company='Acme "& Sons"\n',
        external_id="crm-1",
        line=LineType.MOBILE,
        email="ana@example.com",
        do_not_contact=True,
        consents={
            PHONE: Consent(
                on=ConsentValue.YES,
                by=Origin.STAFF,
                since=NOON,
                actor="slack:U1",
                evidence=evidence,
            ),
            "ana@example.com": Consent(on=ConsentValue.NO, by=Origin.CONTACT, reason="told us"),
        },
    )
    put(opened.open(), everything)

    for store in (opened.open(), opened.open()):
        with store.reading() as records:
            found = records.contacts.get("c1")

            assert found == everything
            assert found.created_at is not None
            assert found.created_at.tzinfo is not None


def test_an_unknown_contact_is_none(store: Store) -> None:
    with store.reading() as records:
        assert records.contacts.get("nobody") is None
        assert records.contacts.by_external_id("nobody") is None
        assert records.contacts.at("+14155550199") == []


def test_an_erased_contact_is_found_by_id_but_not_by_search_and_not_counted(store: Store) -> None:
    put(store, contact(), contact("c2", phone="+14155550101"))
    put(store, Contact(id="c1", erased=True, version=2, created_at=NOON))

    with store.reading() as records:
        assert records.contacts.get("c1") == Contact(
            id="c1", erased=True, version=2, created_at=NOON
        )
        assert records.contacts.at(PHONE) == []
        assert ids(records.contacts.search("ana", limit=9)) == ["c2"]
        assert records.contacts.count() == 1
        assert ids(list(records.contacts.all())) == ["c1", "c2"]


def test_holders_come_oldest_first_and_follow_a_changed_address(store: Store) -> None:
    put(store, contact("c3"), contact("c1"), contact("c2", email="ana@example.com"))
    put(store, contact("c1", phone="+14155550101"))

    with store.reading() as records:
        assert ids(records.contacts.at(PHONE)) == ["c2", "c3"]
        assert ids(records.contacts.at("+14155550101")) == ["c1"]
        assert ids(records.contacts.at("ana@example.com")) == ["c2"]
        assert records.contacts.at("") == []


def test_a_former_address_has_no_holder(store: Store) -> None:
    former = {PHONE: Consent(on=ConsentValue.NO, by=Origin.CONTACT)}
    put(store, contact(phone=None, email="ana@example.com", consents=former))

    with store.reading() as records:
        assert records.contacts.at(PHONE) == []


def test_an_external_id_finds_its_contact(store: Store) -> None:
    put(store, contact("c1", external_id="crm-1"), contact("c2"), contact("c3"))
    put(store, contact("c1", external_id="crm-9"))

    with store.reading() as records:
        found = records.contacts.by_external_id("crm-9")

        assert found is not None
        assert found.id == "c1"
        assert records.contacts.by_external_id("crm-1") is None
        assert records.contacts.by_external_id("") is None


def test_contacts_come_by_id(store: Store) -> None:
    put(store, *(contact(f"c{n}") for n in (5, 3, 9, 1)))
    put(store, contact("c4"))

    with store.reading() as records:
        assert ids(list(records.contacts.all())) == ["c1", "c3", "c4", "c5", "c9"]


def test_a_removed_contact_is_gone_and_removing_it_again_does_nothing(store: Store) -> None:
    put(store, contact(email="ana@example.com", external_id="crm-1"))
    for _ in range(2):
        with store.transaction() as records:
            records.contacts.remove("c1")

    with store.reading() as records:
        assert records.contacts.get("c1") is None
        assert records.contacts.at(PHONE) == records.contacts.at("ana@example.com") == []
        assert records.contacts.by_external_id("crm-1") is None
        assert records.contacts.search("ana", limit=9) == []
        assert records.contacts.count() == 0


def test_what_is_expected_is_looked_up_as_ever(store: Store) -> None:
    put(
        store,
        contact("c1", external_id="crm-1"),
        contact("c2", phone="+14155550101", email="bo@example.com"),
        FACTS,
    )
    with store.transaction() as records:
        records.contacts.put(contact("c3", phone="+14155550101"))
        records.expect(
            Expected(
                addresses=[PHONE, "+14155550101", "bo@example.com", "no@example.com"],
                external_ids=["crm-1", "crm-9", ""],
            )
        )
        records.contacts.put(contact("c2", phone=PHONE, email=None))
        records.contacts.put(contact("c4", email="no@example.com", external_id="crm-9"))

        assert ids(records.contacts.at(PHONE)) == ["c1", "c2", "c4"]
        assert ids(records.contacts.at("+14155550101")) == ["c3"]
        assert records.contacts.at("bo@example.com") == []
        assert ids(records.contacts.at("no@example.com")) == ["c4"]
        assert records.addresses.get(PHONE) == FACTS
        assert records.addresses.get("no@example.com") == AddressFacts(address="no@example.com")
        for external_id, id in (("crm-1", "c1"), ("crm-9", "c4")):
            found = records.contacts.by_external_id(external_id)
            assert found is not None
            assert found.id == id
    with store.reading() as records:
        records.expect(Expected(addresses=[PHONE]))
        assert ids(records.contacts.at(PHONE)) == ["c1", "c2", "c4"]


def test_facts_come_back_as_they_were_put(opened: Opened) -> None:
    put(opened.open(), FACTS)

    for store in (opened.open(), opened.open()):
        with store.reading() as records:
            assert records.addresses.get(PHONE) == FACTS


def test_facts_of_an_unknown_address_are_empty(store: Store) -> None:
    with store.reading() as records:
        assert records.addresses.get(PHONE) == AddressFacts(address=PHONE)


def test_an_address_is_known_while_there_are_facts_of_it(store: Store) -> None:
    with store.transaction() as records:
        assert not records.addresses.knows(PHONE)
        records.addresses.put(FACTS)
        assert records.addresses.knows(PHONE)
    with store.rehearsal() as records:
        assert records.addresses.knows(PHONE)
        assert not records.addresses.knows("b@example.com")
        records.addresses.put(AddressFacts(address=PHONE))
        records.addresses.put(AddressFacts(address="b@example.com", bounce=Bounce.YES))
        assert not records.addresses.knows(PHONE)
        assert records.addresses.knows("b@example.com")
    with store.reading() as records:
        assert records.addresses.knows(PHONE)
        assert not records.addresses.knows("b@example.com")


def test_empty_facts_are_not_kept(store: Store) -> None:
    put(store, FACTS, AddressFacts(address="b@example.com", bounce=Bounce.YES))
    put(store, AddressFacts(address=PHONE), AddressFacts(address="never@example.com"))

    with store.reading() as records:
        assert [facts.address for facts in records.addresses.all()] == ["b@example.com"]


def test_all_facts_come_by_address(store: Store) -> None:
    put(store, *(replace(FACTS, address=address) for address in ("b", "c", "a")))

    with store.reading() as records:
        assert [facts.address for facts in records.addresses.all()] == ["a", "b", "c"]


def test_imports_come_back_newest_first(store: Store) -> None:
    older = Import(id="i2", file="a.csv", actor="cli:ana", started_at=NOON)
    newer = Import(
        id="i1",
        file="b.csv",
        actor="slack:U1",
        started_at=NOON + timedelta(hours=1),
        finished_at=NOON + timedelta(hours=2),
        counts={"added": 3, "unchanged": 1},
    )
    put(store, older, newer)
    put(store, replace(older, undone_at=NOON))

    with store.reading() as records:
        assert records.imports.all() == [newer, replace(older, undone_at=NOON)]
        assert records.imports.get("i1") == newer
        assert records.imports.get("i9") is None
