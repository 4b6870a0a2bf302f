"""What every storage does with the Activity Log."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.consent.errors import Corrupt, NotFound
from bot.consent.log.chain import GENESIS, holds, redact, seal
from bot.consent.log.entries import EntryKind
from bot.consent.model import (
    Channel,
    Evidence,
)
from bot.consent.store import Store
from storage import open_store
from tests.support.store_fixtures import NOON, PHONE, Opened, entry, put


def test_the_log_of_an_empty_storage_is_empty(store: Store) -> None:
    with store.reading() as records:
        assert records.log.head() == (0, GENESIS)
        assert records.log.entries(limit=9) == list(records.log.all()) == []


def test_an_entry_comes_back_sealed_and_the_chain_holds(opened: Opened) -> None:
    store = opened.open()
    taken = entry(
        version=3,
        sender="+18885550199",
        expected=True,
        provider_id="SM1",
        reason="asked 🙂",
        evidence=Evidence(text="a call", at=NOON),
        changes={"name": ("", "Ana"), "do_not_contact": (False, True), "phone": (None, PHONE)},
    )
    with store.transaction() as records:
        first = records.log.append(taken)
        second = records.log.append(entry("e2", contact=None))

        assert records.log.head() == (2, second.hash)

    assert replace(first, seq=0, salt="", digest="", hash="") == taken
    assert len(first.salt) == 32
    assert first.salt != second.salt
    for again in (store, opened.open()):
        with again.reading() as records:
            assert list(records.log.all()) == [first, second]
            assert records.log.entries(limit=1, contact="c1") == [first]
            assert records.log.head() == (2, second.hash)
    assert holds(first, GENESIS)
    assert holds(second, first.hash)


def test_entries_come_newest_first_by_contact_actor_kind_and_channel(store: Store) -> None:
    put(
        store,
        entry("e1"),
        entry("e2", contact="c2", actor="slack:U2"),
        entry("e3", kind=EntryKind.NOTE, channel=None, actor="slack:U2"),
        entry("e4", kind=EntryKind.BOUNCE, channel=Channel.EMAIL),
        entry("e5", contact=None, kind=EntryKind.IMPORT, channel=None, actor="import:9"),
        entry("e6", channel=Channel.EMAIL),
    )

    def found(**asked: object) -> list[str]:
        with store.reading() as records:
            return [e.id for e in records.log.entries(**{"limit": 9} | asked)]  # type: ignore[arg-type]

    assert found() == ["e6", "e5", "e4", "e3", "e2", "e1"]
    assert found(limit=2) == ["e6", "e5"]
    assert found(limit=0) == []
    assert found(contact="c1") == ["e6", "e4", "e3", "e1"]
    assert found(contact="c1", limit=2, before=6) == ["e4", "e3"]
    assert found(contact="nobody") == []
    assert found(actor="slack:U2") == ["e3", "e2"]
    assert found(actor="slack:U") == []
    assert found(actor="slack:U2", contact="c1") == ["e3"]
    assert found(actor="import:9") == ["e5"]
    assert found(kinds=[EntryKind.CONSENT]) == ["e6", "e2", "e1"]
    assert found(kinds={EntryKind.NOTE, EntryKind.BOUNCE}) == ["e4", "e3"]
    assert found(kinds=iter([EntryKind.CONSENT]), contact="c1") == ["e6", "e1"]
    assert found(channel=Channel.EMAIL) == ["e6", "e4"]
    assert found(channel=Channel.SMS, contact="c1") == ["e1"]
    assert found(before=3) == ["e2", "e1"]
    assert found(before=1) == []
    assert found(before=99, actor="slack:U1", channel=Channel.EMAIL) == ["e6", "e4"]


@pytest.mark.parametrize(
    ("key", "spelled"),
    [
        (PHONE, [PHONE, "whatsapp:+14155550100"]),
        ("+525512345678", ["+525512345678", "+5215512345678"]),
        ("ana@xn--bcher-kva.example", ["Ana@B\u00fccher.example", "ANA@xn--bcher-kva.example"]),
        ("k@example.com", ["\u212a@example.com", "K@EXAMPLE.com."]),
        ("jos\u00e9@example.com", ["JOS\u00c9@example.com"]),
        ('"a b"@example.com', ['"A b"@example.com']),
        ("hash:0123456789abcdef", ["hash:0123456789abcdef"]),
    ],
)
def test_entries_are_found_by_their_address_oldest_first(
    opened: Opened, key: str, spelled: list[str]
) -> None:
    store = opened.open()
    told = [entry(f"e{n}", contact=None, address=address) for n, address in enumerate(spelled)]
    near = [entry(f"n{n}", address=f"{address}0", reason=key) for n, address in enumerate(spelled)]
    put(store, *told, entry("none", address=None, reason=key), *near)
    with store.transaction() as records:
        own = records.log.append(entry("own", address=spelled[0]))

        assert records.log.of_address(key)[-1] == own

    for again in (store, opened.open()):
        with again.reading() as records:
            found = records.log.of_address(key)
            assert [e.id for e in found] == [*(e.id for e in told), "own"]
            assert records.log.of_address("+14155550999") == []


def test_a_redacted_entry_is_about_no_address(opened: Opened) -> None:
    store = opened.open()
    put(store, entry("e1"), entry("e2", contact="c2"), entry("e3", contact=None))
    with store.transaction() as records:
        records.log.redact("c1")

        assert [e.id for e in records.log.of_address(PHONE)] == ["e2", "e3"]

    for again in (store, opened.open()):
        with again.reading() as records:
            assert [e.id for e in records.log.of_address(PHONE)] == ["e2", "e3"]


def test_a_dry_run_finds_entries_by_address_in_both_of_its_logs(store: Store) -> None:
    put(store, entry("e1"), entry("e2", contact="c2"))
    with store.rehearsal() as records:
        records.log.append(entry("e3", contact="c3"))
        records.log.redact("c1")

        assert [e.id for e in records.log.of_address(PHONE)] == ["e2", "e3"]


def test_a_long_log_is_read_by_pages_to_its_end(store: Store) -> None:
    for batch in range(5):
        put(
            store,
            *(
                entry(f"e{batch}-{n}", contact=f"c{n % 7}", actor=f"import:{n % 3}", reason="x" * n)
                for n in range(400)
            ),
        )

    with store.reading() as records:
        for asked in ({}, {"contact": "c3"}, {"actor": "import:1"}):
            expected = [
                e.seq
                for e in records.log.all()
                if asked.get("contact") in (None, e.contact)
                and asked.get("actor") in (None, e.actor)
            ]
            found: list[int] = []
            while page := records.log.entries(
                **asked,
                before=found[-1] if found else None,
                limit=97,
            ):
                found += [e.seq for e in page]

            assert found == expected[::-1]


def test_a_transaction_reads_its_own_entries(store: Store) -> None:
    put(store, entry("e1"))
    with store.transaction() as records:
        records.log.append(entry("e2"))
        records.log.append(entry("e3", contact="c2"))

        assert [e.id for e in records.log.entries(limit=9)] == ["e3", "e2", "e1"]
        assert [e.id for e in records.log.entries(contact="c1", limit=9)] == ["e2", "e1"]
        assert [e.id for e in records.log.entries(before=3, limit=9)] == ["e2", "e1"]
        assert [e.id for e in records.log.all()] == ["e1", "e2", "e3"]


def test_redaction_takes_the_personal_part_and_leaves_the_chain_whole(opened: Opened) -> None:
    store = opened.open()
    put(
        store,
        entry("e1", reason="secret one", evidence=Evidence(text="secret two")),
        entry("e2", contact="c2", reason="kept"),
    )
    with store.transaction() as records:
        records.log.append(entry("e3", changes={"name": ("", "secret three")}))
        records.log.redact("c1")
        records.log.append(entry("e4", reason="after"))
        mine = records.log.entries(contact="c1", limit=9)

        assert [e.redacted for e in mine] == [False, True, True]

    for again in (store, opened.open()):
        with again.reading() as records:
            log = list(records.log.all())

            assert [e.redacted for e in log] == [True, False, True, False]
            assert log[0] == redact(log[0])
            assert log[1].reason == "kept"
            previous = GENESIS
            for e in log:
                assert holds(e, previous)
                previous = e.hash
            assert records.log.head() == (4, previous)


def test_an_undone_redaction_changed_nothing(store: Store) -> None:
    put(store, entry("e1", reason="kept"))

    def broken_off() -> None:
        with store.transaction() as records:
            records.log.append(entry("e2"))
            records.log.redact("c1")
            raise NotFound

    with pytest.raises(NotFound):
        broken_off()

    put(store, entry("e3"))
    with store.reading() as records:
        assert [e.reason for e in records.log.all()] == ["kept", None]
        assert not any(e.redacted for e in records.log.all())


def test_an_entry_of_another_storage_is_kept_as_it_was_sealed(
    opened: Opened, tmp_path: Path
) -> None:
    other = opened.open()
    with closing(open_store(f"tinydb:///{tmp_path}/source/optin.json")) as source:
        put(source, entry("e1", reason="asked"), entry("e2", contact=None))
        with source.transaction() as records:
            records.log.append(entry("e3", contact="c3", reason="gone"))
            records.log.redact("c3")
        with source.reading() as records:
            log = list(records.log.all())
    for sealed in log:
        with other.transaction() as records:
            records.log.adopt(sealed)
            with pytest.raises(Corrupt):
                records.log.adopt(sealed)

    with opened.open().reading() as records:
        assert list(records.log.all()) == log
        assert records.log.head() == (3, log[-1].hash)
        assert [e.id for e in records.log.entries(contact="c1", limit=9)] == ["e1"]


def test_only_the_next_entry_that_holds_is_kept(store: Store) -> None:
    sealed = seal(entry("e1"), seq=1, previous=GENESIS, salt="0" * 32)
    for wrong in (
        replace(sealed, seq=2),
        replace(sealed, reason="forged"),
        replace(sealed, actor="slack:U9"),
        seal(entry("e1"), seq=1, previous="f" * 64, salt="0" * 32),
    ):
        with pytest.raises(Corrupt), store.transaction() as records:
            records.log.adopt(wrong)
    with store.reading() as records:
        assert records.log.head() == (0, GENESIS)
