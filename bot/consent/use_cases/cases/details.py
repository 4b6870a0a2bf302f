"""A case with everything that somebody has to know to decide it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.consent.addresses import key_of
from bot.consent.alerts import AlertKind
from bot.consent.cases import Case, CaseState
from bot.consent.errors import NotFound
from bot.consent.frozen import replace
from bot.consent.gates import THINGS
from bot.consent.known_providers import KnownProviders
from bot.consent.model import Actor, AddressFacts, Channel, Consent, ConsentValue, Contact, Origin
from bot.consent.permissions import Action, authorize
from bot.consent.records import Contacts
from bot.consent.rules import Decision, decide
from bot.consent.storage_behind import behind_of
from bot.consent.store import Records
from bot.consent.use_cases.cases.requirements import missing_keys
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.known_senders import senders_of
from bot.consent.use_cases.lists.held_up import held_up, without_removals

#: Who refused so lately may not have changed their mind.
_LATELY = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDetails:
    """A case, its contact, and what approval leads to."""

    case: Case
    #: None where an import that had brought the contact was undone.
    contact: Contact | None
    #: The decision as things stand; None without a contact.
    now: Decision | None
    #: What the same rules say once SMS On or Email On is YES.
    then: Decision | None
    #: Numbers of ours that the contact has to text UNSTOP to.
    missing: Sequence[str]
    #: What the contact texts to each of these.
    unblock_words: Mapping[str, str]
    #: What providers are called.
    providers: KnownProviders
    #: What should make a manager think twice, in sentences.
    warnings: Sequence[str] = ()
    #: Whether managers may approve their own requests (`OPTIN_SELF_APPROVE`).
    self_approve: bool = False
    #: Whether a channel or a manager has a message with the request.
    posted: bool = False


def case_details(service: Service, id: str, actor: Actor) -> CaseDetails:
    """Raises `NotFound`."""
    authorize(actor, Action.LOOK)
    found = find_case_details(service, id)
    if found is None:
        raise NotFound("There is no such request.")
    return found


def find_case_details(service: Service, id: str) -> CaseDetails | None:
    """For the messages about a case, which Optin posts for nobody in particular."""
    with service.store.reading() as records:
        case = records.cases.get(id)
        return details_of(service, records, case) if case else None


def find_case(service: Service, id: str) -> Case:
    """Raises `NotFound`."""
    with service.store.reading() as records:
        case = records.cases.get(id)
    if case is None:
        raise NotFound("There is no such request.")
    return case


def all_case_details(
    service: Service, actor: Actor, *, after: Case | None = None, limit: int = 10
) -> Sequence[CaseDetails]:
    """Those that are open, the oldest first."""
    authorize(actor, Action.LOOK)
    with service.store.reading() as records:
        cases = records.cases.all_open(after=after, limit=limit)
        return [details_of(service, records, case) for case in cases]


def details_of(service: Service, records: Records, case: Case) -> CaseDetails:
    """The case as it stands in these records."""
    contact = records.contacts.get(case.contact)
    key = key_of(case.address)
    facts = records.addresses.get(key) if key else AddressFacts(address="")
    senders = senders_of(service, records.key_value, facts)
    if contact is None or contact.erased:
        return CaseDetails(
            case=case,
            contact=None,
            now=None,
            then=None,
            missing=(),
            unblock_words={},
            providers=service.providers,
            self_approve=service.self_approve,
            posted=_is_posted(records, case),
        )
    names = missing_keys(facts, case.channel, senders)
    words = {senders.shown(name, facts.blocks[name]): senders.unblock_word(name) for name in names}
    agreed = Consent(
        on=ConsentValue.YES, by=Origin.CONTACT, since=case.evidence.at, evidence=case.evidence
    )
    behind = behind_of(service.heads, records.key_value)
    if any(block.leaving for block in facts.blocks.values()):
        facts = without_removals(facts, held_up(service, records, key))
    consenting = replace(contact, consents={**contact.consents, key: agreed})
    return CaseDetails(
        case=case,
        contact=contact,
        now=decide(contact, facts, case.channel, senders.default, senders, behind),
        then=decide(consenting, facts, case.channel, senders.default, senders, behind),
        missing=tuple(words),
        unblock_words=words,
        providers=service.providers,
        warnings=tuple(_warnings(service, records.contacts, case, contact, facts)),
        self_approve=service.self_approve,
        posted=_is_posted(records, case),
    )


def completed_by_another(service: Service, id: str, channel: Channel, actor: Actor) -> Case | None:
    """The latest case by which another contact with the same address opted in again, as long as
    that contact's YES stands: whoever asks for a second record sees it (rules.md §2)."""
    authorize(actor, Action.LOOK)
    with service.store.reading() as records:
        contact = records.contacts.get(id)
        key = contact.key(channel) if contact else None
        if key is None:
            return None
        others = [
            holder
            for holder in records.contacts.at(key)
            if holder.id != id and holder.consent(channel).on is ConsentValue.YES
        ]
        done = [
            case
            for other in others
            for case in records.cases.of(other.id)
            if case.state is CaseState.COMPLETED
            and case.channel is channel
            and key_of(case.address) == key
        ]
    return max(done, key=lambda case: case.ended_at or case.requested_at, default=None)


def _is_posted(records: Records, case: Case) -> bool:
    copies = map(records.outbox.get, case.copies)
    return any(copy is not None and copy.kind is AlertKind.CASE for copy in copies)


def _warnings(
    service: Service, contacts: Contacts, case: Case, contact: Contact, facts: AddressFacts
) -> Iterator[str]:
    things = THINGS[case.channel]
    if facts.complaint:
        yield "The contact reported our e-mail as spam."
    if case.refused_at is not None and service.now() - case.refused_at <= _LATELY:
        day = service.times.day(case.refused_at)
        yield f"The contact opted out of {things} recently, on {day}."
    others = [h for h in contacts.at(key_of(case.address)) if h.id != contact.id]
    if others:
        thing = "number" if case.channel is Channel.SMS else "address"
        have = "Another contact has" if len(others) == 1 else f"{len(others)} other contacts have"
        refused = sum(h.consent(case.channel).on is ConsentValue.NO for h in others)
        stay = ""
        if refused:
            of_them = f"{refused} of them stay" if refused > 1 else "1 of them stays"
            stay = f", and {of_them if len(others) > 1 else 'stays'} at NO"
        yield (
            f"{have} this {thing}{stay}. Approval counts for this contact alone, but whoever "
            f"holds the {thing} gets the {things}."
        )
    if facts.hold is not None:
        yield "A reply that may be an opt-out still waits for somebody to read it."
    if contact.do_not_contact:
        yield "The contact is marked Do not contact: nothing is sent in any case."
