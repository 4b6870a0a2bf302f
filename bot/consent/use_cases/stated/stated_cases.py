"""Requests for re-opt-in that a program makes, sees and takes back. People in Slack decide them."""

from __future__ import annotations

from collections.abc import Sequence

from bot.consent.cases import Case
from bot.consent.errors import Invalid, NotFound
from bot.consent.model import Actor, Channel
from bot.consent.permissions import Action, authorize
from bot.consent.use_cases.cases.hourly_requests import announce_hourly
from bot.consent.use_cases.cases.request import CaseRequest, open_case
from bot.consent.use_cases.context import Service, present
from bot.consent.use_cases.record import Recorder
from bot.consent.use_cases.stated.state_consent import check_withheld
from bot.consent.use_cases.stated.statement import StatedEvidence, read_evidence

#: Cases of one page.
MOST_CASES = 100


def list_cases(
    service: Service,
    actor: Actor,
    *,
    contact: str | None = None,
    after: str | None = None,
    limit: int = MOST_CASES,
) -> Sequence[Case]:
    """The open cases, the oldest first, behind the one with the id `after`; or all cases of a
    contact, the newest first. Raises `NotFound`."""
    authorize(actor, Action.LOOK)
    if not 1 <= limit <= MOST_CASES:
        raise Invalid(f"The limit has to be from 1 to {MOST_CASES}.", field="limit")
    with service.store.reading() as records:
        last = records.cases.get(after) if after else None
        if after and last is None:
            raise NotFound("There is no such request.")
        if contact is None:
            return records.cases.all_open(after=last, limit=limit)
        if records.contacts.get(contact) is None:
            raise NotFound
        cases = records.cases.of(contact)
        if last is not None and last not in cases:
            raise NotFound("There is no such request.")
        begin = cases.index(last) + 1 if last else 0
        return cases[begin : begin + limit]


def state_request(
    service: Service, id: str, channel: Channel, stated: StatedEvidence | None, actor: Actor
) -> Case:
    """Opens a case for what the contact refused. Raises `Withheld`, `Refused`, `NeedsEvidence`,
    `Invalid` and `NotFound`."""
    authorize(actor, Action.REQUEST)
    with service.store.transaction() as records:
        contact = present(records.contacts, id)
        recorder = Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=service.now()
        )
        evidence = read_evidence(stated, recorder.now)
        check_withheld(service, recorder, contact, channel, evidence)
        ask = CaseRequest(channel=channel, evidence=evidence.text, evidence_at=evidence.at)
        return open_case(service, recorder, contact, ask, announce=announce_hourly)
