"""Looking a contact up: by what people type, and everything that the card shows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bot.consent.addresses import key_of
from bot.consent.cases import Case, CaseState
from bot.consent.errors import Invalid, NotFound
from bot.consent.gates import Gate
from bot.consent.log.entries import Entry, EntryKind, last_that_matters
from bot.consent.model import Actor, AddressFacts, Channel, ConsentValue, Contact
from bot.consent.parsing import looks_like_phone, read_phone, visible
from bot.consent.permissions import Action, authorize, may
from bot.consent.records import Contacts, Log
from bot.consent.rules import Decision, decide
from bot.consent.senders import Senders
from bot.consent.storage_behind import StorageBehind, behind_of
from bot.consent.store import Expected, Records
from bot.consent.use_cases.contact_profile import Found, Profile
from bot.consent.use_cases.context import LookUp, Service
from bot.consent.use_cases.known_senders import MARK, senders_of
from bot.consent.use_cases.lists.held_up import held_up, without_removals
from bot.consent.use_cases.near_matches import similar_contacts
from bot.consent.use_cases.undo import is_undoable
from bot.consent.use_cases.unheld_addresses import known_of
from bot.consent.vanity_numbers import vanity_number

#: Characters; what is longer is no phone, e-mail or name.
LONGEST_QUERY = 200
#: More hits than this are said as "more than 100".
MOST_HITS = 100
#: Digits; less is no part of a number that anybody looks for.
_FEWEST = 3
#: Newest entries that a look-up reads, to find the last one that matters: a STOP is followed by its
#: block and by the expected error.
_NEWEST = 4
#: Entries behind these that it reads once more, when all of these changed nothing.
_FURTHER = 100
#: Names of others with the same address, at most.
MOST_NAMES = 5
#: How an address begins that was copied out of a link, or out of a provider's log.
_SCHEME = re.compile("(?:tel|sms|rcs|whatsapp|mailto):(?=.*[0-9@])", re.IGNORECASE)


def others_gates(profile: Profile, other: Decision) -> tuple[Gate, ...]:
    """What holds another sender back and not the headline's: its own blocks."""
    told = {(gate.code, gate.sender) for gate in profile.decisions[other.channel].gates}
    return tuple(gate for gate in other.gates if (gate.code, gate.sender) not in told)


def find(service: Service, text: str, actor: Actor, *, skip: int = 0, limit: int = 10) -> Found:
    """Looks up a phone number, mailbox, id or name, in the forms people type. `skip` and `limit`
    choose a page of the contacts that match."""
    authorize(actor, Action.LOOK)
    text = _plain(text)
    if len(text) > LONGEST_QUERY:
        raise Invalid(
            f"That is too long to be a name, number or address "
            f"({LONGEST_QUERY} characters at most)."
        )
    phone, email, problem = read_address(service, text)
    with service.store.reading() as records:
        records.expect(_asked_by(text, phone, email))
        hits = _hits(records.contacts, text, phone, email)
        latest = 1 if len(hits) == 1 else 0
        shown = hits[:MOST_HITS][skip : skip + limit]
        records.expect(_of_profiles(shown, latest))
        if latest:
            service.look_ups.append(LookUp(actor.id, hits[0].id))
        near: Sequence[Contact] = ()
        facts = None
        if not hits:
            address = phone or email
            facts = known_of(service, records.addresses, address) if address else None
            near = _similar(records.contacts, text, phone, email)
        return Found(
            contacts=[profile_of(service, records, hit, actor, latest=latest) for hit in shown],
            more=len(hits) > MOST_HITS,
            count=min(len(hits), MOST_HITS),
            near=[profile_of(service, records, contact, actor) for contact in near],
            phone=phone,
            email=email,
            facts=facts,
            problem=problem,
        )


