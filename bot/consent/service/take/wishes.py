"""What the contact said, and what our own side did at the provider (rules.md §4, §5)."""

from __future__ import annotations

from datetime import datetime

from bot.consent.activity import Kind
from bot.consent.alerts import AlertKind
from bot.consent.model import BlockState, Bounce, By, Consent, On
from bot.consent.replies import Blocks, Refusal, Reply, read_reply
from bot.consent.service.service import date
from bot.consent.service.take.taking import Taking
from bot.consent.suppressions import Cause

#: Our own unsubscribe link: it is no provider's list.
ONE_CLICK = "one_click"
_CONTACT = "contact"
#: Of a text, as far as the log quotes it.
_QUOTED, _HELD = 200, 1_000


def reply(taking: Taking) -> None:
    """A text: a refusal, one that a person has to read, the lifting of a block, or nothing."""
    read = _read(taking)
    if taking.event.whatsapp:
        _whatsapp(taking, read)
    elif read.refusal is Refusal.KEYWORD:
        refuse(taking, _quoted(taking, "an opt-out word"), _BLOCKS[read.block])
        taking.tell(AlertKind.STOP)
    elif read.refusal is Refusal.PROBABLE:
        _hold(taking)
    elif read.unblock:
        _unstop(taking)
    elif read.almost_unblock and taking.blocked is BlockState.BLOCKED:
        # Nothing changes, and whoever waits for it has to know why (rules.md §5).
        taking.tell(AlertKind.UNREAD)


def unsubscribe(taking: Taking) -> None:
    """Of one list or of all: strictly, it is a refusal of the whole channel, and the provider sends
    nothing to the address any more."""
    scope = f" from {taking.event.scope}" if taking.event.scope else ""
    news = refuse(taking, f"Unsubscribed{scope}")
    if taking.event.provider != ONE_CLICK:
        _list(taking, Cause.UNSUBSCRIBE)
    if news:
        taking.tell(AlertKind.UNSUBSCRIBE)


def complain(taking: Taking) -> None:
    """The contact reported our e-mail as spam. A provider may report that twice."""
    news = refuse(taking, "Reported our e-mail as spam")
    _list(taking, Cause.COMPLAINT)
    facts = taking.facts
    if not facts.complaint:
        taking.record_on_each(
            Kind.BOUNCE,
            before=facts.bounce,
            after=Bounce.YES,
            by=By.CONTACT,
            reason="Reported as spam",
            actor=_CONTACT,
        )
        news = True
    if news:
        taking.tell(AlertKind.COMPLAINT)


def resubscribe(taking: Taking) -> None:
    """At the provider, and so no consent to us: it only takes the address off the provider's list.
    Some say it at each change of a name."""
    reason = "Subscribed again at the provider"
    theirs = (Cause.UNSUBSCRIBE, Cause.UNKNOWN)
    if taking.unsuppress(theirs, at=taking.at, reason=reason, actor=_CONTACT):
        return
    for holder, consent in taking.consents():
        if holder and consent.refused:
            taking.record(Kind.NOTE, holder, reason=reason, actor=_CONTACT)


def suppress(taking: Taking) -> None:
    """Our own side put the address on the provider's list: staff's `no`."""
    for holder, consent in taking.consents():
        if holder and (consent.on is not On.NO or consent.refused):
            taking.record(
                # It stays when the contact's own NO turns out to be a mistake.
                Kind.NOTE if consent.refused else Kind.CONSENT,
                holder,
                by=By.STAFF,
                before=consent.on,
                after=On.NO,
                reason="Suppressed by our own side at the provider",
            )
    _list(taking, Cause.OURS)


def unsuppress(taking: Taking) -> None:
    """Our own side took it off. It is no consent."""
    reason = "Taken off the provider's list by our own side"
    taking.unsuppress(tuple(Cause), at=taking.at, reason=reason)


