"""What the use cases hold between calls."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from bot.consent.addresses import key_of, spellings
from bot.consent.errors import NotFound, Refused
from bot.consent.known_providers import KnownProviders
from bot.consent.model import Contact
from bot.consent.reader_times import ReaderTimes
from bot.consent.records import Contacts
from bot.consent.senders import Sender
from bot.consent.store import Store

#: The slash command, where OPTIN_COMMAND names no other.
COMMAND = "/optin"


_TIMES = ReaderTimes()


def _in_a_week(at: datetime) -> datetime:
    return at + timedelta(days=7)


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
    #: What people type in Slack, as sentences name it (`OPTIN_COMMAND`).
    command: str = COMMAND
    #: Times in sentences, for whoever reads them.
    times: ReaderTimes = _TIMES
    #: When a probable refusal of this time becomes one by itself (rules.md §10).
    deadline: Callable[[datetime], datetime] = _in_a_week

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
