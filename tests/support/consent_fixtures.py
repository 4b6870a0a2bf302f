"""A service over a storage of its own, with a clock that stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.consent.log.changes import BlockChanged, BounceChanged, ConsentChanged
from bot.consent.log.entries import Entry
from bot.consent.model import UNSET, Actor, BlockState, Bounce, Channel, ConsentValue, Origin, Role
from bot.consent.senders import Number, NumberKind, Sender, kind_of
from bot.consent.use_cases import Service
from bot.consent.use_cases.record import Recorder
from bot.runtime.clock import Stopped
from bot.runtime.read_email import read_email
from handlers.webhooks.registry import known_providers
from storage import open_store
from tests.support.storages import by_turns, forget, path_in, url_of, with_tables

NOW = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)

AGENT = Actor(id="slack:U0AGENT1", role=Role.AGENT, source="slack")
OTHER_AGENT = Actor(id="slack:U0AGENT2", role=Role.AGENT, source="slack")
MANAGER = Actor(id="slack:U0MANAGER", role=Role.MANAGER, source="slack")
NOBODY = Actor(id="slack:U0GUEST", role=Role.NOBODY, source="slack")
OPERATOR = Actor(id="cli:root", role=Role.OPERATOR, source="cli")

PROVIDERS = known_providers()


def sender(number: str, name: str = "", unblock_word: str = "UNSTOP") -> Sender:
    """A sender that is one number."""
    kind = kind_of(number) or NumberKind.LONG_CODE
    numbers = (Number(number=number, kind=kind),)
    return Sender(id=number, name=name, numbers=numbers, unblock_word=unblock_word)


SENDERS = (
    sender("+18885550199", "Support"),
    sender("+14155550177", "Sales", unblock_word="START"),
)


def open_service(path: Path, now: Callable[[], datetime]) -> Service:
    """A service over the storage at `path`; whoever opens it closes its store."""
    return open_service_at(url_of(path), now)


def open_service_at(url: str, now: Callable[[], datetime]) -> Service:
    """The same by the storage's address, for other processes."""
    return Service(
        store=open_store(url),
        now=now,
        region="US",
        read_email=read_email,
        hash_key=b"a key for tests",
        providers=PROVIDERS,
        senders=SENDERS,
    )


@pytest.fixture
def clock() -> Stopped:
    return Stopped(NOW)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    by_turns(metafunc, "storage_path")


@pytest.fixture
def storage_path(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Of a storage of one kind: see `storages.by_turns`."""
    path = with_tables(path_in(tmp_path / "storage", request.param))
    yield path
    forget(path)


@pytest.fixture
def service(storage_path: Path, clock: Stopped) -> Iterator[Service]:
    service = open_service(storage_path, clock)
    yield service
    service.store.close()


def told(service: Service, contact: str | None = None) -> list[Entry]:
    """The Activity Log, oldest first; of one contact or of all."""
    with service.store.reading() as records:
        if contact is None:
            return list(records.log.all())
        return records.log.entries(contact=contact, limit=10_000)[::-1]


def stop(service: Service, address: str, *, sender: str | None = None) -> None:
    """The contact refuses, as a provider tells it: a STOP to `sender`, or an unsubscribe."""
    channel = Channel.EMAIL if "@" in address else Channel.SMS
    with service.store.transaction() as records:
        recorder = Recorder(
            service=service,
            records=records,
            actor="contact",
            source="provider:twilio",
            now=service.now(),
        )
        for holder in records.contacts.at(address) or [None]:
            here = holder.consents.get(address, UNSET) if holder else UNSET
            after = recorder.record(
                holder,
                ConsentChanged(
                    by=Origin.CONTACT, before=here.on, after=ConsentValue.NO, reason="STOP"
                ),
                address=address,
                channel=channel,
            )
            if sender:
                recorder.record(
                    after,
                    BlockChanged(sender=sender, before=BlockState.NONE, after=BlockState.BLOCKED),
                    address=address,
                    channel=channel,
                )


def bounce(service: Service, address: str, *, complaint: bool = False) -> None:
    """A message to the address came back, or was reported as spam, as a provider tells it."""
    with service.store.transaction() as records:
        recorder = Recorder(
            service=service,
            records=records,
            actor="provider:mailgun",
            source="provider:mailgun",
            now=service.now(),
        )
        recorder.record_for_holders(
            address,
            BounceChanged(
                before=Bounce.NO,
                after=Bounce.YES,
                by=Origin.CONTACT if complaint else None,
                reason="550 5.1.1 no such user",
            ),
            channel=Channel.EMAIL if "@" in address else Channel.SMS,
        )
