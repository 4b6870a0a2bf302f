"""What became of a message: delivered, or failed and of which class (rules.md §4, §7)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.consent.activity import Kind
from bot.consent.alerts import AlertKind
from bot.consent.events import Failure
from bot.consent.model import AddressFacts, BlockState, Bounce, By, On
from bot.consent.service.take.taking import Taking

#: Soft failures that make a bounce, on at least two days, within this time.
SOFT_LIMIT = 3
SOFT_WITHIN = timedelta(days=30)


def delivered(taking: Taking) -> None:
    """Proof of what it can prove: nothing that began after the message was sent."""
    facts, sent = taking.facts, taking.event.sent_at
    blocked = facts.block(taking.sender)[0] is not BlockState.NONE
    # The confirmation of an opt-out passes the block that it tells of.
    if blocked and sent is not None and taking.stopped_before(sent) is None:
        taking.unblock(at=sent, reason="Delivered")
    if not facts.complaint and _proves(taking, facts):
        taking.record_on_each(Kind.BOUNCE, before=facts.bounce, after=Bounce.NO, reason="Delivered")
    elif facts.bounce is Bounce.NO:
        newer = sum(failed > taking.at for failed in facts.soft_failures)
        _count(taking, facts, newer, "Delivered")


def failed(taking: Taking) -> None:
    """A message of ours that did not arrive. Without a class, it counts as soft."""
    failure = taking.event.failure or Failure.SOFT
    if failure is Failure.OPT_OUT:
        _refused(taking)
        return
    if not taking.holders:
        return  # deliverability is kept of our contacts' addresses only
    match failure:
        case Failure.HARD:
            if _bounce(taking):
                taking.tell(AlertKind.BOUNCE)
        case Failure.KNOWN if taking.facts.bounce is not Bounce.YES:
            _bounce(taking)  # we had missed it; it was no news to the provider
        case Failure.AMBIGUOUS:
            if taking.facts.block(taking.sender)[0] is not BlockState.BLOCKED:
                taking.block(BlockState.UNKNOWN, at=taking.at, reason=_said(taking))
            _soft(taking)
        case Failure.SOFT:
            _soft(taking)


def _refused(taking: Taking) -> None:
    """An opt-out that we may have missed; or our own confirmation of one, which always fails."""
    at = min(taking.at, taking.event.sent_at or taking.at)
    stop = taking.stopped_before(taking.at)
    reason = _said(taking)
    if stop is not None and at >= stop and not taking.confirmed_since(stop):
        if taking.holders:  # of a stranger there is no log to expect it in
            taking.record_on_each(
                Kind.EXPECTED_ERROR, sender=taking.sender, reason=reason, expected=True
            )
        if taking.facts.block(taking.sender)[0] is BlockState.UNKNOWN:
            taking.block(BlockState.BLOCKED, at=at, reason=reason)
        return
    state, since = taking.facts.block(taking.sender)
    known = state is BlockState.BLOCKED
    drifted = not known and taking.block(BlockState.BLOCKED, at=at, by=By.CONTACT, reason=reason)
    began = since if known and since else at
    for holder, consent in taking.consents():
        # A `no` that staff or a file made is made the contact's: it must not be undone with them.
        stands = consent.on is On.UNSET or (consent.by is By.CONTACT and consent.on is On.NO)
        if holder and not stands and (consent.since is None or consent.since <= began):
            taking.record(
                Kind.CONSENT,
                holder,
                by=By.CONTACT,
                before=consent.on,
                after=On.NO,
                reason=f"Refused at the provider: {reason}",
            )
            drifted = True
    if drifted and taking.holders:
        taking.tell(AlertKind.DRIFT)


def _bounce(taking: Taking) -> bool:
    """Whether it bounces only now. A newer bounce of what bounces already is kept: a message sent
    between the two proves nothing when it is delivered."""
    facts = taking.facts
    known = facts.bounce is Bounce.YES
    if known and (facts.complaint or (facts.bounced_at and facts.bounced_at >= taking.at)):
        return False
    taking.record_on_each(Kind.BOUNCE, before=facts.bounce, after=Bounce.YES, reason=_said(taking))
    return not known


def _soft(taking: Taking) -> None:
    """Counts; the third on a second day within thirty days is a bounce."""
    facts = taking.facts
    if facts.bounce is Bounce.YES:
        return
    _count(taking, facts, len(facts.soft_failures) + 1, _said(taking))
    if _too_many(taking.facts.soft_failures) and _bounce(taking):
        taking.tell(AlertKind.BOUNCE)


def _count(taking: Taking, facts: AddressFacts, count: int, reason: str) -> None:
    before = len(facts.soft_failures)
    if count != before:
        taking.record_on_each(
            Kind.BOUNCE,
            before=facts.bounce,
            after=facts.bounce,
            reason=reason,
            changes={"soft": (str(before), str(count))},
        )


def _too_many(failures: Sequence[datetime]) -> bool:
    """`failures` are sorted."""
    for first, began in enumerate(failures):
        last = bisect_right(failures, began + SOFT_WITHIN) - 1
        if last - first + 1 >= SOFT_LIMIT and failures[last].date() != began.date():
            return True
    return False


def _proves(taking: Taking, facts: AddressFacts) -> bool:
    """Whether a delivery proves that the address is well again."""
    sent = taking.event.sent_at
    if facts.bounce is Bounce.YES:
        return bool(sent and facts.bounced_at and sent > facts.bounced_at)
    if facts.bounce is Bounce.PROBATION:
        # The next message is the test, and no earlier one.
        return facts.bounced_at is None or (sent or taking.at) >= facts.bounced_at
    return False


def _said(taking: Taking) -> str:
    event = taking.event
    code = f" ({event.provider.title()} {event.code})" if event.code else ""
    return f"{event.meaning or 'The message was not delivered.'}{code}"
