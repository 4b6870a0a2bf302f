"""The Merkle tree over the Activity Log (`log.merkle_tree`), and what of it is stored.

Stored are the roots of complete groups of 256 entries, and the roots of complete groups of 256 such
groups, so that a head or a proof reads few entries. They are derived from the log: a timer adds
what is missing, no change waits for that, and `optin verify` computes all of them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from bot.consent.errors import Corrupt, NotFound
from bot.consent.log.heads import LogHead
from bot.consent.log.merkle_tree import (
    consistency_ranges,
    inclusion_ranges,
    leaf_hashes,
    root,
)
from bot.consent.records import KeyValue, Log
from bot.consent.store import Records
from bot.consent.use_cases.context import Service

#: Leaves of a group, groups of the next level, and roots under one name.
GROUP = 256
#: Levels of which roots are stored: of groups of entries, and of groups of these.
_LEVELS = (1, 2)
#: The name of how many groups of entries are stored. The roots have names that begin with it.
_NAME = "log-tree"
#: Groups that are added in one transaction.
_AT_ONCE = 16
#: Hexadecimal digits of a root.
_DIGITS = 64

_TOO_MANY = "Optin stored more roots of the Activity Log than it has groups of entries."
_DAMAGED = "The stored roots of the Activity Log are damaged: `optin verify` says where."


def present_head(records: Records, now: datetime) -> LogHead:
    """The head of the log. Raises `NotFound` where the log has no entries."""
    size, chain = records.log.head()
    if size == 0:
        raise NotFound("The Activity Log has no entries yet.")
    return LogHead(
        log=log_id(records.log),
        size=size,
        chain=chain,
        root=root_at(records, size).hex(),
        at=now.astimezone(UTC).replace(microsecond=0),
    )


def log_id(log: Log) -> str:
    """What tells this log from others (`LogHead.log`); empty where the log has no entries."""
    return "".join(log.hashes(0, 1))[:32]


def root_at(records: Records, size: int) -> bytes:
    """The root that the tree had when the log had this many entries. Raises `ValueError` where it
    has fewer."""
    _require(records.log, size)
    return _Tree(records).root_of(0, size)


def inclusion(records: Records, seq: int, size: int) -> list[bytes]:
    """The proof that the entry with this `seq` is in the log of the first `size` entries. Its
    index in the tree is `seq - 1`. Raises `ValueError` where it is not."""
    _require(records.log, size)
    return _Tree(records).roots_of(inclusion_ranges(seq - 1, size))


def inclusions(records: Records, seqs: Iterable[int], size: int) -> list[list[bytes]]:
    """The same for several entries, at the cost of little more than one."""
    tree = _Tree(records)
    return [tree.roots_of(inclusion_ranges(seq - 1, size)) for seq in seqs]


def consistency(records: Records, old_size: int, new_size: int) -> list[bytes]:
    """The proof that the log of the first `new_size` entries begins with that of the first
    `old_size`. Raises `ValueError` where it can't."""
    _require(records.log, new_size)
    return _Tree(records).roots_of(consistency_ranges(old_size, new_size))


