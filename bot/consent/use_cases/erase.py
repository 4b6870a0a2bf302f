"""Erasure: the person goes, the fact of a refusal stays as a keyed hash (rules.md §8.15)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.consent.addresses import key_of
from bot.consent.frozen import replace
from bot.consent.log.changes import Act, ContactErased
from bot.consent.log.entries import MERGED, Entry
from bot.consent.model import Actor, Contact, Origin
from bot.consent.permissions import Action, authorize
from bot.consent.records import Contacts, Log, WriteBacks
from bot.consent.use_cases.address_opt_outs import refuse_at
from bot.consent.use_cases.alerts.reviews import erase_reviews
from bot.consent.use_cases.cases.erase_cases import erase_cases
from bot.consent.use_cases.context import Service, present
from bot.consent.use_cases.idempotency import erase_answers
from bot.consent.use_cases.kept_refusals import (
    OthersEntries,
    address_channel,
    keep_refusals,
    leave_refusals,
)
from bot.consent.use_cases.record import Recorder, history
from bot.consent.use_cases.stated.pending_consents import erase_pending


def erase(service: Service, id: str, actor: Actor) -> Contact:
    """Erases name, addresses and the personal part of the contact's log entries, for good.

    Reads the whole log once: what it still tells of these addresses is what stays known of them.
    That takes a minute where there are millions of entries, so others write meanwhile.
    """
    authorize(actor, Action.ERASE)
    with service.store.reading() as records:
        contact = present(records.contacts, id)
        known, _ = records.log.head()
        merged = _merged(records.log, contact)
        told = OthersEntries(_keys(records.log, contact, merged), {id, *merged})
        told.fold(records.log.all())
    with service.store.transaction() as records:
        contact = present(records.contacts, id)
        recorder = Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=service.now()
        )
        merged = _merged(records.log, contact)
        keys = _keys(records.log, contact, merged)
        _refuse_others(recorder, contact)
        if told.facts.keys() >= set(keys):
            told.fold(reversed(list(_since(records.log, known))))
        else:  # they were changed in this very minute
            told = OthersEntries(keys, {id, *merged})
            told.fold(records.log.all())
        gone = {id, *merged}
        for key in told.facts:
            keep_refusals(service, recorder, contact, key, gone)
            leave_refusals(service, recorder, contact, told, key, gone)
        for external_id in _external_ids(records.log, contact):
            records.events.remember(erased_id(service, external_id))
        alone = (key for key in told.facts if _alone(records.contacts, key, id))
        _drop_writes(records.write_backs, alone)
        erase_cases(recorder, contact)
        erase_pending(records.key_value, gone)
        erase_answers(records.key_value, gone)
        for one in (id, *merged):
            erase_reviews(records, one)
            # What is redacted tells the fold nothing more, so this comes before the last entry.
            records.log.redact(one)
        for one in merged:
            recorder.record(None, ContactErased(), creates=one)
        erased = recorder.record(contact, ContactErased())
        assert erased is not None
        return erased


def erased_id(service: Service, external_id: str) -> str:
    """Remembered for whoever had this external id and was erased: their unsubscribe links still
    name it, and are answered as before."""
    return f"erased:{service.hashed(external_id)}"


def _drop_writes(writes: WriteBacks, keys: Iterable[str]) -> None:
    """Drops the writes to the providers' lists, done ones too: each holds the address in the clear.

    Nobody writes them later. An opt-out that Optin has not added yet is kept as a hash, from which
    no address can be read; an entry that Optin has not taken off yet goes on suppressing messages,
    which is the safe side.
    """
    for key in keys:
        for write in writes.of(key):
            writes.remove(write.id)


def _alone(contacts: Contacts, key: str, id: str) -> bool:
    """Whether nobody else has the address: what is written of it is then only this contact's."""
    return all(holder.id == id for holder in contacts.at(key))


def _external_ids(log: Log, contact: Contact) -> list[str]:
    """Former ones, too."""
    ids = {contact.external_id: None}
    for entry in history(log, contact.id):
        ids |= {str(id): None for id in (entry.changes or {}).get("external_id", ()) if id}
    return [id for id in ids if id]


def _refuse_others(recorder: Recorder, contact: Contact) -> None:
    """Do not contact outlives the contact as an opt-out: whoever else has the address may be the
    same person under another name."""
    for key in contact.keys if contact.do_not_contact else ():
        refuse_at(
            replace(recorder, actor="system"),
            key,
            address_channel(key),
            by=Origin.CONTACT,
            but=contact,
            reason="Marked Do not contact before an erasure",
            act=Act(of=None, name=""),
        )


def _merged(log: Log, contact: Contact) -> list[str]:
    """The contacts that became one with this one: their part of the log goes, too."""
    told = [(entry.changes or {}).get(MERGED) for entry in history(log, contact.id)]
    return [str(pair[0]) for pair in told if pair]


def _keys(log: Log, contact: Contact, merged: Iterable[str]) -> list[str]:
    """Of all addresses, former ones and those of the `merged` contacts, too."""
    keys = dict.fromkeys((*contact.keys, *contact.consents))
    for id in (contact.id, *merged):
        for entry in history(log, id):
            before_and_after = [(entry.changes or {}).get(field, ()) for field in _ADDRESSES]
            for text in (entry.address, *(text for pair in before_and_after for text in pair)):
                if isinstance(text, str) and text:
                    keys[key_of(text)] = None
    return list(keys)


_ADDRESSES = ("phone", "email")


def _since(log: Log, known: int) -> Iterator[Entry]:
    """The entries behind the one with this `seq`, newest first."""
    before: int | None = None
    while page := log.entries(before=before, limit=100):
        for entry in page:
            if entry.seq <= known:
                return
            yield entry
        before = page[-1].seq