def suggest(service: Service, text: str, actor: Actor, *, limit: int = 20) -> Sequence[Contact]:
    """The first contacts that fit what has been typed so far: exact ones, then similar ones."""
    authorize(actor, Action.LOOK)
    text = " ".join(visible(text).split())[:LONGEST_QUERY]
    phone, email, _ = read_address(service, text)
    with service.store.reading() as records:
        hits = _hits(records.contacts, text, phone, email) or _similar(
            records.contacts, text, phone, email
        )
        return hits[:limit]


def profile(service: Service, id: str, actor: Actor, *, latest: int = 3) -> Profile:
    """The contact as it is now. Raises `NotFound`."""
    authorize(actor, Action.LOOK)
    with service.store.reading() as records:
        records.expect(Expected(contacts=[id]))
        contact = records.contacts.get(id)
        if contact is None:
            raise NotFound
        records.expect(_of_profiles([contact], latest))
        return profile_of(service, records, contact, actor, latest=latest)


def profile_by_external_id(service: Service, external_id: str, actor: Actor) -> Profile | None:
    """The contact with this id in the company's own system, as it is now."""
    authorize(actor, Action.LOOK)
    with service.store.reading() as records:
        contact = records.contacts.by_external_id(external_id)
        if contact is None or contact.erased:
            return None
        return profile_of(service, records, contact, actor, latest=3)


def profile_of(
    service: Service,
    records: Records,
    contact: Contact,
    actor: Actor | None = None,
    *,
    latest: int = 0,
) -> Profile:
    """The contact's profile, as the `actor` sees it; without one, nothing in it is undoable."""
    keys = {channel: key for channel in Channel if (key := contact.key(channel))}
    facts = {channel: records.addresses.get(key) for channel, key in keys.items()}
    senders = senders_of(service, records.key_value, *facts.values())
    behind = behind_of(service.heads, records.key_value)
    others = {
        channel: [h.name for h in records.contacts.at(key) if h.id != contact.id]
        for channel, key in keys.items()
    }
    cases = {
        channel: case
        for channel in facts
        if (case := records.cases.open_for(contact.id, channel)) is not None
    }
    held = _held_up(service, records, facts.get(Channel.EMAIL)) if actor else {}
    decided = facts
    if held:
        decided = {**facts, Channel.EMAIL: without_removals(facts[Channel.EMAIL], held)}
    newest = records.log.entries(contact=contact.id, limit=max(latest, _NEWEST)) if latest else []
    return Profile(
        contact=contact,
        facts=facts,
        senders=senders,
        decisions=decisions_of(contact, decided, senders, behind),
        by_sender=decisions_by_sender(contact, facts, senders, behind),
        shared={channel: len(names) for channel, names in others.items()},
        sharing={channel: names[:MOST_NAMES] for channel, names in others.items() if names},
        cases=cases,
        latest=newest[:latest],
        last=_last(records.log, newest),
        crm_page=service.crm.page(contact.external_id) if service.crm else None,
        held_up=held,
        viewer=actor,
        decidable=_decidable(service, cases, actor) if actor else frozenset(),
        undoable=_undoable(service, records, contact, actor) if actor else frozenset(),
    )


def decisions_of(
    contact: Contact,
    facts: Mapping[Channel, AddressFacts],
    senders: Senders,
    behind: StorageBehind | None,
) -> dict[Channel, Decision]:
    """The headline: each channel, for the default sender."""
    return {
        channel: decide(contact, facts.get(channel), channel, senders.default, senders, behind)
        for channel in Channel
    }


def decisions_by_sender(
    contact: Contact,
    facts: Mapping[Channel, AddressFacts],
    senders: Senders,
    behind: StorageBehind | None,
) -> dict[str, Decision]:
    """SMS for every other sender, by its id."""
    sms = facts.get(Channel.SMS)
    return {
        sender.id: decide(contact, sms, Channel.SMS, sender, senders, behind)
        for sender in senders.groups[1:]
    }


def _held_up(service: Service, records: Records, facts: AddressFacts | None) -> Mapping[str, str]:
    """Reads the writes to the providers' lists only where one of them has the address."""
    return held_up(service, records, facts.address) if facts and facts.blocks else {}


