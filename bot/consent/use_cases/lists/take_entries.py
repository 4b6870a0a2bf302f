"""Entries that stand on a provider's list and not in Optin: taken in as the provider's event would
be (rules.md §4). A list is no permission: nothing here says YES."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.consent.addresses import key_of
from bot.consent.alerts import AlertKind
from bot.consent.cases import RE_OPT_IN, CaseState
from bot.consent.events import Event, EventKind
from bot.consent.log.changes import BlockChanged, BounceChanged, ConsentChanged
from bot.consent.model import (
    AddressFacts,
    Block,
    BlockState,
    Bounce,
    Channel,
    Consent,
    ConsentValue,
    Contact,
    Origin,
)
from bot.consent.store import Records
from bot.consent.suppressions import Cause, ListedAddress, Listing, why
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.ingest.event_context import EventContext
from bot.consent.use_cases.lists.judge_entries import shows_own_add
from bot.consent.use_cases.record import Recorder
from bot.consent.write_backs import OPEN, SKEW, WriteAction, WriteBack

_CONTACT = "contact"
#: The contact's own doing.
THEIRS = frozenset({Cause.UNSUBSCRIBE, Cause.COMPLAINT})


class Fate(StrEnum):
    """What a read finds of one entry."""

    #: Optin knows it, put it there, or is taking it off.
    ON_BOTH = "on_both"
    #: Only the provider has it.
    ONLY_THEIRS = "only_theirs"
    #: The same, and a YES stays: it is newer, or rests on a completed case.
    BUT_YES = "but_yes"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenEntry:
    """One entry, and whom a person has to look at."""

    fate: Fate
    cause: Cause
    #: Ids of contacts whose YES stays.
    contacts: tuple[str, ...] = ()


def judge_entry(
    service: Service, records: Records, entry: ListedAddress, began: datetime
) -> TakenEntry:
    """What a read that began then finds of the entry. Changes nothing."""
    key, name = key_of(entry.address), entry.listing.name
    block = records.addresses.get(key).blocks.get(name)
    holders = None
    if block is None:
        holders = records.contacts.at(key)
        if not holders:
            block = records.addresses.get(service.hashed(key)).blocks.get(name)
    known = block is not None and (block.state is BlockState.BLOCKED or block.leaving)
    on_both = TakenEntry(fate=Fate.ON_BOTH, cause=entry.listing.cause)
    if known and not (block and _is_later_refusal(block, entry)):
        return on_both
    if _is_ours(service, records, key, entry, began):
        return on_both
    stays: tuple[str, ...] = ()
    if entry.listing.cause in THEIRS:
        found = records.contacts.at(key) if holders is None else holders
        stays = tuple(h.id for h in found if _stays(records, h, key, entry.since))
        if known and all(h.id in stays or not _says_yes(h, key) for h in found):
            return on_both
    fate = Fate.BUT_YES if stays else Fate.ONLY_THEIRS
    return TakenEntry(fate=fate, cause=entry.listing.cause, contacts=stays)


def take_entry(
    service: Service, records: Records, entry: ListedAddress, now: datetime, began: datetime
) -> TakenEntry:
    """Takes the entry in, where it is news. `began` as in `judge_entry`."""
    judged = judge_entry(service, records, entry, began)
    if judged.fate is not Fate.ON_BOTH:
        _take(service, records, entry, now, judged.contacts)
    return judged


def take_newer(recorder: Recorder, write: WriteBack, entries: Iterable[ListedAddress]) -> None:
    """Takes in what a look at an address showed in place of what was to be taken off. What Optin
    added meanwhile is nobody's act."""
    service, records = recorder.service, recorder.records
    for entry in _of(write, entries):
        if not _is_own_add(service, records, write.key, entry):
            holders = records.contacts.at(write.key)
            stays = tuple(h.id for h in holders if _stays(records, h, write.key, entry.since))
            _take(service, records, entry, recorder.now, stays)


def take_rest(
    recorder: Recorder, write: WriteBack, entries: Iterable[ListedAddress], asked: datetime
) -> None:
    """Takes in what a look at an address showed besides, as far as Optin does not know it. The
    provider was asked at this time, or later."""
    for entry in _of(write, entries):
        take_entry(recorder.service, recorder.records, entry, recorder.now, asked)


def _of(write: WriteBack, entries: Iterable[ListedAddress]) -> list[ListedAddress]:
    return [
        entry
        for entry in entries
        if entry.listing.provider == write.provider and key_of(entry.address) == write.key
    ]


def _is_own_add(service: Service, records: Records, key: str, entry: ListedAddress) -> bool:
    provider = entry.listing.provider
    own = records.write_backs.get(f"{Listing(provider=provider, cause=Cause.OURS).name}:{key}")
    return shows_own_add(own, entry, service.providers.added_as(provider))


def _is_later_refusal(block: Block, entry: ListedAddress) -> bool:
    """Whether the contact refused again after the entry that Optin knows."""
    since = entry.since
    return entry.listing.cause in THEIRS and since is not None and since > block.since + SKEW


def _says_yes(holder: Contact, key: str) -> bool:
    consent = holder.consents.get(key)
    return consent is not None and consent.on is ConsentValue.YES


def _is_ours(
    service: Service, records: Records, key: str, entry: ListedAddress, began: datetime
) -> bool:
    """Whether Optin put the entry there, or takes it off: then it is no news."""
    if _is_own_add(service, records, key, entry):
        return True
    write = records.write_backs.get(f"{entry.listing.name}:{key}")
    if write is not None and write.action is WriteAction.REMOVE:
        newer = entry.since is not None and entry.since > write.wished_at
        if not newer and (
            write.state in OPEN or (write.removed_at is not None and write.removed_at >= began)
        ):
            return True
    # It went while the list was read.
    lifted = records.addresses.get(key).cleared.get(entry.listing.name)
    return lifted is not None and lifted >= began and (entry.since or lifted) <= lifted


