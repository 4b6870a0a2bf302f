"""What is known of our senders beside `OPTIN_SENDERS`: which service a number belongs to, as events
show it, and which senders and providers the company no longer uses (rules.md §2b)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from bot.consent.activity import Kind
from bot.consent.addresses import without_scheme
from bot.consent.authority import Action, authorize
from bot.consent.errors import Invalid, NotFound, Refused
from bot.consent.model import Actor, AddressFacts
from bot.consent.reading import looks_like_phone, read_phone
from bot.consent.senders import Senders
from bot.consent.service.record import Recorder
from bot.consent.service.service import Service
from bot.consent.store import Records
from bot.consent.suppressions import provider_id

#: The mark with both, as JSON.
MARK = "senders"
#: Numbers whose service is remembered, at most: more than a company has.
_MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """A sender or provider that stopped counting."""

    name: str
    by: str
    at: datetime


def senders_of(service: Service, records: Records, *facts: AddressFacts) -> Senders:
    """All that is known of our senders; where these facts have no block, only what `OPTIN_SENDERS`
    says."""
    for known in facts:
        if known.blocks:
            return known_senders(service, records)
    return _configured(service)


def known_senders(service: Service, records: Records) -> Senders:
    """All that is known of our senders."""
    kept = _read(records)
    if not kept:
        return _configured(service)
    return Senders(
        groups=tuple(service.senders),
        members={number: told[0] for number, told in kept.get("members", {}).items()},
        retired=frozenset(kept.get("retired", {})),
    )


def learn(records: Records, known: Senders, number: str, told_service: str, at: datetime) -> bool:
    """Remembers that an event showed this number and this service together; the newest counts.
    Whether that is news."""
    if known.service_of(number) == told_service:
        return False
    kept = _read(records)
    members = kept.setdefault("members", {})
    if number in members and members[number][1] > at.isoformat():
        return False
    if number not in members and len(members) >= _MOST:
        return False
    members[number] = [told_service, at.isoformat()]
    _write(records, kept)
    return True


def senders(service: Service) -> Senders:
    """All that is known of our senders."""
    with service.store.reading() as records:
        return known_senders(service, records)


def retired(service: Service) -> Sequence[Retired]:
    """Senders and providers that the company no longer uses, by name."""
    with service.store.reading() as records:
        kept = _read(records).get("retired", {})
    return [
        Retired(name=name, by=by, at=datetime.fromisoformat(at))
        for name, (by, at) in sorted(kept.items())
    ]


def retire(service: Service, name: str, actor: Actor) -> str:
    """From now on blocks of this sender or provider stop counting, for everybody. The name under
    which it is known.

    Raises `NotAllowed` for whoever is no manager, and `Refused` where it is retired already."""
    authorize(actor, Action.RETIRE)
    with service.store.transaction() as records:
        name = _known_as(service, records, name)
        kept = _read(records)
        gone = kept.setdefault("retired", {})
        if not name:
            raise Refused("Say which sender or provider.")
        if name in gone:
            raise Refused(f"{name} is retired already.")
        now = service.now()
        gone[name] = [actor.id, now.isoformat()]
        _write(records, kept)
        recorder = Recorder(records=records, actor=actor.id, source=actor.source, now=now)
        recorder.record(Kind.NOTE, None, reason=f"{name} is retired: its blocks stop counting")
    return name


def restore(service: Service, name: str, actor: Actor) -> str:
    """Blocks of this sender or provider count again. Raises as `retire` does, and `NotFound`."""
    authorize(actor, Action.RETIRE)
    with service.store.transaction() as records:
        name = _known_as(service, records, name)
        kept = _read(records)
        if kept.get("retired", {}).pop(name, None) is None:
            raise NotFound(f"{name} is not retired.")
        _write(records, kept)
        recorder = Recorder(records=records, actor=actor.id, source=actor.source, now=service.now())
        recorder.record(Kind.NOTE, None, reason=f"{name} is used again: its blocks count")
    return name


def _known_as(service: Service, records: Records, text: str) -> str:
    """How what somebody typed is kept: a number in E.164, a provider by its id, what else there is
    of senders without regard to case."""
    text = without_scheme(text.strip())
    known = known_senders(service, records)
    names = {*_read(records).get("retired", {}), *known.members, *known.members.values()}
    for group in known.groups:
        names |= {group.id, group.service or "", *(number.number for number in group.numbers)}
    same = [name for name in names if name and name.casefold() == text.casefold()]
    if same:
        return same[0]
    if looks_like_phone(text):
        with suppress(Invalid):
            return read_phone(text, service.region)[0]
    # A service's id has capitals, and a provider's has none.
    return text if any(character.isdigit() for character in text) else provider_id(text)


def _configured(service: Service) -> Senders:
    return Senders(groups=tuple(service.senders)) if service.senders else _NONE


_NONE = Senders()

Kept = dict[str, dict[str, list[str]]]


def _read(records: Records) -> Kept:
    text = records.mark(MARK)
    kept: Kept = json.loads(text) if text else {}
    return kept


def _write(records: Records, kept: Mapping[str, object]) -> None:
    records.put_mark(MARK, json.dumps(kept, sort_keys=True))
