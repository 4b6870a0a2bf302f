"""Importing a million rows into SQLite and PostgreSQL, beside reading them with the same libraries
and loading contacts and entries by what each database loads quickest by; each in a process of its
own. `OPTIN_BENCH_CONTACTS` makes it smaller.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from pathlib import Path

from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import Channel, ConsentValue, Contact, Origin
from bot.consent.use_cases import Row, Service
from bot.consent.use_cases.contacts import Fields, read_details
from bot.runtime import clock
from bot.runtime.read_email import read_email
from handlers.contacts_file import open_contacts
from handlers.webhooks.registry import known_providers
from storage import open_store
from tests.bench._contacts import imported, loaded, write
from tests.bench._loading import LARGE, loading
from tests.support.postgres_fixtures import Server

Report = Callable[[str, float, str, bool, str], None]

_MOST_MEMORY = 300
#: Rows that the floor loads at a time.
_PAGE = 10_000
_NOW = clock.now()


def run(report: Report) -> None:
    """Tells, for each database, the ratio and the peak memory of the process that imports."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "contacts.csv"
        write(path, LARGE)
        _measure(report, "sqlite", path, *(f"sqlite:///{folder}/{n}.db" for n in ("bare", "ours")))
        server = Server(options=["-c shared_buffers=256MB", "-c max_wal_size=4GB"])
        try:
            _measure(report, "postgresql", path, server.another("bare"), server.another("ours"))
        finally:
            server.remove()


def _measure(report: Report, kind: str, path: Path, bare: str, ours: str) -> None:
    for url in (bare, ours):
        open_store(url).close()
    floor = loaded(__file__, path, bare)
    seconds, memory = imported(path, ours)
    report(
        f"{kind}: import of {LARGE:,} rows, in reading them and loading contacts and entries",
        seconds / floor,
        "<= 2",
        seconds / floor <= 2,
        f"{seconds:.1f} s, from the start of `optin import` to its end, and {floor:.1f} s",
    )
    report(
        f"{kind}: peak memory of the importing process, {LARGE:,} rows, in MB",
        memory,
        f"<= {_MOST_MEMORY}",
        memory <= _MOST_MEMORY,
        "the whole process, Python and its libraries included",
    )


def _load(path: Path, url: str) -> float:
    """Seconds for reading the rows and loading what comes of them. What it takes to make contacts
    and entries of them is left out."""
    seconds, seq = 0.0, 0
    with closing(open_store(url)) as store, loading(url) as load:
        service = Service(
            store=store,
            now=clock.now,
            region="US",
            read_email=read_email,
            hash_key=b"bench" * 8,
            providers=known_providers(),
        )
        begun = time.perf_counter()
        with open_contacts(path) as contacts:
            rows = contacts.read(clock.now())
            while page := [
                (row, read_details(service, row.details)) for row in islice(rows, _PAGE)
            ]:
                seconds += time.perf_counter() - begun
                people = [_contact(seq + number, fields) for number, (_, fields) in enumerate(page)]
                entries: list[Entry] = []
                for (row, _), contact in zip(page, people, strict=True):
                    entries += _entries(row, contact, seq + len(entries))
                seq += len(entries)
                begun = time.perf_counter()
                load(people, entries)
        return seconds + time.perf_counter() - begun


def _contact(number: int, fields: Fields) -> Contact:
    return Contact(
        id=f"{number:032x}",
        name=str(fields["name"]),
        company=fields.get("company") or "",
        phone=fields["phone"],
        email=fields["email"],
        version=1,
    )


def _entries(row: Row, contact: Contact, seq: int) -> list[Entry]:
    """As many as the import makes: that it came, and an answer or two."""
    told = [(Channel.SMS, row.sms), (Channel.EMAIL, row.email)]
    answers = [(channel, on) for channel, on in told if on is not ConsentValue.UNSET]
    return [
        Entry(
            id=f"{seq + number:032x}",
            kind=EntryKind.CONSENT if channel else EntryKind.CONTACT,
            occurred_at=_NOW,
            recorded_at=_NOW,
            actor="import:bench",
            source="import",
            contact=contact.id,
            version=number,
            channel=channel,
            by=Origin.IMPORT,
            after=on,
            address=contact.address(channel) if channel else None,
            evidence=row.evidence,
            seq=seq + number,
            salt="0" * 32,
            digest="0" * 64,
            hash="0" * 64,
        )
        for number, (channel, on) in enumerate([(None, "added"), *answers], 1)
    ]


if __name__ == "__main__":
    sys.stdout.write(f"{_load(Path(sys.argv[1]), sys.argv[2])}\n")
