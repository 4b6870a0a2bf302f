"""What other programs state by the API."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.consent.model import Channel, Contact
from bot.consent.use_cases import Details, Service, add
from bot.consent.use_cases.stated.state_consent import state_consent
from bot.consent.use_cases.stated.statement import (
    ConsentStatement,
    Stated,
    StatedEvidence,
    StatedStatus,
    program,
)
from tests.support.consent_fixtures import AGENT

NEWSLETTER, SHOP = program("newsletter"), program("shop")
MINUTE = timedelta(minutes=1)


def proof(at: datetime, **more: Any) -> StatedEvidence:
    """What shows that the contact agreed."""
    given = {"source": "checkout", "text": "Ticked “Text me offers”", "occurred_at": at, **more}
    return StatedEvidence(**given)


def say(
    service: Service,
    contact: Contact,
    status: str,
    channel: Channel = Channel.SMS,
    *,
    evidence: StatedEvidence | None = None,
    **more: Any,
) -> Stated:
    """The newsletter's statement, with evidence of a minute ago."""
    if evidence is None:
        evidence = replace(proof(service.now() - MINUTE), **more)
    statement = ConsentStatement(channel=channel, status=StatedStatus(status), evidence=evidence)
    return state_consent(service, contact.id, statement, NEWSLETTER)


def stranger(service: Service, name: str = "Cleo", phone: str = "+14155550155") -> Contact:
    """Whom nobody has asked anything."""
    mailbox = f"{name.lower()}@example.com"
    return add(service, Details(name=name, phone=phone, email=mailbox), AGENT)
