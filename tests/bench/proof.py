"""What proof costs: an answer about the past, and an evidence pack."""

from __future__ import annotations

import io
import random
import sqlite3
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.consent.log.chain import GENESIS, seal
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import (
    Actor,
    BlockState,
    Channel,
    Consent,
    ConsentValue,
    Contact,
    Origin,
    Role,
)
from bot.consent.use_cases import Service
from bot.consent.use_cases.log_tree import grow_tree
from bot.consent.use_cases.time_travel import TimeBasis, profile_at
from bot.runtime import clock
from bot.runtime.read_email import read_email
from handlers.evidence_pack import pack_verifier
from handlers.evidence_pack.make_pack import make_pack
from handlers.evidence_pack.pack_reader import PackReader
from handlers.webhooks.registry import known_providers
from storage import open_store
from tests.bench._loading import loading

Report = Callable[[str, float, str, bool, str], None]

ENTRIES = 1_000_000
#: Each contact is added, agrees, and says STOP, which also blocks.
_EACH = 4
_ASKED = 300
_PACKS = 50
_BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
_OPERATOR = Actor(id="cli:bench", role=Role.OPERATOR, source="cli")


def run(report: Report) -> None:
    """Tells how long an answer about the past takes on SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'optin.db'}"
        contacts = _filled(url)
        _past(report, url, contacts)
        _packs(report, url, contacts)


def _past(report: Report, url: str, contacts: int) -> None:
    service = _service(url)
    rng, took = random.Random(17), []
    for by in TimeBasis:
        for _ in range(_ASKED):
            number = rng.randrange(contacts)
            at = _BEGAN + timedelta(seconds=number * _EACH + 2)
            begun = time.perf_counter()
            profile_at(service, _id(number), at, _OPERATOR, by=by)
            took.append((time.perf_counter() - begun) * 1000)
    service.store.close()
    p99, median = statistics.quantiles(took, n=100)[98], statistics.median(took)
    report(
        f"ms for a contact as of a past moment, at {ENTRIES:,} entries on SQLite, p99",
        p99,
        "<= 50",
        p99 <= 50,
        f"median {median:.2f} ms, slowest {max(took):.2f} ms of {len(took)}",
    )


def _packs(report: Report, url: str, contacts: int) -> None:
    service = _service(url)
    grow_tree(service)
    reader = PackReader(providers=service.providers, version="bench", actor=_OPERATOR.id)
    rng, took = random.Random(17), []
    for _ in range(_PACKS):
        begun = time.perf_counter()
        pack = make_pack(service, _id(rng.randrange(contacts)), _OPERATOR, reader)
        took.append(time.perf_counter() - begun)
        with zipfile.ZipFile(io.BytesIO(pack.content)) as files:
            pack_verifier.check({name: files.read(name) for name in files.namelist()}, [])
    service.store.close()
    report(
        f"s for an evidence pack, at {ENTRIES:,} entries on SQLite, at most",
        max(took),
        "<= 1",
        max(took) <= 1,
        f"median {statistics.median(took) * 1000:.0f} ms of {len(took)}; each one verified",
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


def _filled(url: str) -> int:
    """How many contacts there are."""
    open_store(url).close()
    contacts = ENTRIES // _EACH
    head = GENESIS
    with loading(url) as load:
        for first in range(0, contacts, 5_000):
            page = [*map(_history, range(first, min(first + 5_000, contacts)))]
            entries = [*_sealed((e for _, entries in page for e in entries), head)]
            load([contact for contact, _ in page], entries)
            head = entries[-1].hash
    with closing(sqlite3.connect(url.partition("///")[2])) as file, file:
        file.execute("UPDATE heads SET seq = ?, hash = ?", (contacts * _EACH, head))
    return contacts


def _sealed(entries: Iterable[Entry], previous: str) -> Iterator[Entry]:
    for entry in entries:
        sealed = seal(entry, seq=entry.seq, previous=previous, salt="0" * 32)
        previous = sealed.hash
        yield sealed


def _id(number: int) -> str:
    return f"{number:032x}"


def _history(number: int) -> tuple[Contact, list[Entry]]:
    phone = f"+1415{number:07}"
    contact = Contact(id=_id(number), name=f"Ana {number}", phone=phone, created_at=_BEGAN)
    no = Consent(on=ConsentValue.NO, by=Origin.CONTACT, since=_BEGAN, actor="contact")
    return replace(contact, consents={phone: no}), list(_entries(number, contact))


def _entries(number: int, contact: Contact) -> Iterator[Entry]:
    def entry(n: int, kind: EntryKind, **more: object) -> Entry:
        at, seq = _BEGAN + timedelta(seconds=number * _EACH + n), number * _EACH + n + 1
        told = {"actor": "contact", "source": "provider:twilio", "version": n + 1}
        given = told | more | {"seq": seq}
        return Entry(  # type: ignore[arg-type]
            id=f"{seq:032x}", kind=kind, occurred_at=at, recorded_at=at, contact=contact.id, **given
        )

    sms = {"address": contact.phone, "channel": Channel.SMS, "by": Origin.CONTACT}
    changes = {"name": (None, contact.name), "phone": (None, contact.phone)}
    yes, no = ConsentValue.YES, ConsentValue.NO
    yield entry(0, EntryKind.CONTACT, after="added", changes=changes)
    yield entry(1, EntryKind.CONSENT, **sms, before="UNSET", after=yes, actor="api:web")
    yield entry(2, EntryKind.CONSENT, **sms, before=yes, after=no, reason="STOP")
    blocked = {"before": BlockState.NONE, "after": BlockState.BLOCKED, "sender": "+18885550199"}
    yield entry(3, EntryKind.BLOCK, **sms, **blocked)
