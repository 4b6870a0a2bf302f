"""Taking back what was recorded by mistake (rules.md §6): one's own slip, and what a manager finds
later. With it go its effects on the address and on everybody who has it.

What the contact did (a STOP, an unsubscribe, a complaint, a reply that somebody read) can't be
taken back by anybody.
"""

from __future__ import annotations

from datetime import datetime

from bot.consent import rules
from bot.consent.addresses import key_of
from bot.consent.errors import Changed, Invalid, Refused
from bot.consent.log.entries import (
    TAKES_BACK,
    UNDO_SLIP,
    Entry,
    EntryKind,
    act_of,
    covers,
    is_refusal,
    of,
)
from bot.consent.model import Actor, BlockState, Channel, ConsentValue, Contact, Origin
from bot.consent.parsing import blank
from bot.consent.permissions import Action, authorize
from bot.consent.records import Log
from bot.consent.store import Records
from bot.consent.use_cases.consent_history import was_erased
from bot.consent.use_cases.context import Service, present
from bot.consent.use_cases.record import Recorder
from bot.consent.use_cases.take_back_opt_outs import settle_all
from bot.consent.use_cases.update import StatusChange, UpdateResult

#: Entries of a contact in which the record is looked for, at most.
_MOST_ENTRIES = 500


def undo(service: Service, id: str, channel: Channel, actor: Actor) -> UpdateResult:
    """Takes back one's own YES to NO within 15 minutes. Raises `Refused`."""
    authorize(actor, Action.EDIT)
    now = service.now()
    with service.store.transaction() as records:
        contact = present(records.contacts, id)
        slip = _find_slip(records, contact, channel, actor, now)
        recorder = Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=now
        )
        return _take_back(
            service, recorder, contact, channel, act_of(slip), of(slip), reason=UNDO_SLIP
        )


def is_undoable(
    records: Records, contact: Contact, channel: Channel, actor: Actor, now: datetime
) -> bool:
    """Whether `undo` would take back this person's NO now."""
    try:
        authorize(actor, Action.EDIT)
        _find_slip(records, contact, channel, actor, now)
    except Refused:
        return False
    return True


def take_back(
    service: Service,
    id: str,
    channel: Channel,
    actor: Actor,
    *,
    reason: str,
    newest: int | None = None,
) -> UpdateResult:
    """A manager takes back the newest `no` that a person or a file recorded by mistake for this
    contact, whenever that was.

    Raises `NotAllowed`, `Invalid` without a reason, `Refused` where the contact said it, and
    `Changed` where the log of the contact has gone on since it was shown (`newest` is the `seq` of
    the newest entry then): submitted twice, it must not take back an older record, too.
    """
    authorize(actor, Action.TAKE_BACK)
    if blank(reason):
        raise Invalid("Say why this was a mistake.", field="reason")
    with service.store.transaction() as records:
        contact = present(records.contacts, id)
        if newest is not None and newest != _newest(records.log, contact):
            raise Changed("This contact changed meanwhile. Look at it again.")
        if contact.consent(channel).on is not ConsentValue.NO:
            raise Refused(f"{channel.word} On is not NO, so there is nothing to take back.")
        left = _recorded(records, contact, channel)
        found = next((one for one in left if not was_erased(records.contacts, one[1])), None)
        if found is None:
            raise Refused(
                _ERASED
                if left
                else "The contact said this, so it can't be taken back. A re-opt-in brings it back."
            )
        recorder = Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=service.now()
        )
        said = f"Recorded by mistake: {reason.strip()}"
        return _take_back(service, recorder, contact, channel, *found, reason=said)


_ERASED = (
    "This was recorded of a contact who was erased, so nobody can say any more that it was a "
    "mistake. A re-opt-in brings it back."
)


def _find_slip(
    records: Records, contact: Contact, channel: Channel, actor: Actor, now: datetime
) -> Entry:
    """The entry of this person's own YES to NO that may still be undone. Raises `Refused`."""
    entries = _told(records.log, contact, channel)
    slip = next((entry for entry in entries if entry.kind is EntryKind.CONSENT), None)
    if slip is None:
        raise Refused("There is nothing to undo: the address has changed since.")
    rules.check_undo(
        before=slip.before,
        after=slip.after,
        actor=slip.actor,
        by=actor,
        recorded_at=slip.recorded_at,
        now=now,
    )
    act = act_of(slip)
    if not act:
        raise Refused("The contact said this, so it can't be undone.")
    if was_erased(records.contacts, of(slip)):
        raise Refused(_ERASED)
    blocked = records.log.entries(
        contact=contact.id, kinds=(EntryKind.BLOCK,), channel=channel, limit=50
    )
    since = [e for e in (*entries, *blocked) if e.seq > slip.seq and act_of(e) != act]
    if any(is_refusal(e) or _blocks(e) for e in since):
        raise Refused("The contact has refused since, so this can't be undone.")
    return slip


def _recorded(records: Records, contact: Contact, channel: Channel) -> list[tuple[str, str]]:
    """What people and files recorded, and makes the contact's `no` at the present address, the
    newest first: each act, and of whom it was recorded."""
    told = _told(records.log, contact, channel)
    gone = {str(back[1]) for e in told if (back := (e.changes or {}).get(TAKES_BACK))}
    said = [
        (act_of(e), of(e))
        for e in told
        if e.after == ConsentValue.NO and TAKES_BACK not in (e.changes or {})
    ]
    # A contact who came later has an entry of the newest alone.
    known = records.addresses.get(contact.key(channel) or "").refusals
    said += [(refusal.act, refusal.of) for refusal in reversed(known)]
    return [(act, of) for act, of in said if act and not any(covers(g, act) for g in gone)]


def _blocks(entry: Entry) -> bool:
    return entry.by is Origin.CONTACT and entry.after == BlockState.BLOCKED


def _newest(log: Log, contact: Contact) -> int:
    return max((entry.seq for entry in log.entries(contact=contact.id, limit=1)), default=0)


def _told(log: Log, contact: Contact, channel: Channel) -> list[Entry]:
    """The entries about the present address, the newest first."""
    key = contact.key(channel)
    entries = log.entries(
        contact=contact.id,
        kinds=(EntryKind.CONSENT, EntryKind.NOTE),
        channel=channel,
        limit=_MOST_ENTRIES,
    )
    return [entry for entry in entries if entry.address and key_of(entry.address) == key]


def _take_back(
    service: Service,
    recorder: Recorder,
    contact: Contact,
    channel: Channel,
    act: str,
    whose: str,
    *,
    reason: str,
) -> UpdateResult:
    before = contact.consent(channel).on
    also = settle_all(service, recorder, contact.id, channel, act, reason=reason, whose=whose)
    after = present(recorder.records.contacts, contact.id)
    now = after.consent(channel).on
    done = StatusChange(
        what=f"{channel.word} On",
        channel=channel,
        before=before,
        after=now,
        also=tuple(c.name for c in also),
    )
    return UpdateResult(contact=after, changes=(done,) if now is not before or also else ())
