"""What became of a message: delivered, or failed and of which class (rules.md §4, §7)."""

from __future__ import annotations

from datetime import datetime

from bot.consent.addresses import key_of
from bot.consent.alerts import AlertKind
from bot.consent.events import Failure
from bot.consent.known_providers import PROGRAM
from bot.consent.log.changes import BounceChanged, ConsentChanged, ErrorExpected
from bot.consent.log.entries import EntryKind, act_of, of
from bot.consent.model import (
    AddressFacts,
    BlockState,
    Bounce,
    Channel,
    Consent,
    ConsentValue,
    Contact,
    Deliverability,
    Origin,
)
from bot.consent.rules import too_many
from bot.consent.suppressions import Cause, Listing
from bot.consent.use_cases.consent_history import refusals_of, standing, was_erased
from bot.consent.use_cases.ingest.event_context import CONFIRMATION_WITHIN, EventContext
from bot.consent.use_cases.lists.echoes import is_leaving

#: By an entry of one of these a provider drops a message as opted out.
_OPTED_OUT = (Cause.UNSUBSCRIBE, Cause.OURS, Cause.UNKNOWN)
#: Changes of a contact in which the address of a day is looked for, at most.
_MOST_MOVES = 200


def delivered(taking: EventContext) -> None:
    """Proof of what it can prove: nothing that began after the message was sent."""
    facts, sent = taking.facts, taking.event.sent_at
    # Of a provider's list a delivery proves nothing: it may be another stream, or pass the list.
    texted = taking.event.channel is Channel.SMS and sent is not None
    if texted and sent and taking.blocked is not BlockState.NONE and not _confirms(taking, sent):
        taking.unblock(at=sent, reason="Delivered")
    if not facts.complaint and _proves(taking, facts):
        taking.record_on_each(
            BounceChanged(before=facts.bounce, after=Bounce.NO, reason="Delivered")
        )
    elif facts.deliverability.bounce is Bounce.NO:
        kept = taking.kept.deliverability.soft_failures
        newer = sum(failed > taking.at for failed in kept)
        _count(taking, facts.deliverability, newer, "Delivered")


def failed(taking: EventContext) -> None:  # noqa: C901 - a table of classes
    """A message of ours that did not arrive. Without a class, it counts as soft."""
    failure = taking.event.failure or Failure.SOFT
    match failure:
        case Failure.OPT_OUT if taking.event.channel is Channel.SMS:
            _refused(taking)
        case Failure.OPT_OUT | Failure.LISTED_OPT_OUT:
            _listed(taking, Cause.UNSUBSCRIBE)
        case Failure.LISTED_COMPLAINT:
            _listed(taking, Cause.COMPLAINT)
        case Failure.LISTED_BOUNCE:
            _listed_bounce(taking)
        case Failure.LISTED:
            _list(taking, Cause.UNKNOWN)
        case Failure.HARD:
            if _bounce(taking):
                _tell(taking)
        case Failure.AMBIGUOUS:
            if taking.blocked is not BlockState.BLOCKED:
                taking.block(BlockState.UNKNOWN, at=taking.at, reason=_said(taking))
            _soft(taking)
        case Failure.SOFT:
            _soft(taking)


def _refused(taking: EventContext) -> None:
    """An opt-out that we may have missed; or our own confirmation of one, which always fails."""
    at = min(taking.at, taking.event.sent_at or taking.at)
    stop = taking.stopped_before(taking.at)
    reason = _said(taking)
    if stop is not None and at >= stop and _confirmation(taking, stop, at):
        if taking.holders:  # of a stranger there is no log to expect it in
            taking.record_on_each(ErrorExpected(sender=taking.sender, reason=reason))
        if taking.blocked is BlockState.UNKNOWN:
            taking.block(BlockState.BLOCKED, at=at, reason=reason)
        return
    standing = [taking.facts.blocks.get(name) for name in taking.names]
    known = [b.began for b in standing if b and b.state is BlockState.BLOCKED]
    began = min([at, *known])
    # A newer failure makes the block as new as it is: what came between has not lifted it.
    drifted = taking.block(BlockState.BLOCKED, at=at, by=Origin.CONTACT, reason=reason)
    drifted = _refuse(taking, began, reason) or drifted
    if drifted and taking.holders:
        taking.tell(AlertKind.DRIFT)


