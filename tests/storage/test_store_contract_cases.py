"""What every storage does with re-opt-in cases."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from bot.consent.cases import Case, CaseState
from bot.consent.errors import Changed
from bot.consent.model import Channel
from bot.consent.store import Store
from tests.support.store_fixtures import DAY, NOON, Opened, case

FULL = case(
    "full",
    reason="Asked by phone",
    note="a note",
    refused_at=NOON - DAY,
    refusal="STOP",
    state=CaseState.DENIED,
    version=4,
    decided_by="slack:U2",
    decided_at=NOON,
    decision="No proof",
    self_approved=True,
    unstopped_at=NOON,
    ended_by="slack:U2",
    ended_at=NOON,
    ended_why="why",
    reminded=1,
    next_at=None,
    copies=("a1", "a2"),
)


def put(store: Store, *cases: Case) -> None:
    with store.transaction() as records:
        for one in cases:
            records.cases.put(one)


def test_a_case_comes_back_as_it_was_put(opened: Opened) -> None:
    put(opened.open(), FULL, case())

    for store in (opened.open(), opened.open()):
        with store.reading() as records:
            assert records.cases.get("full") == FULL
            assert records.cases.get("1") == case()
            assert records.cases.get("none") is None


def test_there_is_at_most_one_open_case_of_a_contact_and_a_channel(store: Store) -> None:
    put(store, case(), FULL, case("2", channel=Channel.EMAIL), case("3", contact="c2"))

    with pytest.raises(Changed):
        put(store, case("4"))
    with store.reading() as records:
        assert records.cases.get("4") is None
        assert records.cases.open_for("c1", Channel.SMS) == case()
        found = records.cases.open_for("c1", Channel.EMAIL)
        assert found is not None
        assert found.id == "2"
        assert records.cases.open_for("c2", Channel.EMAIL) is None


def test_another_may_be_opened_when_the_first_is_over(store: Store) -> None:
    put(store, case(), replace(case(), state=CaseState.APPROVED, version=2))
    put(store, replace(case(), state=CaseState.EXPIRED, next_at=None))
    put(store, case("2"))

    with store.reading() as records:
        assert records.cases.open_for("c1", Channel.SMS) == case("2")


def test_those_of_a_contact_come_the_newest_first(store: Store) -> None:
    put(store, FULL, case("2", requested_at=NOON + DAY), case("3", contact="c2"))

    with store.reading() as records:
        assert [one.id for one in records.cases.of("c1")] == ["2", "full"]
        assert records.cases.of("c9") == []
        assert [one.id for one in records.cases.all()] == ["2", "3", "full"]


def test_the_open_ones_come_the_oldest_first_and_by_the_page(store: Store) -> None:
    numbers = range(5)
    put(store, FULL, *(case(f"{n}", contact=f"c{n}", requested_at=NOON - n * DAY) for n in numbers))

    with store.reading() as records:
        first = records.cases.all_open(limit=2)
        rest = records.cases.all_open(after=first[-1], limit=9)

        assert [one.id for one in first + rest] == ["4", "3", "2", "1", "0"]
        assert records.cases.all_open(limit=0) == []


def test_the_due_ones_come_the_earliest_first(store: Store) -> None:
    numbers = range(4)
    put(store, FULL, *(case(f"{n}", contact=f"c{n}", next_at=NOON - n * DAY) for n in numbers))

    with store.reading() as records:
        assert [one.id for one in records.cases.due(NOON, limit=9)] == ["3", "2", "1", "0"]
        assert [one.id for one in records.cases.due(NOON - DAY, limit=2)] == ["3", "2"]
        assert records.cases.due(NOON - 9 * DAY, limit=9) == []


def test_a_case_of_an_undone_transaction_is_not_there(store: Store) -> None:
    with suppress(ZeroDivisionError), store.transaction() as records:
        records.cases.put(case())
        assert records.cases.open_for("c1", Channel.SMS) == case()
        raise ZeroDivisionError

    with store.reading() as records:
        assert records.cases.open_for("c1", Channel.SMS) is None
        assert records.cases.due(NOON + 9 * DAY, limit=9) == []
