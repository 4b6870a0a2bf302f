"""The list of a storm: whom it was about, from the Activity Log, with numbers masked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.consent.alerts import Alert, AlertKind
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import ConsentValue
from bot.consent.parsing import masked
from bot.consent.store import Records
from bot.consent.use_cases.alerts.storms import SHORT, digit_parts, live_key
from bot.consent.use_cases.context import Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One opt-out of a storm."""

    at: datetime
    #: "ending 0100"; empty where not even that is stored.
    masked: str
    #: The contact's id here.
    contact: str | None


def storm_list(service: Service, storm: Alert) -> Sequence[Listed]:
    """The opt-outs of a storm, oldest first, from the Activity Log."""
    found: list[Listed] = []
    before: int | None = None
    with service.store.reading() as records:
        digits = _stored_digits(records, storm)
    while True:
        with service.store.reading() as records:
            page = records.log.entries(
                kinds=(EntryKind.CONSENT,), channel=storm.subject.channel, before=before, limit=500
            )
        for entry in page:
            if entry.recorded_at < storm.first_at:
                return found[::-1]
            if entry.recorded_at <= storm.last_at and entry.after == ConsentValue.NO:
                found.append(_listed(service, storm, entry, digits))
        if not page:
            return found[::-1]
        before = page[-1].seq


def _listed(service: Service, storm: Alert, entry: Entry, digits: Mapping[str, str]) -> Listed:
    address = entry.address or ""
    if not address.startswith("hash:"):
        shown = masked(address) if address else ""
    elif (shown := digits.get(address[SHORT], "")) == "":
        shown = _of_single(service, storm, address, entry.occurred_at)
    return Listed(at=entry.occurred_at, masked=shown, contact=entry.contact)


def _of_single(service: Service, storm: Alert, address: str, at: datetime) -> str:
    """The last digits of a stranger who had an alert of their own."""
    key = live_key(AlertKind.UNKNOWN, storm.subject.channel, address, at.date())
    with service.store.reading() as records:
        single = records.outbox.newest_for(key)
    return single.subject.masked if single else ""


def _stored_digits(records: Records, storm: Alert) -> Mapping[str, str]:
    digits: dict[str, str] = {}
    for part in digit_parts(storm):
        digits |= json.loads(records.key_value.get(part) or "{}")
    return digits
