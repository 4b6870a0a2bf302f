"""Asking for re-opt-in."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.consent.alerts import OPT_OUTS, Alert, AlertKind, revise
from bot.consent.cases import EXPIRES_AFTER, REMINDERS, Case, CaseState
from bot.consent.errors import Changed, Invalid, NeedsEvidence, Refused
from bot.consent.frozen import replace
from bot.consent.model import Actor, Channel, ConsentValue, Contact, Evidence
from bot.consent.parsing import blank, storable
from bot.consent.permissions import Action, authorize
from bot.consent.reader_times import ReaderTimes
from bot.consent.store import Records
from bot.consent.use_cases.alerts.thread_news import News, put_news
from bot.consent.use_cases.cases.complete import alerts_about, void
from bot.consent.use_cases.cases.requirements import latest_refusal, unstopped
from bot.consent.use_cases.cases.subscriptions import request_subscribers
from bot.consent.use_cases.cases.transition import log_transition, put_message
from bot.consent.use_cases.context import Service, present
from bot.consent.use_cases.known_senders import senders_of
from bot.consent.use_cases.record import Recorder


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRequest:
    """What somebody asks for, and why it should be granted."""

    channel: Channel
    #: What shows that the contact agreed anew.
    evidence: str
    #: When; now where nobody says.
    evidence_at: datetime | None = None
    #: How exactly that was said: a minute of a clock, or a day. It means the end of that, but
    #: never later than now (rules.md §6).
    precision: timedelta = timedelta(0)
    #: How the contact asked.
    reason: str | None = None
    note: str | None = None


def request(
    service: Service, id: str, ask: CaseRequest, actor: Actor, *, version: int | None = None
) -> Case:
    """Opens a case for what the contact refused. Managers are told.

    Raises `Changed` where the contact is not as they were when the form was drawn (`version`):
    evidence for one number is none for another. Raises `Refused` with the `field` that is wrong:
    where no approval is needed, where a case is open already, and where the evidence is missing or
    older than the refusal.
    """
    authorize(actor, Action.REQUEST)
    with service.store.transaction() as records:
        contact = present(records.contacts, id)
        if version is not None and version != contact.version:
            raise Changed("This contact changed meanwhile. Look at it again.")
        recorder = Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=service.now()
        )
        return open_case(service, recorder, contact, ask)


def open_case(
    service: Service,
    recorder: Recorder,
    contact: Contact,
    ask: CaseRequest,
    *,
    announce: Callable[[Recorder, Case], None] | None = None,
) -> Case:
    """The same inside a transaction. With `announce`, the case puts no message of its own."""
    records, now = recorder.records, recorder.now
    consent = contact.consent(ask.channel)
    _check(contact, ask.channel)
    refused_at = latest_refusal(records, contact, ask.channel)
    evidence = _evidence(ask, refused_at, now, service.times)
    other = records.cases.open_for(contact.id, ask.channel)
    if other is not None and not void(recorder, other, contact):
        raise asked(other, service.times)
    facts = records.addresses.get(contact.key(ask.channel) or "")
    case = Case(
        id=secrets.token_hex(16),
        contact=contact.id,
        channel=ask.channel,
        address=contact.address(ask.channel) or "",
        requested_by=recorder.actor,
        requested_at=now,
        evidence=evidence,
        expires_at=now + EXPIRES_AFTER,
        reason=storable(ask.reason or "") or None,
        note=storable(ask.note or "") or None,
        refused_at=refused_at,
        unstopped_at=unstopped(
            facts, ask.channel, senders_of(service, records.key_value, facts), refused_at
        ),
        refusal=consent.reason,
        next_at=now + REMINDERS[0],
    )
    opt_outs = _shown_with(service, records, case)
    for alert in opt_outs:
        records.outbox.put(revise(alert))
        put_news(records, alert, News.REQUESTED, now, by=recorder.actor)
    copies: list[str] = []
    if announce is None:
        to = (service.approval_channel or "", *request_subscribers(records.key_value))
        told = dict.fromkeys(filter(None, to))
        copies = [put_message(recorder, case, AlertKind.CASE, one) for one in told]
    else:
        announce(recorder, case)
    case = replace(case, copies=(*copies, *(alert.id for alert in opt_outs)))
    records.cases.put(case)
    log_transition(recorder, case, contact, before="", why=case.reason, evidence=evidence)
    return case


def _shown_with(service: Service, records: Records, case: Case) -> Sequence[Alert]:
    """The alerts about the opt-out, and those that an earlier case of the contact was shown with:
    their messages say first how the re-opt-in stands."""
    alerts = {alert.id: alert for alert in alerts_about(service, records, case)}
    earlier = [c for c in records.cases.of(case.contact) if c.channel is case.channel][:1]
    copies = [copy for old in earlier for id in old.copies if (copy := records.outbox.get(id))]
    alerts |= {copy.id: copy for copy in copies if copy.kind in OPT_OUTS}
    return [alert for alert in alerts.values() if case.contact in alert.subject.contacts]


def check_request(service: Service, contact: Contact, channel: Channel, case: Case | None) -> None:
    """Whether it may be asked for, before somebody writes down why: `case` is the one that is open.
    Raises as `request` does."""
    _check(contact, channel)
    if case is not None and service.now() < case.expires_at:
        raise asked(case, service.times)


def asked(case: Case, times: ReaderTimes) -> Refused:
    """What to raise where this case is open already."""
    said = "it is not decided yet" if case.state is CaseState.PENDING else "it is approved"
    day = times.day(case.requested_at)
    return Refused(f"Somebody asked for this already, on {day}, and {said}.")


def _check(contact: Contact, channel: Channel) -> None:
    field, consent = f"{channel}_on", contact.consent(channel)
    if contact.address(channel) is None:
        noun = "phone number" if channel is Channel.SMS else "e-mail address"
        raise Invalid(f"There is no {noun} to ask this for.", field=field)
    if consent.on is ConsentValue.YES:
        raise Refused(f"{channel.word} On is YES already.", field=field)
    if not consent.refused:
        raise Refused(
            f"This needs no approval: set {channel.word} On to YES with Edit, with the evidence.",
            field=field,
        )


def _evidence(
    ask: CaseRequest, refused_at: datetime | None, now: datetime, times: ReaderTimes
) -> Evidence:
    if blank(ask.evidence):
        raise NeedsEvidence(field="evidence")
    at = ask.evidence_at or now
    if at > now:
        raise Invalid("The evidence can't be from the future.", field="evidence_date")
    at = min(at + ask.precision, now)
    if refused_at is not None and at <= refused_at:
        raise Refused(
            f"The contact refused on {times.moment(refused_at)}: the evidence has to be newer than "
            "that.",
            field="evidence_date",
        )
    return Evidence(text=storable(ask.evidence.strip()), at=at)
