"""The Merkle tree over the Activity Log, and the text of its head."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.consent.errors import Invalid
from bot.consent.log.heads import LogHead, head_text, read_head_text
from bot.consent.log.merkle_tree import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    parent_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

#: The test vectors of Certificate Transparency (google/certificate-transparency, merkletree).
CT_LEAVES = [
    leaf_hash(bytes.fromhex(data))
    for data in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
_1_8 = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]
_BC1A = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
_CA85 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
#: Sizes up to one beyond 128, where a level of the tree begins.
SIZES = 130
LEAVES = [leaf_hash(bytes([number])) for number in range(SIZES)]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size):
    assert root(CT_LEAVES[:size]).hex() == CT_ROOTS[size]


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [
        (0, 1, []),
        (0, 8, _1_8),
        (5, 8, [_BC1A, _CA85, CT_ROOTS[4]]),
        (2, 3, [CT_ROOTS[2]]),
        (1, 5, [CT_ROOTS[1], _1_8[1], _BC1A]),
    ],
)
def test_inclusion_proofs_are_those_of_certificate_transparency(index, size, proof):
    found = inclusion_proof(CT_LEAVES[:size], index)

    assert [hash.hex() for hash in found] == proof
    assert verify_inclusion(CT_LEAVES[index], index, size, found, root(CT_LEAVES[:size]))


@pytest.mark.parametrize(
    ("old", "new", "proof"),
    [
        (1, 1, []),
        (1, 8, _1_8),
        (
            6,
            8,
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                _CA85,
                CT_ROOTS[4],
            ],
        ),
        (2, 5, [_1_8[1], _BC1A]),
    ],
)
def test_consistency_proofs_are_those_of_certificate_transparency(old, new, proof):
    found = consistency_proof(CT_LEAVES[:new], old)
    roots = root(CT_LEAVES[:old]), root(CT_LEAVES[:new])

    assert [hash.hex() for hash in found] == proof
    assert verify_consistency(old, new, *roots, found)


def test_root_is_that_of_the_definition():
    def defined(leaves):
        if len(leaves) == 1:
            return leaves[0]
        left = 1
        while left * 2 < len(leaves):
            left *= 2
        return parent_hash(defined(leaves[:left]), defined(leaves[left:]))

    for size in range(1, SIZES + 1):
        assert root(LEAVES[:size]) == defined(LEAVES[:size])


@pytest.mark.parametrize("size", range(1, SIZES + 1))
def test_every_proof_of_a_size_verifies(size):
    leaves = LEAVES[:size]
    whole = root(leaves)

    for index in range(size):
        proof = inclusion_proof(leaves, index)
        assert verify_inclusion(leaves[index], index, size, proof, whole)
    for old in range(size + 1):
        proof = consistency_proof(leaves, old)
        assert verify_consistency(old, size, root(leaves[:old]), whole, proof)


@settings(deadline=None)
@given(st.data())
def test_inclusion_proof_with_a_flipped_bit_fails(data):
    size = data.draw(st.integers(1, SIZES))
    index = data.draw(st.integers(0, size - 1))
    values = [LEAVES[index], root(LEAVES[:size]), *inclusion_proof(LEAVES[:size], index)]
    changed = flipped(values, data)

    leaf, whole, *proof = changed
    assert not verify_inclusion(leaf, index, size, proof, whole)


@settings(deadline=None)
@given(st.data())
def test_consistency_proof_with_a_flipped_bit_fails(data):
    new = data.draw(st.integers(1, SIZES))
    # The proof from a tree without leaves says nothing of the new root.
    old = data.draw(st.integers(1, new))
    values = [root(LEAVES[:old]), root(LEAVES[:new]), *consistency_proof(LEAVES[:new], old)]
    changed = flipped(values, data)

    before, after, *proof = changed
    assert not verify_consistency(old, new, before, after, proof)


@settings(deadline=None)
@given(st.data())
def test_inclusion_proof_holds_for_no_other_place_and_size(data):
    size, other = data.draw(st.integers(1, SIZES)), data.draw(st.integers(0, SIZES))
    index, place = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, SIZES))
    leaf, whole = LEAVES[index], root(LEAVES[:size])
    proof = inclusion_proof(LEAVES[:size], index)

    if place != index:
        assert not verify_inclusion(leaf, place, size, proof, whole)
    if other != size and verify_inclusion(leaf, index, other, proof, whole):
        # A proof binds the path and not the size. Both sizes have the same path to the leaf.
        assert len(inclusion_proof(LEAVES[:other], index)) == len(proof)


@settings(deadline=None)
@given(st.data())
def test_shortened_and_lengthened_proofs_fail(data):
    new = data.draw(st.integers(2, SIZES))
    old = data.draw(st.integers(1, new - 1))
    roots = root(LEAVES[:old]), root(LEAVES[:new])
    proof = consistency_proof(LEAVES[:new], old)

    assert not verify_consistency(old, new, *roots, proof[:-1])
    assert not verify_consistency(old, new, *roots, [*proof, LEAVES[0]])
    assert not verify_inclusion(LEAVES[old], old, new, [*proof, LEAVES[0]], roots[1])
    moved = [proof[0][:-1], *proof[1:]]
    assert not verify_consistency(old, new, *roots, moved)


def test_a_byte_moved_between_siblings_fails():
    left, right = LEAVES[0], LEAVES[1]
    whole = parent_hash(left, right)

    assert parent_hash(left[:-1], left[-1:] + right) == whole
    assert not verify_inclusion(left[:-1], 0, 2, [left[-1:] + right], whole)


def test_sizes_that_no_tree_has_are_refused():
    assert not verify_inclusion(LEAVES[0], 1, 1, [], LEAVES[0])
    assert not verify_inclusion(LEAVES[0], -1, 1, [], LEAVES[0])
    assert not verify_consistency(2, 1, LEAVES[0], LEAVES[0], [])
    assert not verify_consistency(-1, 1, LEAVES[0], LEAVES[0], [])
    assert not verify_consistency(0, 1, LEAVES[0], LEAVES[0], [])
    assert verify_consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    with pytest.raises(ValueError, match="no leaf 3"):
        inclusion_proof(LEAVES[:3], 3)
    with pytest.raises(ValueError, match="does not grow"):
        consistency_proof(LEAVES[:3], 4)


# The text of a head

HEAD = LogHead(
    log="0a" * 16,
    size=1_204,
    chain="1b" * 32,
    root="2c" * 32,
    at=datetime(2026, 11, 30, 4, 0, 5, tzinfo=UTC),
)
TEXT = (
    "Optin log head 1\n"
    "log: 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a\n"
    "size: 1204\n"
    "chain: 1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b\n"
    "root: 2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c\n"
    "at: 2026-11-30T04:00:05Z\n"
)


def test_text_of_a_head_stays_the_same_for_ever():
    assert head_text(HEAD) == TEXT
    assert read_head_text(TEXT) == HEAD


def test_text_of_a_head_has_the_time_of_utc_in_whole_seconds():
    local = HEAD.at.astimezone(timezone(timedelta(hours=-5))).replace(microsecond=7)

    assert head_text(replace(HEAD, at=local)) == TEXT


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT.removesuffix("\n"),
        TEXT + "\n",
        " " + TEXT,
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("head 1", "head 2"),
        TEXT.replace("1204", "0"),
        TEXT.replace("1204", "01204"),
        TEXT.replace("1204", "1_204"),
        TEXT.replace("1204", "١٢٠٤"),
        TEXT.replace("1b", "1B"),
        TEXT.replace("11-30", "11-31"),
        TEXT.replace("Z", "+00:00"),
    ],
)
def test_any_other_text_is_no_head(text):
    with pytest.raises(Invalid):
        read_head_text(text)


def flipped(values, data):
    """The values with one bit of one of them the other way."""
    which = data.draw(st.integers(0, len(values) - 1))
    bit = data.draw(st.integers(0, 255))
    changed = bytearray(values[which])
    changed[bit // 8] ^= 1 << bit % 8
    return [*values[:which], bytes(changed), *values[which + 1 :]]
