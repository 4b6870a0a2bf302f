"""Re-opt-ins as people ask for and decide them, and what is seen of them afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.consent.alerts import Alert, AlertKind
from bot.consent.cases import Case
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import Actor, Channel, ConsentValue, Contact, Role
from bot.consent.use_cases import CaseRequest, Service, request
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import AGENT, told
from tests.support.take_fixtures import MAILBOX, PHONE, consent, tell, text

APPROVALS = "C0APPROVALS"
OTHER_MANAGER = Actor(id="slack:U0MANAGER2", role=Role.MANAGER, source="slack")
EVIDENCE = "Ana wrote: please text me again, ticket 4711"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def desk(alerting: Service) -> Service:
    """A service whose managers decide in a channel."""
    return replace(alerting, approval_channel=APPROVALS)


@pytest.fixture
def stopped(desk: Service, subscriber: Contact, clock: Stopped) -> Contact:
    """Replied with a word that the carrier does not know, an hour ago: nothing is blocked."""
    tell(desk, text("stop all"))
    clock.advance(HOUR)
    return subscriber


@pytest.fixture
def blocked(desk: Service, subscriber: Contact, clock: Stopped) -> Contact:
    """Texted STOP to one of our numbers, an hour ago."""
    tell(desk, text("STOP"))
    clock.advance(HOUR)
    return subscriber


def ask(
    service: Service,
    contact: Contact,
    channel: Channel = Channel.SMS,
    *,
    by: Actor = AGENT,
    **more: Any,
) -> Case:
    """An hour passes after it, as in life."""
    case = request(
        service, contact.id, CaseRequest(channel=channel, **{"evidence": EVIDENCE, **more}), by
    )
    assert isinstance(service.now, Stopped)
    service.now.advance(HOUR)
    return case


def case_of(service: Service, case: Case) -> Case:
    """The case as it is now."""
    with service.store.reading() as records:
        found = records.cases.get(case.id)
    assert found is not None
    return found


def on(service: Service, contact: Contact, channel: Channel = Channel.SMS) -> ConsentValue:
    """SMS On or Email On at Ana's number or mailbox."""
    return consent(service, contact, PHONE if channel is Channel.SMS else MAILBOX).on


def steps(service: Service, case: Case) -> list[tuple[str, str, str]]:
    """What the log has of the case: before, after, who."""
    return [(e.before, e.after, e.actor) for e in entries(service, case)]


def entries(service: Service, case: Case) -> list[Entry]:
    return [
        entry
        for entry in told(service, case.contact)
        if entry.kind is EntryKind.CASE and (entry.changes or {}).get("case") == (None, case.id)
    ]


def messages(service: Service, kind: AlertKind) -> list[Alert]:
    """What is to be posted about cases, in the order it was put down."""
    with service.store.reading() as records:
        return sorted((a for a in records.outbox.all() if a.kind is kind), key=lambda a: a.last_at)