def _take(
    service: Service,
    records: Records,
    entry: ListedAddress,
    now: datetime,
    stays: tuple[str, ...],
) -> None:
    listing = entry.listing
    label = service.providers.label(listing.provider)
    event = Event(
        provider=listing.provider,
        id=f"list:{listing.name}",
        kind=EventKind.UNSUBSCRIBED,
        channel=Channel.EMAIL,
        address=entry.address,
        occurred_at=entry.since,
        scope=listing.scope or None,
        meaning=f"On {label}'s suppression list: {why(listing)}.",
    )
    taking = EventContext(service, records, event, now, None)
    _forget_unknown(taking, listing)
    _put_down(taking, entry)
    match listing.cause:
        case Cause.UNSUBSCRIBE | Cause.COMPLAINT:
            _refuse(taking, listing, stays)
            if listing.cause is Cause.COMPLAINT and not stays:
                _complain(taking)
        case Cause.BOUNCE if _is_news(taking.facts, taking.at):
            taking.record_on_each(
                BounceChanged(
                    before=taking.facts.bounce,
                    after=Bounce.YES,
                    reason=entry.reason or f"On {label}'s bounce list",
                )
            )
        case Cause.OURS:
            _switch_off(taking)


def _put_down(taking: EventContext, entry: ListedAddress) -> None:
    """The block of the entry. Whatever Optin heard of it before: the list shows it."""
    name = entry.listing.name
    facts = taking.facts
    before, since = facts.block(name)
    at = taking.at
    if before is BlockState.NONE and since is not None and since >= at:
        at = taking.now
    taking.record_on_each(
        BlockChanged(
            sender=name,
            before=before,
            after=BlockState.BLOCKED,
            by=Origin.CONTACT if entry.listing.cause in THEIRS else None,
            reason=entry.reason or "Read from the list",
        ),
        at=at,
    )


def _forget_unknown(taking: EventContext, listing: Listing) -> None:
    """The list says now what an entry is of which nobody knew why it stood there."""
    name = Listing(provider=listing.provider).name
    block = taking.facts.blocks.get(name)
    if block is not None and listing.cause is not Cause.UNKNOWN:
        taking.record_on_each(
            BlockChanged(
                sender=name,
                before=block.state,
                after=BlockState.NONE,
                reason=f"The list says why: {why(listing)}",
            ),
            at=taking.now,
        )


def _refuse(taking: EventContext, listing: Listing, stays: tuple[str, ...]) -> None:
    """NO by the contact, for everybody with the address but those whose YES stays."""
    scope = f" from {listing.scope}" if listing.scope else ""
    reason = f"Unsubscribed{scope}"
    if listing.cause is Cause.COMPLAINT:
        reason = "Reported our e-mail as spam"
    lasting = any(not r.act and r.since >= taking.at for r in taking.facts.refusals)
    drifted = False
    for holder, consent in taking.consents():
        if holder is not None and holder.id in stays:
            continue
        again = consent.on is ConsentValue.NO and consent.by is Origin.CONTACT
        if again and lasting:
            continue
        drifted = drifted or (holder is not None and consent.on is ConsentValue.YES)
        taking.record(
            holder,
            ConsentChanged(
                again=again,
                by=Origin.CONTACT,
                before=consent.on,
                after=ConsentValue.NO,
                reason=reason,
            ),
            actor=_CONTACT,
        )
    if drifted:
        taking.tell(AlertKind.DRIFT)


def _complain(taking: EventContext) -> None:
    facts = taking.facts
    if not facts.complaint and _is_news(facts, taking.at):
        taking.record_on_each(
            BounceChanged(
                before=facts.bounce, after=Bounce.YES, by=Origin.CONTACT, reason="Reported as spam"
            ),
            actor=_CONTACT,
        )


def _switch_off(taking: EventContext) -> None:
    """Our own side put it there: staff's `no`."""
    for holder, consent in taking.consents():
        if holder is None or consent.on is ConsentValue.NO:
            continue
        taking.record(
            holder,
            ConsentChanged(
                by=Origin.STAFF,
                before=consent.on,
                after=ConsentValue.NO,
                reason="Suppressed by our own side at the provider",
            ),
        )


def _is_news(facts: AddressFacts, at: datetime) -> bool:
    """Whether a bounce of this time counts: no delivery and no person has cleared a later one."""
    if facts.deliverability.bounce is Bounce.YES:
        return False
    cleared = facts.bounced_at if facts.bounce is Bounce.PROBATION else None
    return all(known is None or known < at for known in (facts.proved_at, cleared))


def _stays(records: Records, holder: Contact, key: str, since: datetime | None) -> bool:
    """Whether a YES outweighs an entry of this time."""
    consent = holder.consents.get(key)
    if consent is None or consent.on is not ConsentValue.YES or since is None:
        return False
    return _is_newer(consent, since) or _came_back(records, holder, key, since)


def _is_newer(consent: Consent, since: datetime) -> bool:
    return consent.since is not None and consent.since > since


def _came_back(records: Records, holder: Contact, key: str, since: datetime) -> bool:
    """Whether a case that completed later knew of it, or could have."""
    consent = holder.consents[key]
    if not (consent.reason or "").startswith(RE_OPT_IN):
        return False
    ended = [
        case.ended_at
        for case in records.cases.of(holder.id)
        if case.state is CaseState.COMPLETED and key_of(case.address) == key and case.ended_at
    ]
    return any(end >= since for end in ended)
