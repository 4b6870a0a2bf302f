"""Setting what a contact wants, clearing a bounce, and Do not contact."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.consent import rules
from bot.consent.addresses import key_of
from bot.consent.errors import Invalid, NeedsEvidence
from bot.consent.log.changes import Act, BounceChanged, ConsentChanged, ContactChanged, Noted
from bot.consent.log.entries import CHANGING, Entry
from bot.consent.model import Actor, Bounce, Channel, ConsentValue, Contact, Evidence, Origin
from bot.consent.parsing import blank
from bot.consent.permissions import Action, authorize
from bot.consent.reader_times import ReaderTimes
from bot.consent.records import Log
from bot.consent.use_cases.address_opt_outs import refuse_at
from bot.consent.use_cases.context import Service, present
from bot.consent.use_cases.lists.wishes import bounce_cleared
from bot.consent.use_cases.record import Recorder, new_id
from bot.consent.use_cases.update import StatusChange, StatusUpdate, UpdateResult


def change(
    service: Service, id: str, wish: StatusUpdate, actor: Actor, *, version: int | None = None
) -> UpdateResult:
    """Carries a wish out, whole or not at all.

    With the `version` that the asker saw, a contact who changed since keeps what they have, but
    for opt-outs: these are made at once. Raises `Refused` with the `field` that is wrong.
    """
    authorize(actor, Action.EDIT)
    with service.store.transaction() as records:
        contact = present(records.contacts, id)
        stale = version is not None and version != contact.version
        meanwhile = _newest_change(records.log, contact) if stale else None
        doing = wish.opt_outs if stale else wish
        recorder = Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=service.now()
        )
        changes = tuple(_carry_out(service.times, recorder, contact, doing, actor))
        after = records.contacts.get(id)
        assert after is not None
        left = wish.the_rest if stale and wish.the_rest else None
        return UpdateResult(contact=after, changes=changes, meanwhile=meanwhile, left=left)


def check_clear_bounce(service: Service, id: str, channel: Channel, actor: Actor) -> None:
    """Raises `NotAllowed` where this person may not clear the bounce, before anybody fills a form
    in."""
    authorize(actor, Action.EDIT)
    with service.store.reading() as records:
        contact = present(records.contacts, id)
        key = contact.key(channel)
        if key and records.addresses.get(key).complaint:
            authorize(actor, Action.CLEAR_COMPLAINT)


def _carry_out(
    times: ReaderTimes, recorder: Recorder, contact: Contact, wish: StatusUpdate, actor: Actor
) -> Iterator[StatusChange]:
    for channel in Channel:
        wanted = wish.on(channel)
        if wanted is None:
            continue
        done = _set(times, recorder, contact, channel, wanted, wish)
        if done:
            contact, made = done
            yield made
    for channel in sorted(wish.clear_bounce):
        made_clear = _clear_bounce(recorder, contact, channel, wish, actor)
        if made_clear:
            yield made_clear
            contact = _again(recorder, contact)
    if wish.do_not_contact is not None and wish.do_not_contact != contact.do_not_contact:
        yield _do_not_contact(recorder, contact, wish, actor)
        contact = _again(recorder, contact)
    if wish.note and not blank(wish.note):
        recorder.record(contact, Noted(reason=wish.note.strip()))
        yield StatusChange(what="Note", channel=None, before="", after=wish.note.strip())


def _set(
    times: ReaderTimes,
    recorder: Recorder,
    contact: Contact,
    channel: Channel,
    wanted: ConsentValue,
    wish: StatusUpdate,
) -> tuple[Contact, StatusChange] | None:
    address = contact.address(channel)
    current = contact.consent(channel)
    if wanted is ConsentValue.UNSET:
        raise Invalid("Choose YES or NO.", field=f"{channel}_on")
    if address is None:
        noun = "phone number" if channel is Channel.SMS else "e-mail address"
        raise Invalid(f"There is no {noun} to set this for.", field=f"{channel}_on")
    by = rules.whose(wish.reason, wish.by)
    if wanted is ConsentValue.NO:
        return set_no(recorder, contact, channel, by, reason=wish.reason)
    evidence = _evidence(wish, recorder.now)
    if current.on is ConsentValue.YES and not (current.unproven and evidence):
        return None
    rules.check_yes(current, channel, evidence is not None, times.day)
    after = recorder.record(
        contact,
        ConsentChanged(
            by=by, before=current.on, after=wanted, reason=wish.reason, evidence=evidence
        ),
        address=address,
        channel=channel,
    )
    assert after is not None
    return after, StatusChange(
        what=f"{channel.word} On", channel=channel, before=current.on, after=wanted
    )


def set_no(
    recorder: Recorder,
    contact: Contact,
    channel: Channel,
    by: Origin,
    *,
    reason: str | None,
    occurred_at: datetime | None = None,
    evidence: Evidence | None = None,
) -> tuple[Contact, StatusChange] | None:
    """What the contact asked for reaches everybody with the address; what staff decides, this
    contact alone (rules.md §2). None where nobody's consent is another now."""
    current = contact.consent(channel)
    address = contact.address(channel)
    assert address is not None
    act = new_id(recorder.now)
    if current.on is ConsentValue.NO and current.by is Origin.STAFF is by:
        return None
    # Said again: a permission has to be newer than this, and an undo must not pass it. What a file
    # said stays the contact's, whatever staff decides of it.
    again = current.on is ConsentValue.NO and (
        current.by in (Origin.CONTACT, by) or by is Origin.STAFF
    )
    after = recorder.record(
        contact,
        ConsentChanged(
            again=again,
            by=by,
            before=current.on,
            after=ConsentValue.NO,
            reason=reason,
            evidence=evidence,
        ),
        id=act,
        address=address,
        channel=channel,
        occurred_at=occurred_at,
    )
    assert after is not None
    others: list[Contact] = []
    if by is not Origin.STAFF:
        others = refuse_at(
            recorder,
            address,
            channel,
            by=by,
            act=Act(of=contact.id, name=act),
            reason=reason,
            but=contact,
            occurred_at=occurred_at,
        )
    if again and not others:
        return None
    return after, StatusChange(
        what=f"{channel.word} On",
        channel=channel,
        before=current.on,
        after=ConsentValue.NO,
        undoable=current.on is ConsentValue.YES,
        also=tuple(other.name for other in others),
    )


