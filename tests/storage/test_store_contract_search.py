"""What every storage finds by parts of a name, a company, an e-mail or a number."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.consent.errors import NotFound
from bot.consent.store import Store
from tests.support.postgres_fixtures import empty_database, shared_with_pg_trgm
from tests.support.storages import KINDS
from tests.support.store_fixtures import CROWD, PHONE, Opened, contact, ids, opening, put

_PG_TRGM = "postgresql with pg_trgm"


@pytest.fixture(params=[*KINDS, *([_PG_TRGM] if "postgresql" in KINDS else [])])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    if request.param != _PG_TRGM:
        with opening(request.param, tmp_path) as opened:
            yield opened
        return
    with empty_database(shared_with_pg_trgm()) as url:
        opened = Opened(url)
        yield opened
        opened.close()


@pytest.fixture
def people(store: Store) -> Store:
    put(
        store,
        contact("c1", name="Ana Gómez", phone=PHONE, company="Óptica Lux"),
        contact("c2", name="Mariana O'Brien", phone="+442079460018", email="mob@example.com"),
        contact("c3", name="José-Luis Anaya", phone=None, email="jl.anaya@example.org"),
        contact("c4", name="STRAẞE Ångström", phone=None, email="gomez@example.net"),
        contact("c5", name="علي حسن", phone="+14155550111", company="50% off_now"),
    )
    return store


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ana", ["c1", "c3", "c2"]),  # words that begin with it, then names that contain it
        ("ANA", ["c1", "c3", "c2"]),
        ("gomez", ["c1", "c4"]),  # a name, then an e-mail
        ("gómez an", ["c1"]),
        ("go an", ["c1"]),
        ("luis jose", ["c3"]),
        ("brien o", ["c2"]),
        ("o'brien", ["c2"]),
        ("strasse", ["c4"]),
        ("angstr", ["c4"]),
        ("optica", ["c1"]),
        ("tica lux", ["c1"]),
        ("mob@example", ["c2"]),
        ("example.org", ["c3"]),
        ("حسن", ["c5"]),
        ("50% off", ["c5"]),
        ("off_now", ["c5"]),
        ("+1 415 555-01", ["c1", "c5"]),
        ("0018", ["c2"]),
        ("0100", ["c1"]),
        ("٠١٠٠", ["c1"]),
        ("5550", []),
        ("zzz", []),
        ("%", []),
        ("", []),
        ("  ", []),
        ("\n", []),
    ],
)
def test_search_finds(people: Store, text: str, expected: list[str]) -> None:
    with people.reading() as records:
        assert ids(records.contacts.search(text, limit=9)) == expected


def test_search_stops_at_its_limit_and_names_nobody_twice(people: Store) -> None:
    with people.reading() as records:
        assert ids(records.contacts.search("ana", limit=2)) == ["c1", "c3"]
        assert records.contacts.search("ana", limit=0) == []
        assert len(records.contacts.search("example", limit=9)) == 3


def test_search_sees_what_its_own_transaction_wrote_and_forgets_what_was_undone(
    people: Store,
) -> None:
    def broken_off() -> None:
        with people.transaction() as records:
            records.contacts.put(contact("c9", name="Zoë"))
            records.contacts.put(contact("c1", name="Renamed"))
            records.contacts.remove("c3")

            assert ids(records.contacts.search("zoe", limit=9)) == ["c9"]
            assert ids(records.contacts.search("ana", limit=9)) == ["c2"]
            raise NotFound

    with pytest.raises(NotFound):
        broken_off()

    with people.reading() as records:
        assert records.contacts.search("zoe", limit=9) == []
        assert sorted(ids(records.contacts.search("ana", limit=9))) == ["c1", "c2", "c3"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zo", ["last"]),
        ("zoë las", ["last"]),
        ("stalja", ["last"]),
        ("ë lasta", ["last"]),
        ("حسن", ["other"]),
        ("lux 7", ["other"]),
        ("ter@exam", ["other"]),
        ("zoe lux", []),
        ("talla", []),
    ],
)
def test_whoever_is_rare_is_found_among_thousands(
    store: Store, text: str, expected: list[str]
) -> None:
    put(
        store,
        *CROWD,
        contact("last", name="Zoë Lastalja", phone=None),
        contact("other", name="علي حسن", phone=None, company="Lux 7", email="ter@example.com"),
    )

    with store.reading() as records:
        assert ids(records.contacts.search(text, limit=9)) == expected
        assert len(records.contacts.search("an", limit=9)) == 9