def refuse(taking: Taking, reason: str, block: BlockState = BlockState.NONE) -> bool:
    """`no`, by the contact, on every contact with this address; kept where nobody has it. Whether
    anybody had not refused yet.

    It counts when it is told late, too, and even if somebody agreed meanwhile: the safe direction
    (reliability.md §5.2).
    """
    news = False
    # Which sender it was of matters where a carrier heard it, too.
    sender = taking.sender if block is not BlockState.NONE else None
    changes = taking.number_of(sender) if sender else None
    for holder, consent in taking.consents():
        again = _refuses_again(taking, consent, kept=holder is None)
        taking.record(
            Kind.NOTE if again else Kind.CONSENT,
            holder,
            by=By.CONTACT,
            before=consent.on,
            after=On.NO,
            reason=reason + _late(taking, consent),
            sender=sender,
            changes=changes,
            actor=_CONTACT,
        )
        news = news or not again
    if block is not BlockState.NONE:
        taking.block(block, at=taking.at, by=By.CONTACT, actor=_CONTACT)
    return news


def _refuses_again(taking: Taking, consent: Consent, *, kept: bool) -> bool:
    if consent.on is not On.NO or consent.by is not By.CONTACT:
        return False
    # What is kept for whoever appears is as new as the latest of it.
    return not kept or _newer(consent.since, taking.at)


def _late(taking: Taking, consent: Consent) -> str:
    if consent.on is not On.YES or consent.since is None or consent.since <= taking.at:
        return ""
    return f". Told late: it counts although the contact agreed on {date(consent.since)}"


def _newer(since: datetime | None, at: datetime) -> bool:
    return since is not None and since >= at


def _hold(taking: Taking) -> None:
    """A probable refusal waits for a person, and nothing is sent meanwhile."""
    text = (taking.event.text or "").strip()
    refused = all(consent.refused for _, consent in taking.consents())
    if taking.facts.hold is not None or (refused and not taking.may_return()):
        reason = f"Wrote “{text[:_HELD]}”" if taking.holders else "Wrote a refusal again"
        # For a re-opt-in that comes later: it takes a permission that is newer than this.
        # While a reply waits to be read, so does this one.
        counts = refused and taking.facts.hold is None
        again = {"by": By.CONTACT, "before": On.NO, "after": On.NO} if counts else {}
        taking.record_on_each(Kind.NOTE, reason=reason, actor=_CONTACT, **again)
        return
    # What a stranger writes is in the alert until somebody has read it, and never in the log: no
    # erasure would find it there.
    held = text[:_HELD] if taking.holders else None
    taking.record_on_each(Kind.HOLD, after="held", reason=held, actor=_CONTACT)
    taking.tell(AlertKind.REVIEW)


def _whatsapp(taking: Taking, read: Reply) -> None:
    """What somebody refuses by WhatsApp blocks no texts and is no word about them: a person asks
    what the contact wants (rules.md §2a)."""
    if read.refusal is not Refusal.NONE:
        _hold(taking)


def _list(taking: Taking, cause: Cause) -> None:
    taking.suppress(cause, at=taking.at, by=By.CONTACT if cause is not Cause.OURS else None)


def _unstop(taking: Taking) -> None:
    """The contact's key. It is half of what it takes where the consent is missing (rules.md §6)."""
    blocked = taking.blocked is not BlockState.NONE
    reason = _quoted(taking, "an opt-in word")
    if not taking.unblock(at=taking.at, reason=reason, actor=_CONTACT):
        return
    for _, consent in taking.consents():
        answers = consent.refused and not _newer(consent.since, taking.at)
        if answers or (blocked and consent.on is not On.YES):
            taking.tell(AlertKind.UNSTOP)
            return


def _read(taking: Taking) -> Reply:
    event = taking.event
    return read_reply(
        event.text or "",
        event.provider,
        taking.service.languages,
        marker=event.marker,
        toll_free=taking.senders.is_toll_free(event.sender or ""),
        blocked=taking.blocked is BlockState.BLOCKED,
    )


def _quoted(taking: Taking, otherwise: str) -> str:
    """What the contact wrote. Of a stranger only what we have compared with a list ourselves: where
    the provider has marked it, it may be any text."""
    text = (taking.event.text or "").strip()[:_QUOTED]
    if text and (taking.holders or taking.event.marker is None):
        return f"Replied “{text}”"
    return f"Replied with {otherwise}"


_BLOCKS = {
    Blocks.YES: BlockState.BLOCKED,
    Blocks.NO: BlockState.NONE,
    Blocks.UNKNOWN: BlockState.UNKNOWN,
}