def _listed(taking: EventContext, cause: Cause) -> None:
    """Not sent, since the address is on the provider's list: what the contact did there, and we may
    have missed."""
    if cause is Cause.UNSUBSCRIBE and is_leaving(taking, _OPTED_OUT):
        return
    reason = _said(taking)
    began = _listed_since(taking, cause)
    drifted = _list(taking, cause)
    drifted = _refuse(taking, began, reason) or drifted
    facts = taking.facts
    if cause is Cause.COMPLAINT and not facts.complaint:
        taking.record_on_each(
            BounceChanged(before=facts.bounce, after=Bounce.YES, by=Origin.CONTACT, reason=reason)
        )
        drifted = True
    if drifted and taking.holders:
        taking.tell(AlertKind.DRIFT)


def _listed_bounce(taking: EventContext) -> None:
    """Not sent, since the address is on the provider's bounce list."""
    if is_leaving(taking, (Cause.BOUNCE,)):
        return
    _list(taking, Cause.BOUNCE)
    if taking.facts.bounce is not Bounce.YES:
        _bounce(taking)  # we had missed it; it was no news to the provider


def _list(taking: EventContext, cause: Cause) -> bool:
    """Puts the address on the provider's list, as far as Optin knows; unless an entry stands there
    that says so, or more. Whether that is news."""
    for name in taking.facts.blocks:
        listing = Listing.of(name)
        same = listing.provider == taking.event.provider
        if same and (cause is Cause.UNKNOWN or listing.cause in _shown_as(cause)):
            return False
    theirs = cause in (Cause.UNSUBSCRIBE, Cause.COMPLAINT)
    by = Origin.CONTACT if theirs else None
    return taking.suppress(cause, reason=_said(taking), by=by)


def _listed_since(taking: EventContext, cause: Cause) -> datetime:
    """Since when the address is on that list, by what is known: also of an entry that a manager
    said was removed there, and was not."""
    facts = taking.facts
    known = {**facts.removed, **{name: block.began for name, block in facts.blocks.items()}}
    since = [
        at
        for name, at in known.items()
        if (listing := Listing.of(name)).provider == taking.event.provider
        and listing.cause in _shown_as(cause)
    ]
    return min(since, default=taking.at)


def _shown_as(cause: Cause) -> tuple[Cause, ...]:
    """The causes of entries that a provider may mean by this one: what our own side put there is an
    unsubscribe to most."""
    return (cause, Cause.OURS) if cause is Cause.UNSUBSCRIBE else (cause,)


def _refuse(taking: EventContext, began: datetime, reason: str) -> bool:
    """`no`, by the contact, for whose consent is older than the block. Whether anybody's was."""
    drifted = False
    for holder, consent in taking.consents():
        if holder is None or consent.on is ConsentValue.UNSET:
            continue
        older = _is_older(consent, began)
        if consent.refused:
            older = _rests_on_records(taking, holder, began)
        if older and not _was_elsewhere(taking, holder, began):
            taking.record(
                holder,
                ConsentChanged(
                    again=consent.refused,
                    by=Origin.CONTACT,
                    before=consent.on,
                    after=ConsentValue.NO,
                    reason=f"Refused at the provider: {reason}",
                ),
            )
            drifted = drifted or not consent.refused
    return drifted


def _is_older(consent: Consent, began: datetime) -> bool:
    return consent.since is None or consent.since <= began


def _rests_on_records(taking: EventContext, holder: Contact, began: datetime) -> bool:
    """Whether the contact's `no` could be taken back, all of it, and what it stands on, or what
    stands without it, is older than the block: then this refusal must not go with it."""
    records, key = taking.records, taking.key
    told = refusals_of(records, holder, key)
    kept = records.addresses.get(key).refusals
    acts = [act_of(entry) for entry in told]
    if not all(acts) or any(not r.act or r.act not in acts for r in kept):
        return False
    if any(was_erased(records.contacts, of(entry)) for entry in told):
        return False
    without, _ = standing(records, holder, key, without=acts)
    under = without.on is not ConsentValue.UNSET and _is_older(without, began)
    return under or all(entry.occurred_at <= began for entry in told)


