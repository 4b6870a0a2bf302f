"""What the use cases hold between calls."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from bot.consent.errors import NotFound, Refused
from bot.consent.model import Contact, Sender
from bot.consent.store import Records, Store


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
    #: A mailbox in lower case; raises `Invalid`.
    read_email: Callable[[str], str]
    #: Keys the hashes that erasure leaves (rules.md §8.15).
    hash_key: bytes
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
    #: When a probable refusal of this time becomes one by itself (rules.md §10).
    deadline: Callable[[datetime], datetime] = _in_a_week

    @property
    def sender(self) -> Sender | None:
        """The sender whose answer is the headline."""
        return self.senders[0] if self.senders else None

    def is_toll_free(self, sender: str) -> bool:
        """Whether a sender of ours is a toll-free number, where STOP blocks in the network."""
        return next((s.toll_free for s in self.senders if s.id == sender), False)

    def unblock_word(self, sender: str) -> str:
        """What the contact texts to a sender of ours to lift the block; UNSTOP to any other."""
        words = {s.id: s.unblock_word for s in self.senders}
        return words.get(sender, "UNSTOP")

    def hashed(self, address: str) -> str:
        """What is kept instead of an erased address."""
        return _hashed(self.hash_key, address)


#: An import asks for those of a page twice.
@lru_cache(maxsize=1_024)
def _hashed(key: bytes, address: str) -> str:
    keyed = _keyed(key).copy()
    keyed.update(address.encode())
    return f"hash:{keyed.hexdigest()}"


@lru_cache(maxsize=4)
def _keyed(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod="sha256")


def present(records: Records, id: str) -> Contact:
    """The contact, to be changed. Raises `NotFound`, or `Refused` for an erased one."""
    contact = records.contact(id)
    if contact is None:
        raise NotFound
    if contact.erased:
        raise Refused("This contact was erased and can't be changed.")
    return contact


def date(at: datetime) -> str:
    """A day in a sentence: "3 Nov 2026"."""
    return f"{at.day} {at:%b %Y}"
