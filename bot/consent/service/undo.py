"""Taking one's own slip back, and putting a consent back to what it was."""

from __future__ import annotations

from bot.consent import rules
from bot.consent.activity import Entry, Kind
from bot.consent.authority import Action, authorize
from bot.consent.errors import Refused
from bot.consent.model import UNSET, Actor, By, Channel, Consent, Contact, On
from bot.consent.service.record import Recorder, history
from bot.consent.service.service import Service, present
from bot.consent.service.wish import Change, Outcome
from bot.consent.store import Records


def undo(service: Service, id: str, channel: Channel, actor: Actor) -> Outcome:
    """Takes back one's own YES to NO within 15 minutes (rules.md §6). Raises `Refused`."""
    authorize(actor, Action.EDIT)
    now = service.now()
    with service.store.transaction() as records:
        contact = present(records, id)
        address = contact.address(channel)
        entries = records.entries(contact=id, channel=channel, limit=200)
        slip = next((e for e in entries if e.kind is Kind.CONSENT), None)
        if slip is None or slip.address != address:
            raise Refused("There is nothing to undo: the address has changed since.")
        rules.check_undo(
            before=slip.before,
            after=slip.after,
            actor=slip.actor,
            by=actor,
            recorded_at=slip.recorded_at,
            now=now,
        )
        if any(e.seq > slip.seq and e.by in (By.CONTACT, By.IMPORT) for e in entries):
            raise Refused("The contact has refused since, so this can't be undone.")
        recorder = Recorder(records=records, actor=actor.id, source=actor.source, now=now)
        after = restore(recorder, contact, channel, slip, reason="Undo of one's own change")
        what = f"{channel.word} On"
        done = Change(what=what, channel=channel, before=slip.after, after=slip.before)
        return Outcome(contact=after, changes=(done,))


def restore(
    recorder: Recorder, contact: Contact, channel: Channel, entry: Entry, *, reason: str
) -> Contact:
    """Puts the consent back to what it was before `entry`, evidence and all."""
    assert entry.address is not None
    was = _consent_before(recorder.records, entry)
    # It is as old as it was: a refusal that is told late must not find it newer than itself.
    changed = recorder.record(
        Kind.CONSENT,
        contact,
        address=entry.address,
        channel=channel,
        by=was.by,
        before=contact.consents.get(entry.address, UNSET).on,
        after=was.on,
        reason=reason,
        evidence=was.evidence,
        occurred_at=was.since,
    )
    assert changed is not None
    return changed


def _consent_before(records: Records, entry: Entry) -> Consent:
    """Reads the log back to the entry that made what `entry` changed."""
    assert entry.contact is not None
    for older in history(records, entry.contact, before=entry.seq):
        if older.kind is Kind.CONSENT and older.address == entry.address:
            if older.after == On.UNSET:
                break
            return Consent(
                on=On(older.after), by=older.by, since=older.occurred_at, evidence=older.evidence
            )
    return UNSET
