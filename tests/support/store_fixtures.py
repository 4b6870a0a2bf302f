"""A storage of each kind, opened as often as wanted, and values to put into it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.consent.alerts import Alert, AlertKind, Delivery, DeliveryState, FollowUp, Subject
from bot.consent.cases import Case
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import (
    AddressFacts,
    Block,
    BlockState,
    Bounce,
    Channel,
    Contact,
    Evidence,
    Hold,
    Import,
    OptOut,
    Origin,
)
from bot.consent.records import KeyValue
from bot.consent.store import Store
from bot.consent.write_backs import WriteAction, WriteBack
from storage import open_store
from tests.support.storages import KINDS, forget, path_in, url_of, with_tables

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
PHONE = "+14155550100"


class Opened:
    """One storage, opened as often as wanted."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._stores: list[Store] = []

    def open(self) -> Store:
        self._stores.append(open_store(self.url))
        return self._stores[-1]

    def close(self) -> None:
        for store in self._stores:
            store.close()
        self._stores.clear()


@contextmanager
def opening(kind: str, folder: Path) -> Iterator[Opened]:
    """A new one of this kind."""
    path = with_tables(path_in(folder, kind))
    opened = Opened(url_of(path))
    yield opened
    opened.close()
    forget(path)


@pytest.fixture(params=KINDS)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    with opening(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture
def store(opened: Opened) -> Store:
    return opened.open()


def contact(id: str = "c1", **fields: object) -> Contact:
    return Contact(**{"id": id, "name": "Ana Gómez", "phone": PHONE, "created_at": NOON} | fields)  # type: ignore[arg-type]


#: More contacts than are looked through without an index.
CROWD = [contact(f"{number:04}", name=f"Ana {number}", phone=None) for number in range(2_500)]


def entry(id: str = "e1", **fields: object) -> Entry:
    known: dict[str, object] = {
        "id": id,
        "kind": EntryKind.CONSENT,
        "occurred_at": NOON,
        "recorded_at": NOON,
        "actor": "slack:U1",
        "source": "slack",
        "contact": "c1",
        "channel": Channel.SMS,
        "by": Origin.STAFF,
        "before": "NO",
        "after": "YES",
        "address": PHONE,
    }
    return Entry(**known | fields)  # type: ignore[arg-type]


def put(store: Store, *values: Contact | AddressFacts | Entry | Import) -> None:
    with store.transaction() as records:
        for value in values:
            match value:
                case Contact():
                    records.contacts.put(value)
                case AddressFacts():
                    records.addresses.put(value)
                case Entry():
                    records.log.append(value)
                case Import():
                    records.imports.put(value)


def ids(found: list[Contact]) -> list[str]:
    return [contact.id for contact in found]


FACTS = AddressFacts(
    address=PHONE,
    bounce=Bounce.YES,
    bounced_at=NOON,
    bounce_reason="no such number",
    complaint=True,
    soft_failures=(NOON, NOON + timedelta(days=1)),
    blocks={"+18885550199": Block(state=BlockState.BLOCKED, since=NOON)},
    hold=Hold(since=NOON, text="Stop. Thank you"),
    refusals=(OptOut(channel=Channel.SMS, since=NOON, reason="STOP", entry="1", act="import:1"),),
)


class Open:
    """A way on which every call may be made."""

    def may(self, key_value: KeyValue, alert: Alert) -> bool:
        return True

    def take(self, key_value: KeyValue, alert: Alert) -> None:
        pass


OPEN = Open()


def alert(id: str = "a1", **fields: object) -> Alert:
    known: dict[str, object] = {
        "id": id,
        "key": f"stop:{id}",
        "kind": AlertKind.BOUNCE,
        "slack_channel": "C1",
        "first_at": NOON,
        "last_at": NOON,
    }
    return Alert(**known | fields)  # type: ignore[arg-type]


#: Has a value of its own in most fields.
FULL_ALERT = alert(
    "full",
    kind=AlertKind.REVIEW,
    subject=Subject(
        channel=Channel.EMAIL,
        contacts=("c1", "c2"),
        address="hash:1",
        masked="ending 0100",
        sender="+18885550199",
    ),
    count=3,
    counts={"No such number.": 2},
    about="stop",
    text="Stop. Thank you",
    thread="a1",
    follow_up=FollowUp(
        unstopped_at=NOON,
        deadline=NOON + timedelta(minutes=1),
        answer="refusal",
        handled_by="slack:U1",
        handled_at=NOON,
        ended_at=NOON,
    ),
    delivery=Delivery(
        desired_version=4,
        posted_version=3,
        state=DeliveryState.UNKNOWN,
        attempts=2,
        started_at=NOON,
        not_before=NOON + timedelta(minutes=1),
        ts="1.2",
        posted_at=NOON,
        plainness=1,
        repeated=True,
        problem="timeout",
    ),
)

DAY = timedelta(days=1)


def write_back(key: str = "ana@example.com", **fields: object) -> WriteBack:
    known: dict[str, object] = {
        "listing": "sendgrid/ours",
        "channel": Channel.EMAIL,
        "key": key,
        "address": key,
        "action": WriteAction.ADD,
        "cause": "e1",
        "wished_at": NOON,
    }
    return WriteBack(**known | fields)  # type: ignore[arg-type]


def case(id: str = "1", **fields: object) -> Case:
    known: dict[str, object] = {
        "id": id,
        "contact": "c1",
        "channel": Channel.SMS,
        "address": PHONE,
        "requested_by": "slack:U1",
        "requested_at": NOON,
        "evidence": Evidence(text="asked by phone ✍", at=NOON),
        "expires_at": NOON + 14 * DAY,
        "next_at": NOON + 2 * DAY,
    }
    return Case(**known | fields)  # type: ignore[arg-type]
