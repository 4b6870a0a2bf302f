"""Which index of names a database of PostgreSQL's gets: the server's own, where it has one."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from storage import open_store
from tests.support.postgres_fixtures import do, empty_database, shared_with_pg_trgm, with_options
from tests.support.storages import as_the_first_program_left_it
from tests.support.store_fixtures import CROWD, contact, put


@pytest.fixture
def database() -> Iterator[str]:
    """The address of one without any tables."""
    with empty_database(shared_with_pg_trgm()) as url:
        yield url


def test_a_new_database_takes_the_servers_own(database: str) -> None:
    open_store(database).close()

    assert _indexes(database) == ["contacts_grams", "contacts_names"]


def test_nobody_has_to_wait_where_there_are_contacts_already(database: str) -> None:
    ana = contact(name="Ana")
    as_the_first_program_left_it(database, ana)
    with closing(open_store(database)) as store:
        zoe = contact("c2", name="Zoë", phone=None)
        put(store, zoe)

        assert _indexes(database) == ["contacts_grams"]
        with store.reading() as records:
            assert records.contacts.search("an", limit=9) == [ana]
            assert records.contacts.search("zo", limit=9) == [zoe]


def test_it_is_found_in_whatever_schema_it_was_put(database: str) -> None:
    do('CREATE SCHEMA "Their own"; CREATE EXTENSION pg_trgm SCHEMA "Their own"', database)
    open_store(database).close()

    assert _indexes(database) == ["contacts_grams", "contacts_names"]


@pytest.mark.parametrize(
    "rights",
    ["USAGE, CREATE ON SCHEMA public", "ALL ON ALL TABLES IN SCHEMA public"],
    ids=["may not make extensions", "does not own the tables"],
)
def test_who_may_not_make_it_does_without(database: str, rights: str) -> None:
    if "TABLES" in rights:
        as_the_first_program_left_it(database, contact())
        do("DELETE FROM contacts; CREATE EXTENSION pg_trgm", database)
    role = secrets.token_hex(8)
    do(f'CREATE ROLE "{role}"; GRANT {rights} TO "{role}"', database)
    open_store(with_options(database, f"-c role={role}")).close()

    assert _indexes(database) == ["contacts_grams"]
    do(f'DROP OWNED BY "{role}"; DROP ROLE "{role}"', database)


def test_what_comes_back_on_a_server_without_it_is_searched_as_ever(database: str) -> None:
    with closing(open_store(database)) as store:
        put(store, *CROWD, last := contact("last", name="Zoë Lastalja", phone=None))
    do("DROP EXTENSION pg_trgm CASCADE", database)

    with closing(open_store(database)) as store, store.reading() as records:
        assert records.contacts.search("stalja", limit=9) == [last]


def test_where_it_knows_no_letters_but_those_of_ascii_it_is_not_used() -> None:
    with empty_database(shared_with_pg_trgm(), options="TEMPLATE template0 LOCALE 'C'") as url:
        open_store(url).close()

        assert _indexes(url) == ["contacts_grams"]


def _indexes(database: str) -> list[str]:
    """Those of names."""
    with psycopg.connect(database) as connection:
        found = connection.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = 'contacts' "
            "AND indexdef LIKE '%USING gin%' ORDER BY 1"
        )
        return [name for (name,) in found]
