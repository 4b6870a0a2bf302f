"""The Merkle tree over the Activity Log (RFC 6962, section 2), and its short proofs.

An inclusion proof shows that an entry is in the log of a head. A consistency proof shows that the
log of a later head begins with the log of an earlier one. A leaf's data is the hash that the entry
has in the chain (`log.chain`), as 32 bytes. The functions that build take leaf hashes
(`leaf_hash`), not data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

#: The root of a tree without leaves.
EMPTY_ROOT = hashlib.sha256().digest()
#: Bytes of a hash.
_LENGTH = 32

#: The leaves from the first number up to the second one, which is not included.
Range = tuple[int, int]


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\0" + data).digest()


def leaf_hashes(data: Iterable[bytes]) -> list[bytes]:
    """`leaf_hash` of each of them, at less cost."""
    sha256 = hashlib.sha256
    return [sha256(b"\0" + one).digest() for one in data]


def parent_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The hash of the tree over these leaf hashes. The roots of complete subtrees of one size, with
    an incomplete one at most at the end, give the same as their leaves."""
    if not leaves:
        return EMPTY_ROOT
    level = list(leaves)
    sha256 = hashlib.sha256
    while len(level) > 1:
        # The last one of an odd number has no sibling, and rises as it is.
        odd = level[-1:] if len(level) % 2 else []
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [sha256(b"\1" + left + right).digest() for left, right in pairs] + odd
    return level[0]


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The subtrees whose roots prove that the leaf is in the tree, in the order of the proof.
    `index` counts from 0."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    found: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _left(end - start)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def consistency_ranges(old_size: int, new_size: int) -> list[Range]:
    """The subtrees whose roots prove that the tree of `new_size` leaves begins with that of
    `old_size`, in the order of the proof."""
    if not 0 <= old_size <= new_size:
        raise ValueError(f"a tree of {old_size} leaves does not grow to one of {new_size}")
    if old_size in (0, new_size):
        return []
    found: list[Range] = []
    start, end = 0, new_size
    while end != old_size:
        middle = start + _left(end - start)
        if old_size <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    # The verifier knows the old root, so it is part of the proof only where it is not all of it.
    if start:
        found.append((start, end))
    return found[::-1]


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The proof that the leaf with this index, from 0, is in the tree of all these."""
    return [root(leaves[start:end]) for start, end in inclusion_ranges(index, len(leaves))]


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """The proof that the tree of all these leaves begins with that of the first `old_size`."""
    return [root(leaves[start:end]) for start, end in consistency_ranges(old_size, len(leaves))]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether the proof leads from the leaf hash to the root (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes(leaf, root, *proof):
        return False
    place, last, hash = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if place % 2 or place == last:
            hash = parent_hash(sibling, hash)
            place, last = _until_odd(place, last)
        else:
            hash = parent_hash(hash, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and hash == root


def verify_consistency(
    old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether the proof leads to both roots (RFC 9162, section 2.1.4.2). Every tree begins with
    the one without leaves."""
    if not 0 <= old_size <= new_size or not _are_hashes(old_root, new_root, *proof):
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    rest = list(proof)
    if old_size & (old_size - 1) == 0:  # a complete tree, whose root is a node of the new one
        rest.insert(0, old_root)
    if not rest:
        return False
    place, last = old_size - 1, new_size - 1
    while place % 2:
        place, last = place >> 1, last >> 1
    old = new = rest[0]
    for sibling in rest[1:]:
        if last == 0:
            return False
        if place % 2 or place == last:
            old, new = parent_hash(sibling, old), parent_hash(sibling, new)
            place, last = _until_odd(place, last)
        else:
            new = parent_hash(new, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


def _left(size: int) -> int:
    """How many leaves the left subtree of a tree has: the largest power of two below its size."""
    return 1 << ((size - 1).bit_length() - 1)


def _until_odd(place: int, last: int) -> Range:
    """Skips the levels on which a node without a sibling rises as it is."""
    while place % 2 == 0 and place:
        place, last = place >> 1, last >> 1
    return place, last


def _are_hashes(*values: bytes) -> bool:
    # A byte moved from one hash to its sibling would give the same parent.
    return all(len(value) == _LENGTH for value in values)
