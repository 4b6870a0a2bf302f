"""What a transaction knows beforehand is what it would have found: in any order of questions,
changes and expectations, every storage answers as a plain list does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.consent.cases import CaseState
from bot.consent.errors import Changed
from bot.consent.model import Channel
from bot.consent.store import Expected, Records, Store
from tests.support.store_fixtures import alert, case, contact

_NAMES = ("a", "b", "c")
_name = st.sampled_from(_NAMES)
_numbers = count()

#: What is done, to which of a few, and with what.
_step = st.tuples(
    st.sampled_from(
        (
            "put alert",
            "remove alert",
            "open case",
            "end case",
            "remember",
            "put mark",
            "remove mark",
            "put contact",
            "expect",
            "ask",
        )
    ),
    _name,
    _name,
)


class Plain:
    """What is kept, without a storage."""

    def __init__(self) -> None:
        self.alerts: dict[str, str] = {}
        self.cases: dict[str, str] = {}
        self.events: set[str] = set()
        self.marks: dict[str, str] = {}
        self.contacts: set[str] = set()

    def newest(self, key: str) -> str | None:
        return next((id for id in reversed(self.alerts) if self.alerts[id] == key), None)

    def open_case(self, contact: str) -> str | None:
        return next((id for id, of in self.cases.items() if of == contact), None)


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.lists(_step, max_size=12), min_size=1, max_size=3))
def test_what_is_expected_changes_no_answer(
    store: Store, transactions: list[list[tuple[str, str, str]]]
) -> None:
    mine, plain = f"{next(_numbers)}:", Plain()

    for steps in transactions:
        with store.transaction() as records:
            for what, one, other in steps:
                _do(records, plain, what, mine + one, mine + other)
                if what == "ask":
                    assert list(_asked(records, mine)) == list(_expected(plain, mine))
    with store.transaction() as records:
        assert list(_asked(records, mine)) == list(_expected(plain, mine))
    with store.reading() as records:
        assert list(_asked(records, mine)) == list(_expected(plain, mine))


def _do(  # noqa: C901 - a table of steps
    records: Records, plain: Plain, what: str, one: str, other: str
) -> None:
    match what:
        case "put alert":
            key = plain.alerts.setdefault(one, other)  # an alert keeps its key
            records.outbox.put(alert(one, key=key))
        case "remove alert":
            records.outbox.remove(one)
            plain.alerts.pop(one, None)
        case "open case":
            taken = plain.open_case(other)
            try:
                records.cases.put(case(one, contact=other))
            except Changed:
                assert taken not in (None, one)
            else:
                assert taken in (None, one)
                plain.cases[one] = other
        case "end case" if one in plain.cases:
            ended = case(one, contact=plain.cases.pop(one), state=CaseState.DENIED, next_at=None)
            records.cases.put(ended)
        case "remember":
            records.events.remember(one)
            plain.events.add(one)
        case "put mark":
            records.key_value.put(one, other)
            plain.marks[one] = other
        case "remove mark":
            records.key_value.put(one, None)
            plain.marks.pop(one, None)
        case "put contact":
            records.contacts.put(contact(one, phone=other))
            plain.contacts.add(one)
        case "expect":
            both = (one, other)
            records.expect(Expected(addresses=both, events=both, alerts=both, key_value=both))


def _asked(records: Records, mine: str) -> Iterator[object]:
    for name in (mine + name for name in _NAMES):
        newest, open_case = (
            records.outbox.newest_for(name),
            records.cases.open_for(name, Channel.SMS),
        )
        yield newest and newest.id
        yield open_case and open_case.id
        yield records.cases.open_for(name, Channel.EMAIL)
        yield records.events.seen(name)
        yield records.key_value.get(name)


def _expected(plain: Plain, mine: str) -> Iterator[object]:
    for name in (mine + name for name in _NAMES):
        yield plain.newest(name)
        yield plain.open_case(name)
        yield None
        yield name in plain.events
        yield plain.marks.get(name)
