"""What the use cases ask of storage. The interface is its user's; `storage/` implements it."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.consent.records import (
    Addresses,
    Cases,
    Contacts,
    Imports,
    KeyValue,
    Log,
    Outbox,
    SeenEvents,
    WriteBacks,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is about to be looked up, one after the other; and the open cases of the contacts whom
    these addresses and ids lead to."""

    addresses: Collection[str] = ()
    #: Ids of contacts.
    contacts: Collection[str] = ()
    external_ids: Collection[str] = ()
    #: Ids, as `SeenEvents.seen` is asked for them.
    events: Collection[str] = ()
    #: Keys, as `Outbox.newest_for` is asked for them.
    alerts: Collection[str] = ()
    #: Names.
    key_value: Collection[str] = ()
    #: Text and limit, as `Contacts.search` is asked for them.
    search: tuple[str, int] | None = None
    #: The contact whose newest entries, so many, `Log.entries` is asked for.
    newest_of: tuple[str, int] | None = None


class Records(Protocol):
    """The records inside one transaction. A write is seen by the reads after it."""

    @property
    def contacts(self) -> Contacts: ...

    @property
    def addresses(self) -> Addresses: ...

    @property
    def log(self) -> Log: ...

    @property
    def events(self) -> SeenEvents: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def cases(self) -> Cases: ...

    @property
    def write_backs(self) -> WriteBacks: ...

    @property
    def key_value(self) -> KeyValue: ...

    @property
    def imports(self) -> Imports: ...

    def expect(self, what: Expected) -> None:
        """Hint: prefetch these records. A remote database fetches them in one round trip. Changes
        nothing."""
        ...


class WouldWait(Exception):
    """Reading would take a disk, a network, or the end of somebody else's transaction."""


class Store(Protocol):
    """Where everything is kept. Safe across threads, and across processes on one storage."""

    def transaction(self) -> AbstractContextManager[Records]:
        """All or nothing. When the block has ended without an error, the change is on the disk.

        An error inside undoes it. Raises `StorageFailed` where it could not be stored.
        """
        ...

    def reading(self) -> AbstractContextManager[Records]:
        """One state, without writing: nothing in it may still be lost."""
        ...

    def reading_at_once(self) -> AbstractContextManager[Records]:
        """The same for whoever must not wait, such as the web server's loop. Raises `WouldWait`."""
        ...

    def rehearsal(self) -> AbstractContextManager[Records]:
        """Like a transaction, and thrown away at the end; other processes write on meanwhile."""
        ...

    def free_bytes(self) -> int | None:
        """How much more fits on its disk; None where a server looks after that."""
        ...

    @property
    def outdated(self) -> bool:
        """Whether an earlier version wrote it, and `optin migrate` has to bring it to this one."""
        ...

    def back_up(self, version: str) -> Path | None:
        """Copies the storage before it is brought to `version`, and says where to; None where its
        server's own backups are meant for that."""
        ...

    def upgrade(self) -> None:
        """Marks the storage as of this version: an older program refuses it with a sentence."""
        ...

    def close(self) -> None: ...
