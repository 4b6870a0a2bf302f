"""Senders and providers that the company no longer uses: their blocks stop counting (rules.md
§2b)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from bot.consent.addresses import key_of, without_scheme
from bot.consent.cases import Case, CaseState
from bot.consent.errors import Invalid, NotFound, Refused
from bot.consent.log.changes import Noted
from bot.consent.model import Actor, Channel
from bot.consent.parsing import looks_like_phone, read_phone
from bot.consent.permissions import Action, authorize
from bot.consent.records import Cases, KeyValue
from bot.consent.use_cases.cases.complete import complete
from bot.consent.use_cases.cases.requirements import missing_keys
from bot.consent.use_cases.cases.transition import redraw_case
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.known_senders import known_senders, read_kept, write_kept
from bot.consent.use_cases.record import Recorder

#: Open cases that are read at once.
_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """A sender or provider that stopped counting."""

    name: str
    by: str
    at: datetime


def retired(service: Service) -> Sequence[Retired]:
    """Senders and providers that the company no longer uses, by name."""
    with service.store.reading() as records:
        kept = read_kept(records.key_value).get("retired", {})
    return [
        Retired(name=name, by=by, at=datetime.fromisoformat(at))
        for name, (by, at) in sorted(kept.items())
    ]


def retire(service: Service, name: str, actor: Actor) -> str:
    """From now on blocks of this sender or provider stop counting, for everybody; an approved case
    that waited for nothing else is completed. The name under which it is known.

    Raises `NotAllowed` for whoever is no manager, `Refused` where it is retired already, and
    `NotFound` for a word that names neither. A number or a service that Optin has not seen is
    taken."""
    authorize(actor, Action.RETIRE)
    with service.store.transaction() as records:
        name = _known_as(service, records.key_value, name)
        kept = read_kept(records.key_value)
        gone = kept.setdefault("retired", {})
        if not name:
            raise Refused("Say which sender or provider.")
        if name in gone:
            raise Refused(f"{name} is retired already.")
        if name.isalpha() and not _is_known(service, records.key_value, name):
            raise NotFound(
                f"There is no sender or provider {name}. `optin provider list` names them."
            )
        now = service.now()
        gone[name] = [actor.id, now.isoformat()]
        write_kept(records.key_value, kept)
        recorder = Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=now
        )
        recorder.record(None, Noted(reason=f"{name} is retired: its blocks stop counting"))
        _look_at_cases(service, recorder)
    return name


def restore(service: Service, name: str, actor: Actor) -> str:
    """Blocks of this sender or provider count again. Raises as `retire` does, and `NotFound`."""
    authorize(actor, Action.RETIRE)
    with service.store.transaction() as records:
        name = _known_as(service, records.key_value, name)
        kept = read_kept(records.key_value)
        if kept.get("retired", {}).pop(name, None) is None:
            raise NotFound(f"{name} is not retired.")
        write_kept(records.key_value, kept)
        recorder = Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=service.now()
        )
        recorder.record(None, Noted(reason=f"{name} is used again: its blocks count"))
        _look_at_cases(service, recorder)
    return name


def _look_at_cases(service: Service, recorder: Recorder) -> None:
    """An approved case may have waited for the UNSTOP to a sender that counts no more. What the
    others wait for may be different now."""
    records = recorder.records
    known = known_senders(service, records.key_value)
    for case in _open_cases(records.cases):
        contact = records.contacts.get(case.contact)
        missing = missing_keys(records.addresses.get(key_of(case.address)), case.channel, known)
        if case.state is CaseState.APPROVED and contact is not None and not missing:
            complete(service, recorder, case, contact)
        elif case.channel is Channel.SMS:
            redraw_case(records.outbox, case)


def _open_cases(cases: Cases) -> Iterator[Case]:
    last: Case | None = None
    while page := cases.all_open(after=last, limit=_PAGE):
        yield from page
        last = page[-1]


def _is_known(service: Service, key_value: KeyValue, name: str) -> bool:
    groups = known_senders(service, key_value).groups
    return name in service.providers.by_id or any(group.has(name) for group in groups)


def _known_as(service: Service, key_value: KeyValue, text: str) -> str:
    """The name under which Optin keeps what somebody typed: E.164 for a number, the id for a
    provider, and for other senders the spelling that is known, in any case."""
    text = without_scheme(text.strip())
    known = known_senders(service, key_value)
    names = {*read_kept(key_value).get("retired", {}), *known.members, *known.members.values()}
    for group in known.groups:
        names |= {group.id, group.service or "", *(number.number for number in group.numbers)}
    same = [name for name in names if name and name.casefold() == text.casefold()]
    if same:
        return same[0]
    if looks_like_phone(text):
        with suppress(Invalid):
            return read_phone(text, service.region)[0]
    # A service's id has capitals, and a provider's has none.
    if any(character.isdigit() for character in text):
        return text
    return service.providers.id_of(text)
