"""One entry of the Activity Log: its seal, and what it does."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.consent.log.apply import apply
from bot.consent.log.chain import GENESIS, holds, redact, seal
from bot.consent.log.entries import CHANGING, Entry, EntryKind
from bot.consent.model import (
    AddressFacts,
    BlockState,
    Bounce,
    Channel,
    Consent,
    ConsentValue,
    Contact,
    Evidence,
    LineType,
    Origin,
)

pytestmark = pytest.mark.every_storage

AT = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)
PHONE = "+14155550100"
SALT = "5a17" * 8

CONSENT = Entry(
    id="01a19f0c2d60" + "ab" * 10,
    kind=EntryKind.CONSENT,
    occurred_at=AT,
    recorded_at=AT + timedelta(seconds=1, microseconds=5),
    actor="slack:U0AGENT1",
    source="slack",
    contact="01a19f0c2d60" + "cd" * 10,
    version=7,
    channel=Channel.SMS,
    by=Origin.CONTACT,
    before="NO",
    after="YES",
    address=PHONE,
    reason="Asked by phone",
    evidence=Evidence(text="Ana said: «yes, please» ☎", at=AT - timedelta(days=1)),
)
ADDED = Entry(
    id="01a19f0c2d60" + "ef" * 10,
    kind=EntryKind.CONTACT,
    occurred_at=AT,
    recorded_at=AT,
    actor="cli:root",
    source="cli",
    contact="01a19f0c2d60" + "cd" * 10,
    version=1,
    after="added",
    changes={"phone": (None, PHONE), "name": (None, "Ana Gómez"), "line": (None, LineType.MOBILE)},
)
FIRST = seal(ADDED, seq=1, previous=GENESIS, salt=SALT)
SECOND = seal(CONSENT, seq=2, previous=FIRST.hash, salt="00" * 16)


def test_the_hashes_are_what_they_have_always_been():
    assert (FIRST.digest, FIRST.hash) == (
        "7effd6ea3f9097c8b04b1b299987cabb2f74881329a1bca616439648680ce70d",
        "557b9dc3f2224b1e884399c0bfa3450af7eea6095afb2654633527fb1b924d7a",
    )
    assert (SECOND.digest, SECOND.hash) == (
        "80cee560efcd1488ec796a0527dd20529f65e9d042bbdddbf209d75a67129d2a",
        "f738b65762331dfaf54bcf513d680303ecb530ca8143719a9800c6ab6ae92e72",
    )


def test_a_sealed_entry_holds_after_the_one_before_it_and_after_no_other():
    assert holds(FIRST, GENESIS)
    assert holds(SECOND, FIRST.hash)
    assert not holds(SECOND, GENESIS)
    assert not holds(FIRST, SECOND.hash)


OTHER = {
    "kind": EntryKind.NOTE,
    "occurred_at": AT + timedelta(microseconds=1),
    "recorded_at": AT,
    "channel": Channel.EMAIL,
    "by": Origin.STAFF,
    "expected": True,
    "version": 8,
    "seq": 3,
    "evidence": Evidence(text="another", at=AT),
    "changes": {"name": ("Ana", "Eve")},
    "answers": {"sms": ("no", "yes")},
}


@pytest.mark.parametrize("name", [field.name for field in fields(Entry)])
def test_no_field_can_be_changed_unseen(name: str):
    changed = replace(SECOND, **{name: OTHER.get(name, "something else")})

    assert not holds(changed, FIRST.hash)


def test_the_answers_of_an_entry_cannot_be_changed_unseen():
    answered = seal(
        replace(CONSENT, answers={"sms": ("yes", "no")}), seq=2, previous=FIRST.hash, salt=SALT
    )

    assert holds(answered, FIRST.hash)
    assert not holds(replace(answered, answers={"sms": ("yes", "yes")}), FIRST.hash)
    assert not holds(replace(answered, answers=None), FIRST.hash)


@pytest.mark.parametrize("name", ["address", "reason", "evidence"])
def test_nothing_can_be_taken_out_unseen_but_by_erasing_all_that_is_personal(name: str):
    assert not holds(replace(SECOND, **{name: None}), FIRST.hash)
    assert not holds(replace(SECOND, salt=""), FIRST.hash)


def test_the_time_of_evidence_cannot_be_changed_unseen():
    assert SECOND.evidence is not None
    moved = replace(SECOND.evidence, at=AT)

    assert not holds(replace(SECOND, evidence=moved), FIRST.hash)


def test_the_hash_of_a_time_does_not_depend_on_its_zone():
    elsewhere = replace(CONSENT, occurred_at=AT.astimezone(timezone(timedelta(hours=-8))))

    assert seal(elsewhere, seq=2, previous=FIRST.hash, salt="00" * 16).hash == SECOND.hash


def test_the_hash_of_changes_does_not_depend_on_their_order_nor_on_lists():
    assert ADDED.changes is not None
    shuffled = {name: list(pair) for name, pair in reversed(ADDED.changes.items())}
    again = seal(
        replace(ADDED, changes=shuffled),  # type: ignore[arg-type]  # as storage may bring it back
        seq=1,
        previous=GENESIS,
        salt=SALT,
    )

    assert again.hash == FIRST.hash


def test_erasing_the_personal_part_leaves_the_chain_whole():
    redacted = redact(SECOND)

    assert redacted.redacted
    assert holds(redacted, FIRST.hash)
    assert (redacted.address, redacted.reason, redacted.evidence, redacted.changes) == (None,) * 4
    assert redacted.hash == SECOND.hash


def test_the_digest_alone_tells_nobody_the_number_since_its_salt_is_gone():
    again = seal(CONSENT, seq=2, previous=FIRST.hash, salt="11" * 16)

    assert redact(SECOND).salt == ""
    assert again.digest != SECOND.digest


def test_a_lone_surrogate_can_be_hashed():
    odd = seal(replace(CONSENT, reason="\ud800"), seq=1, previous=GENESIS, salt=SALT)

    assert holds(odd, GENESIS)


def test_an_added_contact_has_what_the_entry_says():
    contact, facts = apply(ADDED, None, None)

    assert facts is None
    assert contact == Contact(
        id=ADDED.contact or "",
        version=1,
        name="Ana Gómez",
        phone=PHONE,
        line=LineType.MOBILE,
        created_at=AT,
    )


def test_a_consent_belongs_to_the_contact_and_to_the_address():
    contact, _ = apply(ADDED, None, None)
    after, facts = apply(CONSENT, contact, AddressFacts(address=PHONE))

    assert after is not None
    assert after.version == 7
    assert facts == AddressFacts(address=PHONE)
    assert after.consents[PHONE] == Consent(
        on=ConsentValue.YES,
        by=Origin.CONTACT,
        since=AT,
        actor="slack:U0AGENT1",
        reason="Asked by phone",
        evidence=CONSENT.evidence,
    )


def test_a_refusal_at_an_address_that_nobody_has_is_kept_with_the_address():
    nobody = replace(CONSENT, contact=None, version=0, after="NO")

    contact, facts = apply(nobody, None, AddressFacts(address=PHONE))

    assert contact is None
    assert facts is not None
    assert facts.refusal is not None
    assert facts.refusal.since == AT


def test_only_a_bounce_that_the_contact_caused_is_a_complaint_and_clearing_ends_it():
    entry = replace(CONSENT, kind=EntryKind.BOUNCE, before="NO", after="YES")
    contact, _ = apply(ADDED, None, None)
    empty = AddressFacts(address=PHONE)

    _, complained = apply(entry, contact, empty)
    _, bounced = apply(replace(entry, by=None), contact, empty)
    _, cleared = apply(replace(entry, by=Origin.STAFF, after="PROBATION"), contact, complained)

    assert complained is not None
    assert (complained.bounce, complained.complaint) == (Bounce.YES, True)
    assert bounced is not None
    assert (bounced.bounce, bounced.complaint, bounced.bounced_at) == (Bounce.YES, False, AT)
    assert cleared == AddressFacts(address=PHONE, bounce=Bounce.PROBATION, bounced_at=AT)


def test_a_block_belongs_to_one_sender_and_is_lifted_for_that_one():
    entry = replace(CONSENT, kind=EntryKind.BLOCK, sender="+18885550199", after="blocked")
    contact, _ = apply(ADDED, None, None)
    _, one = apply(entry, contact, AddressFacts(address=PHONE))
    _, two = apply(replace(entry, sender="+14155550177", after="unknown"), contact, one)
    _, lifted = apply(replace(entry, after="none"), contact, two)

    assert two is not None
    assert lifted is not None
    assert set(two.blocks) == {"+18885550199", "+14155550177"}
    assert {s: b.state for s, b in lifted.blocks.items()} == {"+14155550177": BlockState.UNKNOWN}


def test_block_bounce_and_consent_leave_one_another_alone():
    contact, _ = apply(ADDED, None, None)
    empty = AddressFacts(address=PHONE)
    block = replace(CONSENT, kind=EntryKind.BLOCK, sender="+18885550199", after="blocked")
    bounce = replace(CONSENT, kind=EntryKind.BOUNCE, after="YES", by=None)

    blocked, facts = apply(block, contact, empty)
    bounced, worse = apply(bounce, blocked, facts)

    assert blocked is not None
    assert bounced is not None
    assert facts is not None
    assert worse is not None
    assert blocked.consents == bounced.consents == {}
    assert facts.bounce is Bounce.NO
    assert worse.blocks == facts.blocks


@pytest.mark.parametrize("kind", [kind for kind in EntryKind if kind not in CHANGING])
def test_what_only_tells_changes_nothing(kind: EntryKind):
    contact, _ = apply(ADDED, None, None)
    facts = AddressFacts(address=PHONE)

    assert apply(replace(CONSENT, kind=kind), contact, facts) == (contact, facts)


def test_an_erased_contact_has_nothing_left_but_the_fact():
    contact, _ = apply(ADDED, None, None)
    erased, _ = apply(replace(CONSENT, kind=EntryKind.ERASED, version=2), contact, None)

    assert erased == Contact(id=ADDED.contact or "", version=2, erased=True)