def _was_elsewhere(taking: EventContext, holder: Contact, at: datetime) -> bool:
    """Whether a contact who came back to this address had another one at that time."""
    field = "phone" if taking.event.channel is Channel.SMS else "email"
    moves = [
        (entry.occurred_at, after)
        for entry in taking.records.log.entries(
            contact=holder.id, kinds=(EntryKind.CONTACT,), limit=_MOST_MOVES
        )
        if (after := (entry.changes or {}).get(field, (None, None))[1]) is not None
    ]
    before = [key_of(str(address)) for moved, address in moves if moved <= at]
    return taking.key in before and before[0] != taking.key


def _confirmation(taking: EventContext, stop: datetime, at: datetime) -> bool:
    """Whether this is the failure of our own confirmation of that STOP: the first that is told
    since, and of a message from before an UNSTOP."""
    if taking.confirmed_since(stop):
        return False
    lifted = [taking.facts.cleared.get(name) for name in taking.names]
    return taking.blocked is not BlockState.NONE or any(when and at < when for when in lifted)


def _confirms(taking: EventContext, sent: datetime) -> bool:
    """Whether the message may be the confirmation of an opt-out, which passes the block that it
    tells of; also where another contact had the number then."""
    if taking.stopped_before(sent) is not None:
        return True
    standing = [taking.facts.blocks.get(name) for name in taking.names]
    return any(
        block and block.stopped and sent - block.since <= CONFIRMATION_WITHIN for block in standing
    )


def _bounce(taking: EventContext) -> bool:
    """Whether it bounces only now. A newer bounce of what bounces already is kept: a message sent
    between the two proves nothing when it is delivered."""
    facts, known = taking.facts, taking.facts.deliverability
    if facts.proved_at is not None and facts.proved_at >= taking.at:
        return False
    # What a file says may be taken back: then this has to stand.
    older = known.bounced_at is not None and known.bounced_at >= taking.at
    if known.bounce is Bounce.YES and (known.complaint or older):
        return False
    taking.record_on_each(
        BounceChanged(before=facts.bounce, after=Bounce.YES, reason=_said(taking))
    )
    return facts.bounce is not Bounce.YES


def _soft(taking: EventContext) -> None:
    """Counts; the third on a second day within thirty days is a bounce."""
    known = taking.facts.deliverability
    if known.bounce is Bounce.YES:
        return
    _count(taking, known, len(known.soft_failures) + 1, _said(taking))
    if too_many(taking.facts.deliverability.soft_failures) and _bounce(taking):
        _tell(taking)


def _tell(taking: EventContext) -> None:
    """Of an address that nobody has it is kept, and nobody's business."""
    if taking.holders:
        taking.tell(AlertKind.BOUNCE)


def _count(taking: EventContext, known: Deliverability, count: int, reason: str) -> None:
    before, bounce = len(known.soft_failures), taking.facts.bounce
    if count != before:
        taking.record_on_each(
            BounceChanged(
                before=bounce,
                after=bounce,
                reason=reason,
                soft=(before, count),
            )
        )


def _proves(taking: EventContext, facts: AddressFacts) -> bool:
    """Whether a delivery proves that the address is well again."""
    sent = taking.event.sent_at
    if facts.bounce is Bounce.YES:
        return bool(sent and facts.bounced_at and sent > facts.bounced_at)
    if facts.bounce is Bounce.PROBATION:
        # The next message is the test, and no earlier one.
        return facts.bounced_at is None or (sent or taking.at) >= facts.bounced_at
    return False


def _said(taking: EventContext) -> str:
    event = taking.event
    meaning = event.meaning or "The message was not delivered."
    if event.code and event.provider.startswith(PROGRAM):
        # Whose code it is, the program did not say.
        return f"{meaning.removesuffix('.')} ({event.code})."
    code = f" ({event.provider.title()} {event.code})" if event.code else ""
    return f"{meaning}{code}"
