"""The Merkle tree over the log of each storage: grown, read, and checked by `optin verify`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from bot.consent.errors import Corrupt, NotFound
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.log.heads import head_text, read_head_text
from bot.consent.log.merkle_tree import leaf_hash, root, verify_consistency, verify_inclusion
from bot.consent.use_cases import Details, Service, add, erase, verify
from bot.consent.use_cases.log_tree import (
    GROUP,
    consistency,
    forget_tree,
    grow_tree,
    inclusion,
    log_id,
    present_head,
    root_at,
    stored_groups,
)
from tests.support.consent_fixtures import NOW, OPERATOR

pytestmark = pytest.mark.every_storage

#: Complete groups, and some entries of the next one.
SIZE = 3 * GROUP + 7
#: Around the ends of groups.
SIZES = (1, 2, 255, 256, 257, 511, 512, 513, 600, 768, 769, SIZE)


def notes(count: int) -> Iterator[Entry]:
    for number in range(count):
        yield Entry(
            id=f"{number:032x}",
            kind=EntryKind.NOTE,
            occurred_at=NOW,
            recorded_at=NOW,
            actor="cli:root",
            source="cli",
            reason=f"Note {number}",
        )


def append(service: Service, count: int) -> None:
    with service.store.transaction() as records:
        for entry in notes(count):
            records.log.append(entry)


def leaves_of(service: Service) -> list[bytes]:
    with service.store.reading() as records:
        return [leaf_hash(bytes.fromhex(hash)) for hash in records.log.hashes(0, 2**40)]


@pytest.fixture
def filled(service: Service) -> Service:
    append(service, SIZE)
    return service


@pytest.mark.parametrize("grown", [False, True])
def test_roots_are_those_of_the_entries_before_and_after_growth(filled: Service, grown: bool):
    if grown:
        assert grow_tree(filled) == 3
    leaves = leaves_of(filled)

    with filled.store.reading() as records:
        assert stored_groups(records.key_value) == (3 if grown else 0)
        for size in SIZES:
            assert root_at(records, size) == root(leaves[:size])


@pytest.mark.parametrize("grown", [False, True])
def test_proofs_verify_before_and_after_growth(filled: Service, grown: bool):
    if grown:
        grow_tree(filled)
    leaves = leaves_of(filled)

    with filled.store.reading() as records:
        for size in SIZES:
            whole = root(leaves[:size])
            for seq in {1, size // 2 + 1, size}:
                proof = inclusion(records, seq, size)
                assert verify_inclusion(leaves[seq - 1], seq - 1, size, proof, whole)
            for old in (number for number in SIZES if number <= size):
                proof = consistency(records, old, size)
                assert verify_consistency(old, size, root(leaves[:old]), whole, proof)
        with pytest.raises(ValueError, match="no leaf"):
            inclusion(records, SIZE + 1, SIZE)
        with pytest.raises(ValueError, match="has no first"):
            inclusion(records, 1, SIZE + 1)
        with pytest.raises(ValueError, match="has no first"):
            consistency(records, 1, SIZE + 1)
        with pytest.raises(ValueError, match="has no first"):
            root_at(records, SIZE + 1)


def test_tree_grows_with_the_log_and_once(service: Service):
    assert grow_tree(service) == 0
    append(service, GROUP - 1)
    assert grow_tree(service) == 0
    append(service, 1)
    assert grow_tree(service) == 1
    assert grow_tree(service) == 0
    append(service, 20 * GROUP)
    assert grow_tree(service) == 20

    leaves = leaves_of(service)
    with service.store.reading() as records:
        assert root_at(records, len(leaves)) == root(leaves)
    assert verify(service).problem is None


def test_tree_of_more_entries_than_a_page_of_groups(service: Service):
    append(service, GROUP**2 + GROUP + 3)
    leaves = leaves_of(service)
    sizes = (GROUP**2 - 1, GROUP**2, GROUP**2 + 1, len(leaves))
    with service.store.reading() as records:
        assert root_at(records, len(leaves)) == root(leaves)

    assert grow_tree(service) == GROUP + 1
    with service.store.reading() as records:
        roots = {size: root_at(records, size) for size in sizes}
        assert roots == {size: root(leaves[:size]) for size in sizes}
        for old, new in pairwise(sizes):
            proof = consistency(records, old, new)
            assert verify_consistency(old, new, roots[old], roots[new], proof)
        assert records.key_value.get("log-tree:2:0") == root(leaves[: GROUP**2]).hex()


def test_head_names_the_log_its_size_its_chain_and_its_root(filled: Service):
    leaves = leaves_of(filled)

    with filled.store.reading() as records:
        entries = list(records.log.all())
        head = present_head(records, NOW.replace(microsecond=5))

    assert head.log == entries[0].hash[:32]
    assert (head.size, head.chain) == (SIZE, entries[-1].hash)
    assert head.root == root(leaves).hex()
    assert head.at == NOW
    assert read_head_text(head_text(head)) == head


def test_log_without_entries_has_no_head(service: Service):
    with service.store.reading() as records:
        assert log_id(records.log) == ""
        with pytest.raises(NotFound, match="no entries"):
            present_head(records, NOW)


def test_erasing_a_contact_changes_no_root(service: Service):
    contact = add(service, Details(name="Ana", phone="+1 415 555 0100"), OPERATOR)
    append(service, GROUP)
    grow_tree(service)
    with service.store.reading() as records:
        before = root_at(records, GROUP + 1)
    erase(service, contact.id, OPERATOR)

    with service.store.reading() as records:
        assert root_at(records, GROUP + 1) == before
    assert verify(service).problem is None


def damage(text: str) -> str:
    return text[:64] + ("1" if text[64] == "0" else "0") + text[65:]


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("log-tree:1:0", damage, "The stored root of entries 257 to 512 is not what the log says."),
        (
            "log-tree:1:0",
            lambda text: text[:-1],
            "The stored root of entries 513 to 768 is not what the log says.",
        ),
        (
            "log-tree:1:0",
            lambda text: None,
            "The stored root of entries 1 to 256 is not what the log says.",
        ),
        (
            "log-tree:1:0",
            lambda text: text + "00" * 32,
            "Optin stored more roots of the Activity Log than it has groups of entries.",
        ),
        (
            "log-tree",
            lambda text: "4",
            "Optin stored more roots of the Activity Log than it has groups of entries.",
        ),
        (
            "log-tree",
            lambda text: None,
            "Optin stored more roots of the Activity Log than it has groups of entries.",
        ),
        (
            "log-tree:2:0",
            lambda text: "00" * 32,
            "Optin stored more roots of the Activity Log than it has groups of entries.",
        ),
    ],
)
def test_verify_finds_a_stored_root_that_is_damaged_or_missing(
    filled: Service, name, change, problem
):
    grow_tree(filled)
    assert verify(filled).problem is None
    with filled.store.transaction() as records:
        records.key_value.put(name, change(records.key_value.get(name) or ""))

    assert verify(filled).problem == problem
    forget_tree(filled)
    assert grow_tree(filled) == 3
    assert verify(filled).problem is None


def test_growth_and_proofs_refuse_a_page_that_is_too_short(filled: Service):
    grow_tree(filled)
    with filled.store.transaction() as records:
        records.key_value.put("log-tree:1:0", "zz")

    with filled.store.reading() as records, pytest.raises(Corrupt, match="optin verify"):
        root_at(records, SIZE)
    append(filled, GROUP)
    with pytest.raises(Corrupt, match="optin verify"):
        grow_tree(filled)
