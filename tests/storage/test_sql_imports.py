"""Imports into a database: what a row costs it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from bot.consent.model import ConsentValue, Evidence
from bot.consent.store import Expected
from bot.consent.use_cases import Details, Row, import_rows
from bot.runtime.clock import Stopped
from storage import open_store
from storage.sql.sql_store import SQLStore
from tests.support.consent_fixtures import NOW, OPERATOR, open_service
from tests.support.storages import path_in, url_of
from tests.support.store_fixtures import contact, put


@contextmanager
def asked(store: SQLStore) -> Iterator[list[str]]:
    """What is asked of its database within the block."""
    told: list[str] = []

    def trace(connection: sqlite3.Connection, *_: object) -> None:
        connection.set_trace_callback(told.append)

    engine = store._database.engine
    event.listen(engine, "checkout", trace)
    yield told
    event.remove(engine, "checkout", trace)


def rows(count: int) -> list[Row]:
    return [
        Row(
            line=number,
            details=Details(
                name=f"Ana {number}", phone=f"+1415555{number:04}", email=f"{number}@example.com"
            ),
            sms=ConsentValue.YES,
            email=ConsentValue.NO,
            evidence=Evidence(text="Form", at=NOW),
        )
        for number in range(100, 100 + count)
    ]


def questions(path: Path, count: int) -> int:
    """How often an import of so many new contacts asks the database for something."""
    service = open_service(path, Stopped(NOW))
    assert isinstance(service.store, SQLStore)
    with asked(service.store) as told, closing(service.store):
        report = import_rows(service, rows(count), file="contacts.csv", actor=OPERATOR)
    assert report.counts["contacts added"] == count
    return sum(statement.startswith("SELECT") for statement in told)


def test_a_page_of_new_contacts_is_asked_for_at_once(tmp_path: Path) -> None:
    few, many = questions(tmp_path / "few.db", 2), questions(tmp_path / "many.db", 200)

    assert few == many


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("id", ["a,b", 'a"b', "a\\b", "{a}", "NULL", " a ", "a\nb", "'a'", "é"])
def test_whatever_an_external_id_holds_it_is_found_among_many(
    tmp_path: Path, kind: str, id: str
) -> None:
    with closing(open_store(url_of(path_in(tmp_path, kind)))) as store:
        put(store, contact("c1", external_id=id), contact("c2", external_id="another"))
        with store.transaction() as records:
            records.expect(Expected(external_ids=["another", id]))
            found = records.contacts.by_external_id(id)

    assert found is not None
    assert found.id == "c1"
