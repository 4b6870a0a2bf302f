"""Where a document is, by what people know of it. Rebuilt at open, never stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from bot.consent.addresses import key_of
from bot.consent.alerts import DeliveryState
from bot.consent.cases import OPEN
from storage.tinydb.journal import Document
from storage.tinydb.names import Names
from storage.tinydb.write_index import WriteIndex

CONTACTS = "contacts"
ADDRESSES = "addresses"
IMPORTS = "imports"
ALERTS = "alerts"
MARKS = "marks"
EVENTS = "events"
CASES = "cases"
WRITES = "write_backs"
TABLES = (CONTACTS, ADDRESSES, IMPORTS, ALERTS, MARKS, EVENTS, CASES, WRITES)

#: A document's id, or several for one address.
Held = str | tuple[str, ...]


class Keys(msgspec.Struct, frozen=True, gc=False):
    """The part of a document by which it is found."""

    id: str = ""
    #: None in an alert that is about many.
    address: str | None = ""
    name: str = ""
    company: str = ""
    phone: str | None = None
    email: str | None = None
    external_id: str = ""
    erased: bool = False


class Due(msgspec.Struct, frozen=True, gc=False):
    """The part of an alert that says when it has to be told."""

    id: str
    key: str
    kind: str
    slack_channel: str
    first_at: datetime
    last_at: datetime
    wanted: int
    shown: int
    delivery: str
    not_before: datetime | None = None

    @property
    def waits(self) -> bool:
        return self.wanted > self.shown and self.delivery != DeliveryState.DEAD


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """The part of a case by which it is found."""

    id: str
    contact: str
    channel: str
    requested_at: datetime
    state: str
    next_at: datetime | None = None

    @property
    def open(self) -> bool:
        return self.state in OPEN


_keys = msgspec.json.Decoder(Keys)
_due = msgspec.json.Decoder(Due)
_waiting = msgspec.json.Decoder(Waiting)


class Index:
    """The index of all documents in memory. `changed` keeps it true to them."""

    def __init__(self, documents: Mapping[str, Mapping[str, bytes]]) -> None:
        #: By table, the document's id of a contact's, import's or write's id, or of an address.
        self.ids: dict[str, dict[str, str]] = {table: {} for table in TABLES}
        #: By phone number and mailbox.
        self.holders: dict[str, Held] = {}
        self.external: dict[str, Held] = {}
        self.erased = 0
        #: Alerts that Slack has to be told, by id.
        self.due: dict[str, Due] = {}
        #: Alerts that were given up.
        self.dead: set[str] = set()
        #: By key, the newest last.
        self.alerts: dict[str, Held] = {}
        #: Cases by contact, and those that are open, by id.
        self.cases: dict[str, Held] = {}
        self.open: dict[str, Waiting] = {}
        self.names = Names(documents[CONTACTS])
        self.writes = WriteIndex(self.ids[WRITES])
        for id, document in documents[WRITES].items():
            self.writes.changed(id, None, document)
        decode = _keys.decode
        for table in self.ids.keys() - {WRITES}:
            for id, document in documents[table].items():
                self._add(table, id, decode(document))
                if table == ALERTS:
                    self._tell(_due.decode(document))
                elif table == CASES:
                    self._recase(None, document)

    def changed(
        self, table: str, id: str, before: Document, after: Document, key: str | None = None
    ) -> None:
        """`key` is what the document is known by, of a caller who has it at hand. The index then
        holds that string, and not another one that says the same."""
        if table not in self.ids:
            return
        if table == WRITES:
            self.writes.changed(id, before, after)
            return
        if table == ALERTS:
            self._retell(before, after)
        elif table == CASES:
            self._recase(before, after)
        if key is not None and after is not None and table != CONTACTS:
            self.ids[table][key] = id
            return
        was = None if before is None else _keys.decode(before)
        now = None if after is None else _keys.decode(after)
        if was == now:
            return
        if was is not None:
            self._drop(table, id, was)
        if now is not None:
            self._add(table, id, now, key)
        if table == CONTACTS:
            self.names.changed(id)

    def _retell(self, before: Document, after: Document) -> None:
        was = None if before is None else _due.decode(before)
        now = None if after is None else _due.decode(after)
        if was is not None:
            self.due.pop(was.id, None)
            self.dead.discard(was.id)
            if now is None or now.key != was.key:
                _let_go(self.alerts, was.key, was.id)
        if now is not None:
            self._tell(now)

    def _recase(self, before: Document, after: Document) -> None:
        if before is not None:
            was = _waiting.decode(before)
            self.open.pop(was.id, None)
            _let_go(self.cases, was.contact, was.id)
        if after is not None:
            now = _waiting.decode(after)
            _hold(self.cases, now.contact, now.id)
            if now.open:
                self.open[now.id] = now

    def _tell(self, alert: Due) -> None:
        _hold(self.alerts, alert.key, alert.id)
        if alert.waits:
            self.due[alert.id] = alert
        if alert.delivery == DeliveryState.DEAD:
            self.dead.add(alert.id)

    def _add(self, table: str, id: str, keys: Keys, key: str | None = None) -> None:
        if table != CONTACTS:
            self.ids[table][(keys.address or "") if table == ADDRESSES else keys.id] = id
            return
        self.ids[CONTACTS][key or keys.id] = id
        if keys.phone:
            _hold(self.holders, key_of(keys.phone), id)
        if keys.email:
            _hold(self.holders, key_of(keys.email), id)
        if keys.external_id:
            _hold(self.external, keys.external_id, id)
        if keys.erased:
            self.erased += 1

    def _drop(self, table: str, id: str, keys: Keys) -> None:
        self.ids[table].pop((keys.address or "") if table == ADDRESSES else keys.id, None)
        if table != CONTACTS:
            return
        for map, key in (
            (self.holders, keys.phone and key_of(keys.phone)),
            (self.holders, keys.email and key_of(keys.email)),
            (self.external, keys.external_id),
        ):
            if key:
                _let_go(map, key, id)
        if keys.erased:
            self.erased -= 1


def each(held: Held | None) -> tuple[str, ...]:
    if held is None:
        return ()
    return (held,) if isinstance(held, str) else held


def _hold(map: dict[str, Held], key: str, id: str) -> None:
    held = map.setdefault(key, id)
    if id not in each(held):
        map[key] = (*each(held), id)


def _let_go(map: dict[str, Held], key: str, id: str) -> None:
    left = tuple(other for other in each(map.get(key)) if other != id)
    if len(left) > 1:
        map[key] = left
    elif left:
        map[key] = left[0]
    else:
        map.pop(key, None)