def _decidable(service: Service, cases: Mapping[Channel, Case], actor: Actor) -> frozenset[Channel]:
    if not may(actor, Action.DECIDE):
        return frozenset()
    return frozenset(
        channel
        for channel, case in cases.items()
        if case.state is CaseState.PENDING
        and (service.self_approve or case.requested_by != actor.id)
    )


def _undoable(
    service: Service, records: Records, contact: Contact, actor: Actor
) -> frozenset[Channel]:
    """Reads the log only where the present NO is this person's."""
    return frozenset(
        channel
        for channel in Channel
        if (consent := contact.consent(channel)).on is ConsentValue.NO
        and consent.actor == actor.id
        and is_undoable(records, contact, channel, actor, service.now())
    )


def _last(log: Log, newest: Sequence[Entry]) -> Entry | None:
    """The last entry that matters, which may lie behind the newest ones."""
    found = last_that_matters(newest)
    if found is not None or len(newest) < _NEWEST:
        return found
    oldest = newest[-1]
    kinds = frozenset(EntryKind) - {EntryKind.EXPECTED_ERROR}
    return last_that_matters(
        log.entries(contact=oldest.contact, kinds=kinds, before=oldest.seq, limit=_FURTHER)
    )


def read_address(service: Service, text: str) -> tuple[str | None, str | None, str | None]:
    """The phone number or the mailbox that the text is, and what is wrong where it looks like
    one and is none."""
    text = _plain(text)
    try:
        if "@" in text:
            return None, service.read_email(text), None
        if _too_short(text):
            raise Invalid("That is too short for a phone number.", field="phone")
        if looks_like_phone(text):
            return read_phone(text, service.region)[0], None, None
        if spelled := vanity_number(text, service.region):
            return read_phone(spelled, service.region)[0], None, None
    except Invalid as problem:
        return None, None, problem.sentence
    return None, None, None


def _plain(text: str) -> str:
    """Without what came along when it was copied: white space, signs that nobody sees, a link."""
    return _SCHEME.sub("", " ".join(visible(text).split()), count=1)


def _asked_by(text: str, phone: str | None, email: str | None) -> Expected:
    """What `_hits` looks up."""
    if email or (phone and not _has_letters(text)):
        return Expected(addresses=[key_of(phone or email or "")])
    if not text:
        return Expected()
    return Expected(
        addresses=[key_of(phone)] if phone else [],
        contacts=[text],
        external_ids=[text],
        search=None if _too_short(text) else (text, MOST_HITS + 1),
    )


def _of_profiles(contacts: Sequence[Contact], latest: int) -> Expected:
    """What the profiles of these contacts are made of; with the `latest` entries of one."""
    return Expected(
        addresses=list({key for contact in contacts for key in contact.keys}),
        contacts=[contact.id for contact in contacts],
        key_value=[MARK],
        newest_of=(contacts[0].id, max(latest, _NEWEST)) if latest and contacts else None,
    )


def _hits(contacts: Contacts, text: str, phone: str | None, email: str | None) -> list[Contact]:
    if not text:
        return []
    if email or (phone and not _has_letters(text)):
        return contacts.at(key_of(phone or email or ""))
    # A company may be called what its number spells.
    spelled = contacts.at(key_of(phone)) if phone else []
    if contact := contacts.get(text) or contacts.by_external_id(text):
        named = [contact]
    elif _too_short(text):  # it would fit every number with these digits
        named = []
    else:
        named = contacts.search(text, limit=MOST_HITS + 1)
    return list({contact.id: contact for contact in (*spelled, *named)}.values())


def _similar(
    contacts: Contacts, text: str, phone: str | None, email: str | None
) -> Sequence[Contact]:
    """Nearly that; a digit or two would be near to every number."""
    return [] if _too_short(text) else similar_contacts(contacts, text, phone, email)


def _too_short(text: str) -> bool:
    """Whether somebody meant a number, and typed a digit or two of it."""
    digits = sum(map(str.isdecimal, text))
    return (digits > 0 or text.startswith("+")) and digits < _FEWEST and not _has_letters(text)


def _has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))
