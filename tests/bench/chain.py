"""What the log's chain and tree cost: verifying them, and proofs at a million entries."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.consent.log.changes import ConsentChanged, ContactChanged
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.log.merkle_tree import verify_consistency
from bot.consent.model import Channel, Consent, ConsentValue, Contact, Evidence, Origin
from bot.consent.use_cases import Service
from bot.consent.use_cases.log_tree import consistency, grow_tree, present_head, root_at
from bot.consent.use_cases.record import Recorder, new_id
from bot.consent.use_cases.verify import Verdict, verify_chain, verify_store
from bot.runtime import clock
from bot.runtime.read_email import read_email
from handlers.webhooks.registry import known_providers
from storage import open_store

Report = Callable[[str, float, str, bool, str], None]

ENTRIES, MANY = 50_000, 1_000_000
#: A contact is added, agrees twice, and texts STOP twice.
_EACH = 5
_BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
#: Earlier heads from which a proof is asked for.
_HEADS = 300


def run(report: Report) -> None:
    """Tells what `optin verify` and a consistency proof cost."""
    with tempfile.TemporaryDirectory() as folder:
        for name, url in (
            ("TinyDB", f"tinydb:///{folder}/optin.json"),
            ("SQLite", f"sqlite:///{folder}/optin.db"),
        ):
            service = _service(url)
            _fill(service)
            grow_tree(service)
            _verifying(
                report, name, "chain alone", 200_000, lambda s=service: verify_chain(s.store)
            )
            _verifying(
                report, name, "with the fold", 60_000, lambda s=service: verify_store(s.store)
            )
            service.store.close()
        _proofs(report, f"sqlite:///{Path(folder) / 'many.db'}")


def _verifying(
    report: Report, storage: str, what: str, least: int, verify: Callable[[], Verdict]
) -> None:
    took = []
    for _ in range(3):
        begun = time.process_time()
        verdict = verify()
        took.append(time.process_time() - begun)
        assert verdict.problem is None
    speed = ENTRIES / min(took)
    report(
        f"entries verified in a CPU second, {what}, {storage}",
        speed,
        f">= {least:,}",
        speed >= least,
        f"{min(took) / ENTRIES * 1e6:.1f} µs for each of {ENTRIES:,}",
    )


def _proofs(report: Report, url: str) -> None:
    service = _service(url)
    for first in range(0, MANY, 20_000):
        with service.store.transaction() as records:
            for entry in _notes(first, 20_000):
                records.log.append(entry)
    begun = time.process_time()
    groups = grow_tree(service)
    grown = time.process_time() - begun
    with service.store.transaction() as records:
        for entry in _notes(MANY, 77):
            records.log.append(entry)
    took = []
    with service.store.reading() as records:
        head = present_head(records, clock.now())
        new = bytes.fromhex(head.root)
        for old in range(1, head.size, head.size // _HEADS):
            begun = time.perf_counter()
            proof = consistency(records, old, head.size)
            took.append((time.perf_counter() - begun) * 1000)
            assert verify_consistency(old, head.size, root_at(records, old), new, proof)
    service.store.close()
    median, slowest = statistics.median(took), max(took)
    report(
        f"ms for a consistency proof at {MANY:,} entries on SQLite, median",
        median,
        "<= 5",
        median <= 5,
        f"slowest {slowest:.1f} ms of {len(took)}; {groups:,} groups stored in {grown:.1f} s",
    )


def _fill(service: Service) -> None:
    for first in range(0, ENTRIES // _EACH, 1_000):
        with service.store.transaction() as records:
            for number in range(first, first + 1_000):
                now = _BEGAN + timedelta(seconds=number, microseconds=number % 997)
                staff = Recorder(
                    service=service, records=records, actor="slack:U1", source="slack", now=now
                )
                contact = Recorder(
                    service=service,
                    records=records,
                    actor="contact",
                    source="provider:twilio",
                    now=now,
                    provider_id=f"SM{number:032x}",
                )
                phone = f"+1415{2_000_000 + number}"
                added: dict[str, tuple[None, str]] = {
                    "name": (None, f"Ana Gómez {number}"),
                    "phone": (None, phone),
                }
                known = staff.record(
                    None, ContactChanged(after="added", changes=added), creates=new_id(now)
                )
                for _ in range(2):
                    known = _flip(staff, known, phone, ConsentValue.YES)
                    known = _flip(contact, known, phone, ConsentValue.NO)


def _flip(
    recorder: Recorder, known: Contact | None, phone: str, to: ConsentValue
) -> Contact | None:
    assert known is not None
    no = to is ConsentValue.NO
    changed = ConsentChanged(
        before=known.consents.get(phone, Consent()).on,
        after=to,
        by=Origin.CONTACT if no else Origin.STAFF,
        reason="STOP" if no else None,
        evidence=None if no else Evidence(text="web form", at=recorder.now),
        sender="+18885550199" if no else None,
    )
    return recorder.record(known, changed, address=phone, channel=Channel.SMS)


def _notes(first: int, count: int) -> Iterator[Entry]:
    for number in range(first, first + count):
        yield Entry(
            id=f"{number:032x}",
            kind=EntryKind.NOTE,
            occurred_at=_BEGAN,
            recorded_at=_BEGAN,
            actor="cli:bench",
            source="cli",
            reason="a note",
        )


def _service(url: str) -> Service:
    return Service(
        store=open_store(url),
        now=clock.now,
        region="US",
        read_email=read_email,
        hash_key=b"bench" * 8,
        providers=known_providers(),
    )
