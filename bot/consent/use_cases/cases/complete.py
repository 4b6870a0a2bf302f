"""The last key: the case is completed, and the consent comes back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.consent.addresses import key_of
from bot.consent.alerts import OPT_OUTS, Alert, revise
from bot.consent.cases import RE_OPT_IN, Case, CaseState
from bot.consent.frozen import replace
from bot.consent.log.changes import ConsentChanged
from bot.consent.model import Channel, ConsentValue, Contact, Origin
from bot.consent.store import Records
from bot.consent.use_cases.alerts.enqueue import live_alerts
from bot.consent.use_cases.alerts.reviews import REFUSAL
from bot.consent.use_cases.alerts.thread_news import put_with_news
from bot.consent.use_cases.cases.requirements import latest_refusal, missing_keys
from bot.consent.use_cases.cases.transition import redraw_case, transition
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.known_senders import known_senders
from bot.consent.use_cases.lists.wishes import re_opted_in
from bot.consent.use_cases.record import Recorder


def requirement_met(
    service: Service, recorder: Recorder, contact: Contact, channel: Channel, at: datetime
) -> None:
    """The contact lifted a block, or it proved to be lifted: one key of an open case, and where
    it is the last one, the end of it."""
    case = recorder.records.cases.open_for(contact.id, channel)
    if case is None or contact.key(channel) != key_of(case.address):
        return
    facts = recorder.records.addresses.get(key_of(case.address))
    if missing_keys(facts, channel, known_senders(service, recorder.records.key_value)):
        return
    case = replace(case, unstopped_at=at)
    recorder.records.cases.put(case)
    if case.state is CaseState.APPROVED:
        complete(service, recorder, case, contact)
    else:
        redraw_case(recorder.records.outbox, case)


def complete(service: Service, recorder: Recorder, case: Case, contact: Contact) -> Case:
    """All keys are there: YES, in the manager's name, as old as the permission that it rests on.
    Or the end of a case that something had overtaken."""
    if voided := void(recorder, case, contact):
        return voided
    before = contact.consent(case.channel).on
    done = transition(recorder, case, CaseState.COMPLETED, contact, actor=case.decided_by)
    recorder.record(
        recorder.records.contacts.get(contact.id),
        ConsentChanged(
            by=Origin.CONTACT,
            before=before,
            after=ConsentValue.YES,
            reason=f"{RE_OPT_IN}: {case.reason}" if case.reason else RE_OPT_IN,
            evidence=case.evidence,
        ),
        address=case.address,
        channel=case.channel,
        occurred_at=case.evidence.at,
        actor=case.decided_by,
    )
    if case.channel is Channel.EMAIL:
        re_opted_in(recorder, key_of(case.address))
    _tell_it_is_over(service, recorder, done)
    return done


def void(recorder: Recorder, case: Case, contact: Contact) -> Case | None:
    """Ends a case that can't be decided any more; None where it can. Its time may be over, and
    nobody has looked yet. What else voids a case does so when it happens: this only makes sure,
    before something turns to YES."""
    if recorder.now >= case.expires_at:
        return transition(recorder, case, CaseState.EXPIRED, contact, actor="system")
    if contact.erased or contact.key(case.channel) != key_of(case.address):
        why = "The address was changed meanwhile."
    elif not contact.consent(case.channel).refused:
        why = f"{case.channel.word} On was changed meanwhile."
    else:
        newest = latest_refusal(recorder.records, contact, case.channel)
        if newest is None or case.evidence.at is None or newest < case.evidence.at:
            return None
        why = "The contact refused again."
        return transition(recorder, case, CaseState.OVERTAKEN, contact, why=why, actor="system")
    return transition(recorder, case, CaseState.CANCELLED, contact, why=why, actor="system")


def alerts_about(service: Service, records: Records, case: Case) -> Iterator[Alert]:
    """The alerts about the opt-out that the case is to lift, and about the UNSTOP."""
    days = {at.date() for at in (case.refused_at, case.unstopped_at) if at}
    address = service.hashed(case.address)
    yield from live_alerts(records, OPT_OUTS, case.channel, address, days)
    for review in records.outbox.reviews():
        if review.subject.address == address and review.follow_up.answer == REFUSAL:
            yield review


def _tell_it_is_over(service: Service, recorder: Recorder, case: Case) -> None:
    """The alerts about the refusal say that it was taken back."""
    outbox = recorder.records.outbox
    alerts = {alert.id: alert for alert in alerts_about(service, recorder.records, case)}
    shown = (copy for id in case.copies if (copy := outbox.get(id)))
    alerts |= {alert.id: alert for alert in shown if alert.kind in OPT_OUTS}
    for alert in alerts.values():
        after = revise(alert, follow_up=replace(alert.follow_up, returned_at=recorder.now))
        put_with_news(recorder.records, alert, after, recorder.now)
