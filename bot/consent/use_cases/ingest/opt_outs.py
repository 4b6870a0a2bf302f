"""What the contact said, and what our own side did at the provider (rules.md §4, §5)."""

from __future__ import annotations

from datetime import datetime

from bot.consent.alerts import NEW_OWNER, AlertKind
from bot.consent.frozen import replace
from bot.consent.log.changes import BounceChanged, ConsentChanged, HoldChanged, Noted
from bot.consent.model import BlockState, Bounce, Consent, ConsentValue, Origin
from bot.consent.replies import Blocks, Refusal, Reply, read_reply
from bot.consent.suppressions import Cause
from bot.consent.use_cases.context import date
from bot.consent.use_cases.ingest.event_context import EventContext
from bot.consent.use_cases.lists.echoes import echoes_add, echoes_removal

_CONTACT = "contact"
#: Of a text, as far as the log quotes it.
_QUOTED, _HELD = 200, 1_000


def reply(taking: EventContext) -> None:
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


def unsubscribe(taking: EventContext) -> None:
    """Of one list or of all: strictly, it is a refusal of the whole channel, and the provider sends
    nothing to the address any more."""
    scope = f" from {taking.event.scope}" if taking.event.scope else ""
    news = refuse(taking, f"Unsubscribed{scope}")
    _list(taking, Cause.UNSUBSCRIBE)
    if news:
        taking.tell(AlertKind.UNSUBSCRIBE)


def complain(taking: EventContext) -> None:
    """The contact reported our e-mail as spam. A provider may report that twice."""
    news = refuse(taking, "Reported our e-mail as spam")
    _list(taking, Cause.COMPLAINT)
    facts = taking.facts
    if not facts.complaint:
        taking.record_on_each(
            BounceChanged(
                before=facts.bounce, after=Bounce.YES, by=Origin.CONTACT, reason="Reported as spam"
            ),
            actor=_CONTACT,
        )
        news = True
    if news:
        taking.tell(AlertKind.COMPLAINT)


def resubscribe(taking: EventContext) -> None:
    """At the provider, and so no consent to us: it only takes the address off the provider's list.
    Some say it at each change of a name."""
    reason = "Subscribed again at the provider"
    theirs = (Cause.UNSUBSCRIBE, Cause.UNKNOWN)
    if taking.unsuppress(theirs, reason=reason, actor=_CONTACT):
        return
    for holder, consent in taking.consents():
        if holder and consent.refused:
            taking.record(holder, Noted(reason=reason), actor=_CONTACT)


def suppress(taking: EventContext) -> None:
    """Our own side put the address on the provider's list: staff's `no`. Unless that was Optin."""
    if echoes_add(taking):
        return
    for holder, consent in taking.consents():
        if holder and (consent.on is not ConsentValue.NO or consent.refused):
            taking.record(
                holder,
                ConsentChanged(
                    # It stays when the contact's own NO turns out to be a mistake.
                    again=consent.refused,
                    by=Origin.STAFF,
                    before=consent.on,
                    after=ConsentValue.NO,
                    reason="Suppressed by our own side at the provider",
                ),
            )
    _list(taking, Cause.OURS)


def unsuppress(taking: EventContext) -> None:
    """Our own side took it off. It is no consent. If it was Optin, a look at the list follows."""
    if echoes_removal(taking):
        return
    reason = "Taken off the provider's list by our own side"
    taking.unsuppress(tuple(Cause), reason=reason)


def reassigned(taking: EventContext) -> None:
    """The number has a new owner, says the provider, which blocks our texts to it. Nobody asked for
    that: a person finds out who has the number, and nothing is sent meanwhile."""
    taking.block(BlockState.BLOCKED, at=taking.at, reason=NEW_OWNER)
    texted = [h for h, consent in taking.consents() if h and consent.on is not ConsentValue.NO]
    if texted and taking.facts.hold is None:
        taking.record_on_each(HoldChanged(held=True, reason=NEW_OWNER))
        taking.event = replace(taking.event, text=NEW_OWNER)
        taking.tell(AlertKind.REVIEW)


