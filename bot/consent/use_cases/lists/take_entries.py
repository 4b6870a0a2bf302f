"""Entries that stand on a provider's list and not in Optin: taken in as the provider's event would
be (rules.md §4). A list is no permission: nothing here says YES."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.consent.addresses import key_of
from bot.consent.alerts import AlertKind
from bot.consent.events import Event, EventKind
from bot.consent.log.changes import BlockChanged, BounceChanged, ConsentChanged
from bot.consent.model import (
    AddressFacts,
    BlockState,
    Bounce,
    Channel,
    ConsentValue,
    Origin,
)
from bot.consent.store import Records
from bot.consent.suppressions import Cause, ListedAddress, Listing, why
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.ingest.event_context import EventContext
from bot.consent.use_cases.lists.entry_fates import (
    THEIRS,
    Fate,
    TakenEntry,
    is_added_by_optin,
    judge_entry,
    yes_stays,
)
from bot.consent.use_cases.record import Recorder
from bot.consent.write_backs import WriteBack

_CONTACT = "contact"


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
        if not is_added_by_optin(service, records, write.key, entry):
            holders = records.contacts.at(write.key)
            stays = tuple(h.id for h in holders if yes_stays(records, h, write.key, entry.since))
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