def _evidence(wish: StatusUpdate, now: datetime) -> Evidence | None:
    if wish.evidence is None or blank(wish.evidence):
        return None
    if wish.evidence_at and wish.evidence_at > now:
        raise Invalid("The evidence can't be from the future.", field="evidence")
    return Evidence(text=wish.evidence.strip(), at=wish.evidence_at or now)


def _clear_bounce(
    recorder: Recorder, contact: Contact, channel: Channel, wish: StatusUpdate, actor: Actor
) -> StatusChange | None:
    address = contact.address(channel)
    facts = recorder.records.addresses.get(key_of(address)) if address else None
    if address is None or facts is None or facts.bounce is not Bounce.YES:
        return None
    if facts.complaint:
        authorize(actor, Action.CLEAR_COMPLAINT)
    if not wish.reason or blank(wish.reason):
        raise Invalid("Say why the bounce is cleared.", field="reason")
    cleared = BounceChanged(
        before=Bounce.YES,
        after=Bounce.PROBATION,
        reason=wish.reason,
        evidence=_evidence_that_it_works(wish, wish.reason, actor, recorder.now),
        by=Origin.STAFF,
    )
    recorder.record_for_holders(address, cleared, channel=channel)
    if channel is Channel.EMAIL:
        bounce_cleared(recorder, contact, facts.address)
    what = f"{channel.word} Bounce"
    return StatusChange(what=what, channel=channel, before=Bounce.YES, after=Bounce.PROBATION)


def _evidence_that_it_works(
    wish: StatusUpdate, reason: str, actor: Actor, now: datetime
) -> Evidence:
    """At the command line, the reason counts as the evidence where none is given."""
    evidence = _evidence(wish, now)
    if evidence is None and actor.source == "cli":
        evidence = Evidence(text=reason.strip(), at=now)
    if evidence is None:
        raise NeedsEvidence(
            "Say what shows that the address works: a call, a message from the contact, or the "
            "provider's answer, and when.",
            field="evidence",
        )
    return evidence


def _do_not_contact(
    recorder: Recorder, contact: Contact, wish: StatusUpdate, actor: Actor
) -> StatusChange:
    if not wish.do_not_contact:
        authorize(actor, Action.LIFT_DO_NOT_CONTACT)
    words = {True: "YES", False: "NO"}
    wanted = bool(wish.do_not_contact)
    recorder.record(
        contact,
        ContactChanged(
            after="changed",
            reason=wish.reason,
            changes={"do_not_contact": (contact.do_not_contact, wanted)},
        ),
    )
    return StatusChange(
        what="Do not contact",
        channel=None,
        before=words[contact.do_not_contact],
        after=words[wanted],
    )


def _again(recorder: Recorder, contact: Contact) -> Contact:
    again = recorder.records.contacts.get(contact.id)
    assert again is not None
    return again


def _newest_change(log: Log, contact: Contact) -> Entry | None:
    newest = log.entries(contact=contact.id, kinds=CHANGING, limit=1)
    return newest[0] if newest else None
