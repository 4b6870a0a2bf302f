"""What a read finds of an entry: whether Optin knows it, put it there, or has to take it in.

Changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.consent.addresses import key_of
from bot.consent.cases import RE_OPT_IN, CaseState
from bot.consent.model import (
    Block,
    BlockState,
    Consent,
    ConsentValue,
    Contact,
)
from bot.consent.store import Records
from bot.consent.suppressions import Cause, ListedAddress, Listing
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.lists.judge_entries import shows_own_add
from bot.consent.write_backs import OPEN, SKEW, WriteAction

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
        stays = tuple(h.id for h in found if yes_stays(records, h, key, entry.since))
        if known and all(h.id in stays or not _says_yes(h, key) for h in found):
            return on_both
    fate = Fate.BUT_YES if stays else Fate.ONLY_THEIRS
    return TakenEntry(fate=fate, cause=entry.listing.cause, contacts=stays)


def is_added_by_optin(service: Service, records: Records, key: str, entry: ListedAddress) -> bool:
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
    if is_added_by_optin(service, records, key, entry):
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


def yes_stays(records: Records, holder: Contact, key: str, since: datetime | None) -> bool:
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
