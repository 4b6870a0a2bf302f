"""What is known of our senders beside `OPTIN_SENDERS`: which service a number belongs to, as events
show it, and which of them are retired (rules.md §2b)."""

from __future__ import annotations

import json
from datetime import datetime

from bot.consent.model import AddressFacts
from bot.consent.records import KeyValue
from bot.consent.senders import Senders
from bot.consent.use_cases.context import Service

#: The mark with both, as JSON.
MARK = "senders"
#: Numbers whose service is remembered, at most: more than a company has.
_MOST = 10_000


def senders_of(service: Service, key_value: KeyValue, *facts: AddressFacts) -> Senders:
    """All that is known of our senders; where these facts have no block, only what `OPTIN_SENDERS`
    says."""
    for known in facts:
        if known.blocks:
            return known_senders(service, key_value)
    return _configured(service)


def known_senders(service: Service, key_value: KeyValue) -> Senders:
    """All that is known of our senders."""
    kept = read_kept(key_value)
    if not kept:
        return _configured(service)
    return Senders(
        groups=tuple(service.senders),
        members={number: told[0] for number, told in kept.get("members", {}).items()},
        retired=frozenset(kept.get("retired", {})),
        providers=service.providers,
    )


def learn(
    key_value: KeyValue, known: Senders, number: str, told_service: str, at: datetime
) -> bool:
    """Remembers that an event showed this number and this service together; the newest counts.
    Whether that is news."""
    if known.service_of(number) == told_service:
        return False
    kept = read_kept(key_value)
    members = kept.setdefault("members", {})
    if number in members and members[number][1] > at.isoformat():
        return False
    if number not in members and len(members) >= _MOST:
        return False
    members[number] = [told_service, at.isoformat()]
    write_kept(key_value, kept)
    return True


def senders(service: Service) -> Senders:
    """All that is known of our senders."""
    with service.store.reading() as records:
        return known_senders(service, records.key_value)


def _configured(service: Service) -> Senders:
    return Senders(groups=tuple(service.senders), providers=service.providers)


#: `members`: the service of a number, and since when. `retired`: who retired a name, and when.
Kept = dict[str, dict[str, list[str]]]


def read_kept(key_value: KeyValue) -> Kept:
    """What the mark holds."""
    text = key_value.get(MARK)
    kept: Kept = json.loads(text) if text else {}
    return kept


def write_kept(key_value: KeyValue, kept: Kept) -> None:
    """Replaces what the mark holds."""
    key_value.put(MARK, json.dumps(kept, sort_keys=True))
