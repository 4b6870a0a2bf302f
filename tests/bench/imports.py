"""Importing 100,000 contacts, beside what phonenumbers and email-validator alone need for them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from bot.consent.model import Actor, Role
from bot.consent.use_cases import Row, Service, import_rows
from bot.runtime import clock
from bot.runtime.read_email import read_email
from handlers.contacts_file import open_contacts
from handlers.webhooks.registry import known_providers
from storage import open_store
from tests.bench._contacts import imported, write

Report = Callable[[str, float, str, bool, str], None]

ROWS = 100_000
#: Rows after which the two that are compared take turns: the machine is never quiet.
_TURN = 1_000
_MOST_MEMORY = 250


def run(report: Report) -> None:
    """Tells the ratio, and the peak memory of a process that imports."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "contacts.csv"
        write(path, ROWS)
        floor, ours = _compare(path, Path(folder) / "compared" / "optin.json")
        report(
            f"import of {ROWS:,} rows, in times of its two libraries alone",
            ours / floor,
            "<= 2",
            ours / floor <= 2,
            f"{floor:.1f} s for phonenumbers and email-validator, {ours:.1f} s for the import",
        )
        _, memory = imported(path, f"tinydb:///{folder}/measured/optin.json")
        report(
            f"peak memory of the importing process, {ROWS:,} rows",
            memory,
            "<= 250 MB",
            memory <= _MOST_MEMORY,
            "the whole process, Python and its libraries included",
        )


def _compare(path: Path, storage: Path) -> tuple[float, float]:
    """Seconds for the libraries alone, and for the import of the same rows."""
    store = open_store(f"tinydb:///{storage}")
    service = Service(
        store=store,
        now=clock.now,
        region="US",
        read_email=read_email,
        hash_key=b"bench" * 8,
        providers=known_providers(),
    )
    actor = Actor(id="cli:bench", role=Role.OPERATOR, source="cli")
    turns = _Turns()
    begun = time.perf_counter()
    with open_contacts(path) as contacts:
        rows = turns.taken(contacts.read(clock.now()))
        done = import_rows(service, rows, file=path.name, actor=actor)
    seconds = time.perf_counter() - begun
    store.close()
    if done.rows != ROWS:
        raise AssertionError(f"{done.rows} of {ROWS} rows were imported")
    return turns.seconds, seconds - turns.seconds


class _Turns:
    """Lets the libraries alone read the rows that were just handed to the import."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def taken(self, rows: Iterable[Row]) -> Iterator[Row]:
        chunk: list[Row] = []
        for row in rows:
            chunk.append(row)
            yield row
            if len(chunk) == _TURN:
                self._alone(chunk)
                chunk = []
        self._alone(chunk)

    def _alone(self, rows: list[Row]) -> None:
        begun = time.perf_counter()
        for row in rows:
            try:
                number = phonenumbers.parse(row.details.phone or "", "US")
                if phonenumbers.is_valid_number(number):
                    phonenumbers.number_type(number)
                    phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
                validate_email(
                    row.details.email or "", check_deliverability=False, test_environment=True
                )
            except (phonenumbers.NumberParseException, EmailNotValidError):
                pass
        self.seconds += time.perf_counter() - begun
