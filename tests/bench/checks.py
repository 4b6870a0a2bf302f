"""Checking 10,000 addresses, beside phonenumbers and the storage's look-ups alone."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import phonenumbers

from bot.consent.model import Actor, ConsentValue, Role
from bot.consent.use_cases import Details, Row, Service, check_addresses, import_rows
from bot.runtime import clock
from bot.runtime.read_email import read_email
from handlers.webhooks.registry import known_providers
from storage import open_store

Report = Callable[[str, float, str, bool, str], None]

ADDRESSES = 10_000
#: As many are looked up in one state of the storage, as the check does.
_TOGETHER = 200
_ROUNDS = 5
_OPERATOR = Actor(id="cli:bench", role=Role.OPERATOR, source="cli")


def run(report: Report) -> None:
    """Tells the ratio of processor time on each embedded storage."""
    phones = [f"(415) {200 + n // 10_000}-{n % 10_000:04}" for n in range(ADDRESSES)]
    for kind, suffix in (("tinydb", "json"), ("sqlite", "db")):
        with tempfile.TemporaryDirectory() as folder:
            service = _filled(f"{kind}:///{Path(folder) / f'optin.{suffix}'}", phones)
            floors, ours = [], []
            for _ in range(_ROUNDS):
                floors.append(_alone(service, phones))
                ours.append(_checked(service, phones))
            service.store.close()
        floor, our = statistics.median(floors), statistics.median(ours)
        report(
            f"check of {ADDRESSES:,} addresses on {kind}, in phonenumbers and look-ups alone",
            our / floor,
            "<= 1.2",
            our / floor <= 1.2,
            f"{floor:.2f} s and {our:.2f} s of processor",
        )


def _filled(url: str, phones: Iterable[str]) -> Service:
    service = Service(
        store=open_store(url),
        now=clock.now,
        region="US",
        read_email=read_email,
        hash_key=b"bench" * 8,
        providers=known_providers(),
    )
    rows = (
        Row(line=n, details=Details(name=f"Ana {n}", phone=phone), sms=ConsentValue.YES)
        for n, phone in enumerate(phones, 2)
    )
    import_rows(service, rows, file="bench.csv", actor=_OPERATOR)
    return service


def _alone(service: Service, phones: list[str]) -> float:
    begun = time.process_time()
    keys = []
    for phone in phones:
        number = phonenumbers.parse(phone, "US")
        if phonenumbers.is_valid_number(number):
            keys.append(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    for at in range(0, len(keys), _TOGETHER):
        with service.store.reading() as records:
            for key in keys[at : at + _TOGETHER]:
                records.contacts.at(key)
                records.addresses.get(key)
    return time.process_time() - begun


def _checked(service: Service, phones: list[str]) -> float:
    begun = time.process_time()
    answered = sum(1 for _ in check_addresses(service, phones, _OPERATOR))
    if answered != len(phones):
        raise AssertionError(f"{answered} of {len(phones)} addresses were answered")
    return time.process_time() - begun
