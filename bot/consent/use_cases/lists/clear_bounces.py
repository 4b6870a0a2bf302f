"""Clearing the bounces of an outage of one's own: a broken mail server makes good addresses bounce.

A manager says which provider and which time, and what shows that the addresses work. Each bounce is
cleared as a person would clear it, with an entry of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.consent.addresses import HASH
from bot.consent.errors import Invalid, NeedsEvidence
from bot.consent.log.changes import BounceChanged
from bot.consent.model import Actor, AddressFacts, Bounce, Channel, Evidence, Origin
from bot.consent.parsing import blank
from bot.consent.permissions import Action, authorize
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.lists.bounce_source import bounce_source
from bot.consent.use_cases.lists.wishes import bounce_cleared
from bot.consent.use_cases.record import Recorder

#: Addresses in one transaction.
_AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Which bounces were the company's own fault, and what shows it."""

    #: The id of the provider that told of them.
    provider: str
    since: datetime
    until: datetime
    reason: str = ""
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearedBounces:
    """How many addresses were cleared, or would be, and what stays."""

    cleared: int = 0
    #: Spam complaints of that time, each of which a manager clears by itself.
    complaints: int = 0
    #: Bounces of that time that a file or another provider told of.
    of_others: int = 0


def count_bounces(service: Service, outage: Outage, actor: Actor) -> ClearedBounces:
    """What `clear_bounces` would do. Changes nothing. Raises as it does, but for the reason."""
    _check(service, outage, actor)
    return _find(service, outage)[1]


def clear_bounces(
    service: Service,
    outage: Outage,
    actor: Actor,
    *,
    progress: Callable[[int], None] = lambda addresses: None,
) -> ClearedBounces:
    """Clears every bounce of this provider and time that stands.

    Raises `NotAllowed` for anybody but a manager, `Invalid`, and `NeedsEvidence`. A call that was
    interrupted is made again: what is cleared already does not count twice.
    """
    _check(service, outage, actor)
    if blank(outage.reason):
        raise Invalid("Say why these bounces are cleared.", field="reason")
    if blank(outage.evidence):
        raise NeedsEvidence("Say what shows that these addresses work.", field="evidence")
    keys, counts = _find(service, outage)
    cleared = 0
    for start in range(0, len(keys), _AT_ONCE):
        with service.store.transaction() as records:
            recorder = Recorder(
                service=service,
                records=records,
                actor=actor.id,
                source=actor.source,
                now=service.now(),
            )
            for key in keys[start : start + _AT_ONCE]:
                facts = records.addresses.get(key)
                if _is_of_that_time(facts, outage) and not facts.complaint:
                    cleared += _clear(recorder, key, outage)
        progress(min(start + _AT_ONCE, len(keys)))
    return ClearedBounces(cleared=cleared, complaints=counts.complaints, of_others=counts.of_others)


def _check(service: Service, outage: Outage, actor: Actor) -> None:
    authorize(actor, Action.CLEAR_BOUNCES)
    if outage.provider not in service.providers.by_id:
        raise Invalid(f"There is no provider {outage.provider}.", field="provider")
    if outage.since >= outage.until:
        raise Invalid("The beginning has to be before the end.", field="since")
    if outage.until > service.now():
        raise Invalid("The end can't be in the future.", field="until")


def _find(service: Service, outage: Outage) -> tuple[list[str], ClearedBounces]:
    keys, complaints, of_others = [], 0, 0
    with service.store.reading() as records:
        for facts in records.addresses.all():
            if facts.address.startswith(HASH) or not _is_of_that_time(facts, outage):
                continue
            holders = records.contacts.at(facts.address)
            if not holders:
                continue
            if facts.complaint:
                complaints += 1
            elif (
                facts.marks or bounce_source(records, holders[0], facts.address) != outage.provider
            ):
                of_others += 1
            else:
                keys.append(facts.address)
    counts = ClearedBounces(cleared=len(keys), complaints=complaints, of_others=of_others)
    return keys, counts


def _is_of_that_time(facts: AddressFacts, outage: Outage) -> bool:
    at = facts.bounced_at
    return facts.bounce is Bounce.YES and at is not None and outage.since <= at <= outage.until


def _clear(recorder: Recorder, key: str, outage: Outage) -> bool:
    holders = recorder.records.contacts.at(key)
    if not holders:
        return False
    channel = Channel.EMAIL if "@" in key else Channel.SMS
    cleared = BounceChanged(
        before=Bounce.YES,
        after=Bounce.PROBATION,
        reason=outage.reason.strip(),
        evidence=Evidence(text=outage.evidence.strip(), at=recorder.now),
        by=Origin.STAFF,
    )
    recorder.record_for_holders(holders[0].address(channel) or key, cleared, channel=channel)
    if channel is Channel.EMAIL:
        bounce_cleared(recorder, holders[0], key)
    return True
