"""The quick check of stored entries says what `log.chain.holds` says, whatever is stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.consent.errors import Corrupt
from bot.consent.log.chain import GENESIS, holds, redact, seal
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import Channel, Evidence, Origin
from bot.consent.store import Store
from storage.documents import encode
from storage.sealed_lines import links
from tests.support.store_fixtures import NOON, contact, entry, put

_decode = msgspec.json.Decoder(Entry).decode
#: Half a character can't be stored.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TIMES = st.builds(
    lambda past, hours: (NOON + timedelta(microseconds=past)).astimezone(
        timezone(timedelta(hours=hours))
    ),
    st.integers(-(10**15), 10**15) | st.integers(-1_000, 1_000).map(lambda s: s * 1_000_000),
    st.sampled_from([0, 0, 0, 5]),
)
PAIRS = st.tuples(st.none() | TEXTS | st.booleans(), st.none() | TEXTS | st.booleans())
ENTRIES = st.builds(
    Entry,
    id=TEXTS,
    kind=st.sampled_from(EntryKind),
    occurred_at=TIMES,
    recorded_at=TIMES,
    actor=TEXTS,
    source=TEXTS,
    contact=st.none() | TEXTS,
    version=st.integers(0, 2**40),
    channel=st.none() | st.sampled_from(Channel),
    sender=st.none() | TEXTS,
    by=st.none() | st.sampled_from(Origin),
    before=TEXTS,
    after=TEXTS,
    expected=st.booleans(),
    provider_id=st.none() | TEXTS,
    answers=st.none() | st.dictionaries(TEXTS, st.tuples(TEXTS, TEXTS), max_size=2),
    address=st.none() | TEXTS,
    reason=st.none() | TEXTS,
    evidence=st.none() | st.builds(Evidence, text=TEXTS, at=st.none() | TIMES),
    changes=st.none() | st.dictionaries(TEXTS, PAIRS, max_size=3),
)


def sealed(entries: list[Entry]) -> list[Entry]:
    made: list[Entry] = []
    for seq, one in enumerate(entries, 1):
        previous = made[-1].hash if made else GENESIS
        made.append(seal(one, seq=seq, previous=previous, salt=f"{seq:032x}"))
    return made


def checked(lines: list[bytes]) -> list[tuple[object, ...]]:
    return [tuple(link) for link in links(enumerate(lines), lambda _, line: _decode(line))]


def plainly(lines: list[bytes]) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    previous = GENESIS
    for line in lines:
        one = _decode(line)
        held = holds(one, previous)
        found.append((one.seq, one.hash, held, one.redacted, one.kind, one.contact))
        previous = one.hash
    return found


@settings(deadline=None)
@given(st.lists(ENTRIES, min_size=1, max_size=4), st.sets(st.integers(0, 3)))
def test_entries_hold_as_they_were_sealed(entries, bare):
    lines = [
        encode(redact(one) if number in bare else one) for number, one in enumerate(sealed(entries))
    ]

    assert checked(lines) == plainly(lines)
    assert all(link[2] for link in checked(lines))


@settings(deadline=None)
@given(ENTRIES, st.data())
def test_a_changed_byte_is_found_as_by_the_plain_check(one, data):
    lines = [encode(line) for line in sealed([one, one])]
    at = data.draw(st.integers(0, len(lines[0]) - 1))
    changed = bytearray(lines[0])
    changed[at] ^= 1 << data.draw(st.integers(0, 7))
    lines[0] = bytes(changed)
    try:
        expected = plainly(lines)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        with pytest.raises((msgspec.MsgspecError, UnicodeDecodeError)):
            checked(lines)
    else:
        assert checked(lines) == expected


@pytest.mark.parametrize(
    ("was", "became", "held"),
    [
        # The same values in other words.
        (b'"source"', b' "source"', True),
        (b"12:00:00Z", b"12:00:00+00:00", True),
        (b"slack:U1", b"slack:\\u00551", True),
        # Values that only look the same.
        (b"12:00:00Z", b"12:00:01Z", False),
        (b'"expected":false', b'"expected":true', False),
        (b'"answers":null', b'"answers":{"sms":["no","yes"]}', False),
        (b'"salt":"0', b'"salt":"1', False),
        (b'"sender":null', b'"sendes":null', True),
        (b'"channel":"sms"', b'"channem":"sms"', False),
    ],
)
def test_what_a_line_says_counts_and_not_how(was, became, held):
    (one,) = sealed([entry()])
    line = encode(one)
    assert was in line
    lines = [line.replace(was, became)]

    assert checked(lines) == plainly(lines)
    assert [link[2] for link in checked(lines)] == [held]


def test_a_time_without_its_zone_is_no_time():
    (one,) = sealed([entry()])
    lines = [encode(one).replace(b"12:00:00Z", b"12:00:00Q")]

    with pytest.raises(msgspec.MsgspecError):
        checked(lines)


def test_two_entries_in_one_line_are_none():
    first, second = map(encode, sealed([entry(), entry("e2")]))

    with pytest.raises(msgspec.MsgspecError):
        checked([first + b"," + second])


def test_a_storage_gives_the_links_of_its_log(store: Store):
    put(store, contact(), *(entry(f"e{n}", contact=f"c{n % 3}") for n in range(450)))
    with store.transaction() as records:
        records.log.redact("c1")
    with store.rehearsal() as records:
        records.log.append(entry("e9"))
        entries = list(records.log.all())
        found = list(records.log.links())

    assert [link.seq for link in found] == list(range(1, 452))
    assert [link.hash for link in found] == [one.hash for one in entries]
    assert all(link.holds for link in found)
    assert [link.redacted for link in found] == [one.redacted for one in entries]
    with store.reading() as records:
        assert list(records.log.links()) == found[:-1]


def test_utc_is_the_only_zone_that_is_stored():
    (one,) = sealed([replace(entry(), recorded_at=datetime(2026, 11, 3, 12, 0, 0, 5, tzinfo=UTC))])

    assert b'"2026-11-03T12:00:00.000005Z"' in encode(one)


def test_a_damaged_line_is_named_by_its_place():
    def read(place: int, line: bytes) -> Entry:
        try:
            return _decode(line)
        except msgspec.MsgspecError:
            raise Corrupt(f"byte {place}") from None

    lines = [(7 * n, encode(one)) for n, one in enumerate(sealed([entry(), entry("e2")]))]
    lines[1] = (lines[1][0], b"{")
    with pytest.raises(Corrupt, match="byte 7"):
        list(links(lines, read))
