"""What the use cases hold between calls."""

from __future__ import annotations

import hashlib
import hmac
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple

from bot.consent.addresses import key_of, spellings
from bot.consent.crm_link import CrmLink
from bot.consent.errors import NotFound, Refused
from bot.consent.known_providers import KnownProviders
from bot.consent.model import Contact
from bot.consent.reader_times import ReaderTimes
from bot.consent.records import Contacts
from bot.consent.senders import Sender
from bot.consent.storage_behind import ForgetfulMemory, HeadMemory
from bot.consent.store import Store

#: The slash command, where OPTIN_COMMAND names no other.
COMMAND = "/optin"
#: Look-ups that wait to be stored, at most.
_MOST_LOOK_UPS = 10_000


_TIMES = ReaderTimes()


def _in_a_week(at: datetime) -> datetime:
    return at + timedelta(days=7)


def _in_two_weeks(at: datetime) -> datetime:
    return at + timedelta(days=14)


class LookUp(NamedTuple):
    """A card that somebody looked at."""

    #: The actor's id.
    actor: str
    #: The contact's id, which says nothing by itself.
    contact: str


def _look_ups() -> deque[LookUp]:
    return deque(maxlen=_MOST_LOOK_UPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Storage, and what is known of the world outside it. Chosen in `bot.app`."""

    store: Store
    #: The time, aware UTC.
    now: Callable[[], datetime]
    #: ISO country whose national phone formats are understood.
    region: str
    #: A mailbox as it is written; raises `Invalid`.
    read_email: Callable[[str], str]
    #: Keys the hashes that erasure leaves (rules.md §8.15).
    hash_key: bytes
    #: What providers are called, and which words they block by themselves.
    providers: KnownProviders
    #: Remembers the log's end outside the storage, so that an older copy is noticed.
    heads: HeadMemory = field(default_factory=ForgetfulMemory)
    #: The storage has hashes of a version that had no keys of addresses (rules.md §2a).
    old_spellings: bool = False
    #: Our own numbers and services, the default one first.
    senders: Sequence[Sender] = ()
    #: Packs of opt-out words besides English (rules.md §5).
    languages: frozenset[str] = frozenset()
    #: Slack's id of the channel that is told; nobody is, without one.
    alert_channel: str | None = None
    #: Slack's id of the channel where re-opt-ins are decided; the direct messages and the command
    #: line are left without one.
    approval_channel: str | None = None
    #: Whoever asked may approve, in teams with one manager (`OPTIN_SELF_APPROVE`).
    self_approve: bool = False
    #: The contact's own confirmed link completes a re-opt-in for e-mail (`OPTIN_CONFIRMED_OPT_IN`).
    confirmed_opt_in: bool = False
    #: What people type in Slack, as sentences name it (`OPTIN_COMMAND`).
    command: str = COMMAND
    #: Where a contact's page in the CRM is (`OPTIN_CRM_URL`).
    crm: CrmLink | None = None
    #: Private networks in which an outbound webhook may be (`OPTIN_WEBHOOK_ALLOW`).
    webhook_allow: Sequence[IPv4Network | IPv6Network] = ()
    #: The newest look-ups, oldest first, until a timer stores them (`home_facts.store_look_ups`):
    #: a look-up itself writes nothing.
    look_ups: deque[LookUp] = field(default_factory=_look_ups)
    #: Times in sentences, for whoever reads them.
    times: ReaderTimes = _TIMES
    #: When a probable refusal of this time becomes one by itself (rules.md §10).
    deadline: Callable[[datetime], datetime] = _in_a_week
    #: Until when a refusal of this time has to be honoured: ten business days (rules.md §9).
    honour_by: Callable[[datetime], datetime] = _in_two_weeks

    def hashed(self, address: str) -> str:
        """What is kept instead of an erased address, however it is spelled."""
        return _hashed(self.hash_key, key_of(address))

    def hashes(self, key: str) -> Mapping[str, str]:
        """The hashes under which facts about this address may be kept, with the spelling that each
        is of: the key, and in a storage of an earlier version other spellings, too."""
        if not self.old_spellings:
            return {_hashed(self.hash_key, key): key}
        return {_hashed(self.hash_key, form): form for form in spellings(key)}


#: An import asks for those of a page twice.
@lru_cache(maxsize=1_024)
def _hashed(key: bytes, address: str) -> str:
    return f"hash:{keyed_hash(key, address.encode())}"


def plain_keyed_hash(key: bytes, data: bytes) -> str:
    """The HMAC-SHA256 of the data."""
    return hmac.new(key, data, "sha256").hexdigest()


def keyed_hash(key: bytes, data: bytes) -> str:
    """What `plain_keyed_hash` gives, at a third of its cost: OpenSSL's HMAC is slow to start. A
    test compares the two."""
    inner, outer = (begun.copy() for begun in _keyed(key))
    inner.update(data)
    outer.update(inner.digest())
    return outer.hexdigest()


@lru_cache(maxsize=4)
def _keyed(key: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    """The two hashes of an HMAC (RFC 2104) with their key, before any data."""
    block = hashlib.sha256().block_size
    padded = (hashlib.sha256(key).digest() if len(key) > block else key).ljust(block, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in padded) for pad in (0x36, 0x5C))
    return hashlib.sha256(inner), hashlib.sha256(outer)


def present(contacts: Contacts, id: str) -> Contact:
    """The contact, to be changed. Raises `NotFound`, or `Refused` for an erased one."""
    contact = contacts.get(id)
    if contact is None:
        raise NotFound
    if contact.erased:
        raise Refused("This contact was erased and can't be changed.")
    return contact


def date(at: datetime) -> str:
    """A day of UTC in a sentence that is stored: "3 Nov 2026"."""
    return f"{at.day} {at:%b %Y}"