def refuse(taking: EventContext, reason: str, block: BlockState = BlockState.NONE) -> bool:
    """`no`, by the contact, on every contact with this address; kept where nobody has it. Whether
    anybody had not refused yet.

    It counts when it is told late, too, and even if somebody agreed meanwhile: the safe direction.
    """
    news = False
    # Which sender it was of matters where a carrier heard it, too.
    sender = taking.sender if block is not BlockState.NONE else None
    number = taking.number_of(sender) if sender else None
    for holder, consent in taking.consents():
        again = _refuses_again(taking, consent, kept=holder is None)
        taking.record(
            holder,
            ConsentChanged(
                again=again,
                by=Origin.CONTACT,
                before=consent.on,
                after=ConsentValue.NO,
                reason=reason + _late(taking, consent),
                sender=sender,
                number=number,
            ),
            actor=_CONTACT,
        )
        news = news or not again
    if block is not BlockState.NONE:
        taking.block(block, at=taking.at, by=Origin.CONTACT, actor=_CONTACT)
    return news


def _refuses_again(taking: EventContext, consent: Consent, *, kept: bool) -> bool:
    if consent.on is not ConsentValue.NO or consent.by is not Origin.CONTACT:
        return False
    # What is kept for whoever appears is as new as the latest of it.
    return not kept or _newer(consent.since, taking.at)


def _late(taking: EventContext, consent: Consent) -> str:
    if consent.on is not ConsentValue.YES or consent.since is None or consent.since <= taking.at:
        return ""
    return f". Told late: it counts although the contact agreed on {date(consent.since)}"


def _newer(since: datetime | None, at: datetime) -> bool:
    return since is not None and since >= at


def _hold(taking: EventContext) -> None:
    """A probable refusal waits for a person, and nothing is sent meanwhile."""
    text = (taking.event.text or "").strip()
    refused = all(consent.refused for _, consent in taking.consents())
    if taking.facts.hold is not None or (refused and not taking.may_return()):
        reason = f"Wrote “{text[:_HELD]}”" if taking.holders else "Wrote a refusal again"
        # For a re-opt-in that comes later: it takes a permission that is newer than this.
        # While a reply waits to be read, so does this one.
        counts = refused and taking.facts.hold is None
        no = ConsentValue.NO
        again = ConsentChanged(again=True, before=no, after=no, by=Origin.CONTACT, reason=reason)
        taking.record_on_each(again if counts else Noted(reason=reason), actor=_CONTACT)
        return
    # What a stranger writes is in the alert until somebody has read it, and never in the log: no
    # erasure would find it there.
    held = text[:_HELD] if taking.holders else None
    taking.record_on_each(HoldChanged(held=True, reason=held), actor=_CONTACT)
    taking.tell(AlertKind.REVIEW)


def _whatsapp(taking: EventContext, read: Reply) -> None:
    """What somebody refuses by WhatsApp blocks no texts and is no word about them: a person asks
    what the contact wants (rules.md §2a)."""
    if read.refusal is not Refusal.NONE:
        _hold(taking)


def _list(taking: EventContext, cause: Cause) -> None:
    if not taking.service.providers.keeps_list(taking.event.provider):
        return
    taking.suppress(cause, by=Origin.CONTACT if cause is not Cause.OURS else None)


def _unstop(taking: EventContext) -> None:
    """The contact's key. It is half of what it takes where the consent is missing (rules.md §6)."""
    blocked = taking.blocked is not BlockState.NONE
    reason = _quoted(taking, "an opt-in word")
    if not taking.unblock(at=taking.at, reason=reason, actor=_CONTACT):
        return
    for _, consent in taking.consents():
        answers = consent.refused and not _newer(consent.since, taking.at)
        if answers or (blocked and consent.on is not ConsentValue.YES):
            taking.tell(AlertKind.UNSTOP)
            return


def _read(taking: EventContext) -> Reply:
    event = taking.event
    provider = taking.service.providers.by_id.get(event.provider)
    return read_reply(
        event.text or "",
        provider.blocking_words if provider else None,
        taking.service.languages,
        marker=event.marker,
        toll_free=taking.senders.is_toll_free(event.sender or ""),
        blocked=taking.blocked is BlockState.BLOCKED,
    )


def _quoted(taking: EventContext, otherwise: str) -> str:
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
