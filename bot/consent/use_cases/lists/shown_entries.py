"""The entries that the pages of a read showed, kept as short keyed hashes until the read ends,
against what Optin knows."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import datetime

from bot.consent.addresses import HASH
from bot.consent.model import AddressFacts, Block, Channel
from bot.consent.records import KeyValue
from bot.consent.store import Records
from bot.consent.suppressions import Cause, Listing
from bot.consent.use_cases.context import Service, keyed_hash
from bot.consent.use_cases.lists.wanted_entries import channel_of, has_room, is_wanted
from bot.consent.write_backs import OPEN

#: Of a keyed hash, bytes.
_SHORT = 8


class ShownEntries:
    """What a read showed, against what Optin knows."""

    def __init__(
        self, service: Service, provider: str, began: datetime, seen: Iterable[bytes]
    ) -> None:
        self.service = service
        self.provider = provider
        self.began = began
        self.seen = frozenset(seen)
        known = service.providers.by_id.get(provider)
        self.lists = known.lists if known else None
        self.adds = (
            provider in service.providers.adding
            and service.providers.reads(provider)
            and channel_of(service, provider) is Channel.EMAIL
        )

    def compare(self, records: Records) -> tuple[list[str], list[str], list[str], int]:
        """Keys with entries that were not shown, keys that are to be added, keys of which nobody
        takes off what seems to leave, and how many keys have entries that a read shows."""
        missing, lacking, stuck, stood = [], [], [], 0
        for facts in records.addresses.all():
            if facts.address.startswith(HASH) or "@" not in facts.address:
                continue
            mine = [n for n, b in facts.blocks.items() if self._is_read(n, b)]
            stood += bool(mine)
            if any(self.is_stuck(records, facts, name) for name in facts.blocks):
                stuck.append(facts.address)
            if any(self.lacks(facts, name, facts.blocks[name]) for name in mine):
                missing.append(facts.address)
            elif self._is_lacking(records, facts):
                lacking.append(facts.address)
        return missing, lacking, stuck, stood

    def is_stuck(self, records: Records, facts: AddressFacts, name: str) -> bool:
        """Whether the entry seems to leave, and nothing will take it off: its write went with a
        contact who was erased."""
        if not facts.blocks[name].leaving or Listing.of(name).provider != self.provider:
            return False
        write = records.write_backs.get(f"{name}:{facts.address}")
        return write is None or write.state not in OPEN

    def lacks(self, facts: AddressFacts, name: str, block: Block) -> bool:
        """Whether the read should have shown this entry and did not."""
        if not self._is_read(name, block) or self._has(name, facts.address):
            return False
        listing = Listing.of(name)
        if listing.cause is Cause.UNKNOWN:
            causes = (one for one in Cause if one is not Cause.UNKNOWN)
            return not any(self._has_cause(one, facts.address) for one in causes)
        return listing.cause is not Cause.OURS or not self.shows_opt_out(facts.address)

    def shows_opt_out(self, key: str) -> bool:
        """Whether the list has the address as an opt-out from everything, or the one entry that
        it has of an address in its place."""
        one_entry = self.lists is not None and self.lists.one_entry
        causes = tuple(Cause) if one_entry else (Cause.UNSUBSCRIBE, Cause.COMPLAINT, Cause.OURS)
        return any(self._has_cause(cause, key) for cause in causes)

    def _is_read(self, name: str, block: Block) -> bool:
        """Whether a whole read shows such an entry. What Optin is taking off, the worker looks
        up; what is newer than the read may have been left out."""
        listing = Listing.of(name)
        if listing.provider != self.provider or self.lists is None or block.leaving:
            return False
        if block.since >= self.began or (listing.scope and not self.lists.shows_scopes):
            return False
        return bool(self.lists.shows) and listing.cause in {*self.lists.shows, Cause.UNKNOWN}

    def _is_lacking(self, records: Records, facts: AddressFacts) -> bool:
        if not self.adds or not facts.refusals or self.shows_opt_out(facts.address):
            return False
        if not has_room(self.service, facts, self.provider):
            return False
        if not is_wanted(records, facts.address, Channel.EMAIL):
            return False
        ours = Listing(provider=self.provider, cause=Cause.OURS).name
        write = records.write_backs.get(f"{ours}:{facts.address}")
        return write is None or write.state not in OPEN

    def _has_cause(self, cause: Cause, key: str) -> bool:
        return self._has(Listing(provider=self.provider, cause=cause).name, key)

    def _has(self, name: str, key: str) -> bool:
        return mark_of(self.service, name, key) in self.seen


def mark_of(service: Service, name: str, key: str) -> bytes:
    """The short hash of an entry: the list's name and the address's key."""
    return bytes.fromhex(keyed_hash(service.hash_key, f"{name}:{key}".encode())[: _SHORT * 2])


def keep_marks(
    key_value: KeyValue, provider: str, read: str, page: int, marks: Iterable[bytes]
) -> None:
    """Keeps what a page showed. `read` is the read's id."""
    text = base64.b64encode(b"".join(marks)).decode()
    key_value.put(_kept_as(provider, read, page), text)


def marks_of_page(key_value: KeyValue, provider: str, read: str, page: int) -> set[bytes]:
    """What was kept of a page; nothing before the first one."""
    kept = base64.b64decode(key_value.get(_kept_as(provider, read, page)) or "")
    return {kept[at : at + _SHORT] for at in range(0, len(kept), _SHORT)}


def marks_of_read(key_value: KeyValue, provider: str, read: str, pages: int) -> set[bytes]:
    """What was kept of all its pages."""
    return set().union(*(marks_of_page(key_value, provider, read, n) for n in range(pages)))


def forget_marks(key_value: KeyValue, provider: str, read: str, pages: int) -> None:
    """Removes what was kept of a read."""
    for page in range(pages):
        key_value.put(_kept_as(provider, read, page), None)


def _kept_as(provider: str, read: str, page: int) -> str:
    return f"list_seen:{provider}:{read}:{page}"