def grow_tree(service: Service) -> int:
    """Stores the roots of groups that are complete by now, a few in each transaction. How many
    groups were added. Raises `StorageFailed`."""
    added = 0
    while True:
        with service.store.reading() as records:
            known = stored_groups(records.key_value)
            size, _ = records.log.head()
            end = min(size // GROUP, known + _AT_ONCE)
            if end <= known:
                return added
            hashes = records.log.hashes(known * GROUP, (end - known) * GROUP)
        roots = [_root(hashes[at : at + GROUP]) for at in range(0, len(hashes), GROUP)]
        with service.store.transaction() as records:
            # Another replica may have added them meanwhile.
            if stored_groups(records.key_value) == known:
                _add(records.key_value, known, roots)
                added += len(roots)


def forget_tree(service: Service) -> None:
    """Removes all that is stored of the tree: `grow_tree` adds it again."""
    with service.store.transaction() as records:
        for name, _ in list(records.key_value.all()):
            if name.startswith(_NAME):
                records.key_value.put(name, None)


def stored_groups(key_value: KeyValue) -> int:
    """How many groups of entries are stored."""
    text = key_value.get(_NAME) or "0"
    if not (text.isascii() and text.isdigit()):
        raise Corrupt(_DAMAGED)
    return int(text)


def _require(log: Log, size: int) -> None:
    newest, _ = log.head()
    if size > newest:
        raise ValueError(f"a log of {newest} entries has no first {size}")


def _add(key_value: KeyValue, known: int, roots: Sequence[bytes]) -> None:
    for number, added in enumerate(roots, known):
        level, at, node = 1, number, added
        while level in _LEVELS:
            name = _name(level, at)
            text = key_value.get(name) or ""
            if len(text) != at % GROUP * _DIGITS:
                raise Corrupt(_DAMAGED)
            page = text + node.hex()
            key_value.put(name, page)
            if (at + 1) % GROUP:
                break
            level, at, node = level + 1, at // GROUP, root(_roots(page))
    key_value.put(_NAME, str(known + len(roots)))


class TreeCheck:
    """Compares what is stored of the tree with what the log gives, entry by entry."""

    def __init__(self, key_value: KeyValue) -> None:
        named = ((name, text) for name, text in key_value.all() if name.startswith(_NAME))
        self._stored = dict(named)
        self._hashes: list[str] = []
        self._roots: list[bytes] = []

    def take(self, hash: str) -> None:
        """The hash of the next entry."""
        if not self._stored:
            return
        self._hashes.append(hash)
        if len(self._hashes) == GROUP:
            self._roots.append(_root(self._hashes))
            self._hashes.clear()

    def problem(self) -> str | None:
        """The first stored root that is wrong or missing, in a sentence, after the last entry."""
        if not self._stored:
            return None
        counted = self._stored.pop(_NAME, "")
        known = int(counted) if counted.isascii() and counted.isdigit() else None
        expected = self._roots[:known]
        above = [root(expected[at : at + GROUP]) for at in range(0, len(expected), GROUP)]
        for level, roots in ((1, expected), (2, above[: len(expected) // GROUP])):
            for at in range(0, len(roots), GROUP):
                page = roots[at : at + GROUP]
                stored = self._stored.pop(_name(level, at), "")
                for number, one in enumerate(page):
                    if one.hex() != stored[number * _DIGITS : (number + 1) * _DIGITS]:
                        return _wrong(level, at + number)
                if len(stored) > len(page) * _DIGITS:
                    return _TOO_MANY
        if known is None or known > len(expected) or self._stored:
            return _TOO_MANY
        return None


def _wrong(level: int, at: int) -> str:
    unit = GROUP**level
    entries = f"entries {at * unit + 1:,} to {(at + 1) * unit:,}"
    return f"The stored root of {entries} is not what the log says."


class _Tree:
    """The tree as one transaction sees it. What was read is not read again."""

    def __init__(self, records: Records) -> None:
        self._log = records.log
        self._key_value = records.key_value
        self._groups = stored_groups(records.key_value)
        self._pages: dict[str, list[bytes]] = {}
        self._leaves: dict[int, list[bytes]] = {}

    def roots_of(self, ranges: Iterable[tuple[int, int]]) -> list[bytes]:
        return [self.root_of(start, end) for start, end in ranges]

    def root_of(self, start: int, end: int) -> bytes:
        """The root over these leaves, which are a subtree of some tree: its groups are whole, but
        for the last one."""
        if end - start < GROUP:
            return root(self._leaves_of(start, end))
        level = 2 if end - start >= GROUP**2 else 1
        unit = GROUP**level
        nodes = [self._node(level, at) for at in range(start // unit, end // unit)]
        if whole := end % unit:
            nodes.append(self.root_of(end - whole, end))
        return root(nodes)

    def _node(self, level: int, at: int) -> bytes:
        """The root of a complete group, from 0."""
        if (at + 1) * GROUP ** (level - 1) <= self._groups:
            page = self._page(_name(level, at))
            if len(page) <= at % GROUP:
                raise Corrupt(_DAMAGED)
            return page[at % GROUP]
        first, end = at * GROUP, (at + 1) * GROUP
        if level == 1:
            return root(self._leaves_of(first, end))
        return root([self._node(level - 1, child) for child in range(first, end)])

    def _page(self, name: str) -> list[bytes]:
        if name not in self._pages:
            self._pages[name] = _roots(self._key_value.get(name) or "")
        return self._pages[name]

    def _leaves_of(self, start: int, end: int) -> list[bytes]:
        """Of one group."""
        group, first = start // GROUP, start - start % GROUP
        if group not in self._leaves:
            self._leaves[group] = leaf_hashes(map(bytes.fromhex, self._log.hashes(first, GROUP)))
        return self._leaves[group][start - first : end - first]


def _root(hashes: Iterable[str]) -> bytes:
    return root(leaf_hashes(map(bytes.fromhex, hashes)))


def _name(level: int, at: int) -> str:
    """Where the root of this group of the level is stored."""
    return f"{_NAME}:{level}:{at // GROUP}"


def _roots(page: str) -> list[bytes]:
    try:
        data = bytes.fromhex(page)
    except ValueError:
        raise Corrupt(_DAMAGED) from None
    return [data[at : at + 32] for at in range(0, len(data), 32)]
