"""Events as `handlers/webhooks` makes them, and what is seen of them afterwards."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.consent.alerts import AlertKind
from bot.consent.events import Event, EventKind, Failure
from bot.consent.log.changes import ConsentChanged
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import (
    UNSET,
    AddressFacts,
    BlockState,
    Channel,
    Consent,
    ConsentValue,
    Contact,
    Evidence,
    Origin,
)
from bot.consent.use_cases import Details, Service, StatusUpdate, add, change, verify
from bot.consent.use_cases.cases.complete import RE_OPT_IN
from bot.consent.use_cases.ingest import ingest
from bot.consent.use_cases.record import Recorder
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import AGENT, MANAGER

PHONE, OTHER_PHONE, MAILBOX = "+14155550100", "+14155550111", "ana@example.com"
TOLL_FREE, LOCAL = "+18885550199", "+14155550177"
YES = StatusUpdate(sms=ConsentValue.YES, email=ConsentValue.YES, evidence="the form of Ana")

_ids = itertools.count(1)


def text(words: str, *, sender: str | None = LOCAL, address: str = PHONE, **more: Any) -> Event:
    """The contact texts us."""
    return _event(EventKind.REPLY, address, sender=sender, text=words, **more)


def failed(failure: Failure | None, *, address: str = PHONE, **more: Any) -> Event:
    """A message of ours does not arrive."""
    more = {"sender": LOCAL, "code": "30000", "meaning": "It failed.", **more}
    return _event(EventKind.FAILED, address, failure=failure, **more)


def delivered(*, address: str = PHONE, **more: Any) -> Event:
    return _event(EventKind.DELIVERED, address, **{"sender": LOCAL, **more})


def mailed(kind: EventKind, *, address: str = MAILBOX, **more: Any) -> Event:
    """Something about a mailbox."""
    return _event(kind, address, **{"provider": "sendgrid", "sender": "sendgrid-account", **more})


def _event(kind: EventKind, address: str, **more: Any) -> Event:
    given = {"provider": "twilio", "id": f"twilio:{next(_ids)}", **more}
    channel = Channel.EMAIL if "@" in address else Channel.SMS
    return Event(kind=kind, channel=channel, address=address, **given)


@pytest.fixture
def alerting(service: Service) -> Service:
    """A service that has a Slack channel to tell."""
    return replace(service, alert_channel="C0ALERTS")


@pytest.fixture
def subscriber(alerting: Service, clock: Stopped) -> Iterator[Contact]:
    """Has agreed to everything, an hour ago."""
    found = add(alerting, Details(name="Ana Gómez", phone=PHONE, email=MAILBOX), AGENT)
    yield agreed(alerting, found, clock)
    assert verify(alerting).problem is None


@pytest.fixture
def housemate(alerting: Service, clock: Stopped, subscriber: Contact) -> Contact:
    """Shares Ana's number and mailbox."""
    return agreed(
        alerting, add(alerting, Details(name="Bo", phone=PHONE, email=MAILBOX), AGENT), clock
    )


def agreed(service: Service, contact: Contact, clock: Stopped) -> Contact:
    done = change(service, contact.id, YES, AGENT).contact
    clock.advance(timedelta(hours=1))
    return done


def come_back(service: Service, contact: Contact, address: str = PHONE) -> None:
    """What an approved re-opt-in does."""
    channel = Channel.EMAIL if "@" in address else Channel.SMS
    with service.store.transaction() as records:
        recorder = Recorder(
            service=service, records=records, actor=MANAGER.id, source="slack", now=service.now()
        )
        recorder.record(
            records.contacts.get(contact.id),
            ConsentChanged(
                by=Origin.CONTACT,
                before=ConsentValue.NO,
                after=ConsentValue.YES,
                reason=RE_OPT_IN,
                evidence=Evidence(text="the form of Ana", at=service.now()),
            ),
            address=address,
            channel=channel,
        )


def tell(service: Service, *events: Event) -> list[Entry]:
    """What the log has more once these were taken in, as one request."""
    before = _newest(service)
    ingest(service, events)
    added = _newest(service) - before
    with service.store.reading() as records:
        return records.log.entries(limit=added)[::-1] if added else []


def _newest(service: Service) -> int:
    """The number of the newest entry."""
    with service.store.reading() as records:
        return records.log.head()[0]


def lines(entries: list[Entry]) -> list[tuple[EntryKind, str, str]]:
    return [(entry.kind, entry.before, entry.after) for entry in entries]


def facts(service: Service, address: str = PHONE) -> AddressFacts:
    with service.store.reading() as records:
        return records.addresses.get(address)


def kept(service: Service, address: str) -> AddressFacts:
    """What is known of an address that nobody has."""
    return facts(service, service.hashed(address))


def consent(service: Service, contact: Contact, address: str = PHONE) -> Consent:
    with service.store.reading() as records:
        found = records.contacts.get(contact.id)
    assert found is not None
    return found.consents.get(address, UNSET)


def block(service: Service, sender: str = LOCAL, address: str = PHONE) -> BlockState:
    return facts(service, address).block(sender)[0]


def since(service: Service, sender: str = LOCAL, address: str = PHONE) -> datetime | None:
    return facts(service, address).block(sender)[1]


def alerts(service: Service) -> list[AlertKind]:
    with service.store.reading() as records:
        return sorted(alert.kind for alert in records.outbox.all())
