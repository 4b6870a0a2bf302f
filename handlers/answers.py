"""The answer for one channel in one line: icon, word, cause and date; and whose opt-out it is.

A block and an opt-out belong to the address, which others may hold too.
"""

from __future__ import annotations

from dataclasses import replace

from bot.consent.gates import THINGS, Code, Gate
from bot.consent.log.entries import CARRIED
from bot.consent.model import Channel, Consent, ConsentValue, Contact, Origin
from bot.consent.rules import Answer, Decision, Status
from bot.consent.suppressions import Listing, why
from bot.consent.use_cases import Profile
from bot.consent.use_cases.alerts.readings import BY_DEADLINE
from handlers.slack.blocks.formatting import day, inert, joined, phone
from handlers.vocabulary import deciding, indicator

_CONTACTS = "The contact"
#: A cause is cut at this length, so that the line fits a message of the usual width.
_CAUSE = 64
#: Of other senders that are blocked, names at most.
_MOST_SENDERS = 2


def answer_line(profile: Profile, decision: Decision) -> str:
    """Such as "SMS 🔴 Opted out: replied “STOP” to +1 888-555-0199, 26 October", in mrkdwn."""
    said = f"*{indicator(decision)}*"
    if decision.answer is Answer.YES:
        return said + _since(profile, decision.channel) + _except(profile, decision.channel)
    cause = _cause(profile, decision, deciding(decision))
    return f"{said}: {cause}" if cause else said


def contradiction(profile: Profile, channel: Channel) -> str | None:
    """Why nothing is sent although the field says YES."""
    decision = profile.decisions[channel]
    if profile.contact.consent(channel).on is not ConsentValue.YES:
        return None
    if decision.answer is not Answer.NO:
        return None
    codes = {gate.code for gate in decision.gates}
    but = _BUT.get(deciding(decision).code)
    if {Code.CARRIER_BLOCK, Code.BOUNCED} <= codes:
        but = "{things} are blocked and bounce"
    return f"{channel.word} On is YES, but {but.format(things=THINGS[channel])}." if but else None


#: Where the cause in the answer does not say it by itself.
_BUT = {
    Code.BOUNCED: "{things} bounce",
    Code.CARRIER_BLOCK: "the carrier blocks our {things}",
    Code.SUPPRESSED: "the provider stops our {things}",
    Code.INVALID_ADDRESS: "a landline can't get {things}",
}


def _since(profile: Profile, channel: Channel) -> str:
    consent, facts = profile.contact.consent(channel), profile.facts.get(channel)
    said = [f" since {day(consent.since)}" if consent.since else ""]
    if consent.unproven:
        said.append("unproven")
    if facts is not None and facts.soft_failures:
        said.append(f"{len(facts.soft_failures)} not delivered lately")
    return " · ".join(said)


def _except(profile: Profile, channel: Channel) -> str:
    """Other senders of ours that are blocked while the default one is not."""
    if channel is not Channel.SMS:
        return ""
    blocked = [name for name, one in profile.by_sender.items() if one.answer is Answer.NO]
    names = [inert(phone(profile.senders.named(name)), 30) for name in blocked[:_MOST_SENDERS]]
    more = [f"{len(blocked) - len(names)} more"] if len(blocked) > len(names) else []
    return f" · except from {joined([*names, *more])}" if names else ""


def _cause(profile: Profile, decision: Decision, gate: Gate) -> str:
    """Why not, and since when."""
    consent = profile.contact.consent(decision.channel)
    at = gate.since
    if decision.status is Status.OPTED_OUT:
        said, at = _refused(profile, decision), consent.since
    elif gate.code is Code.CARRIER_BLOCK:
        said = _stopped(profile, decision.channel, gate)
    elif gate.code is Code.SUPPRESSED:
        listing = Listing.of(gate.sender_id or "")
        label = profile.senders.providers.label(listing.provider)
        said = f"{why(listing)} ({label}'s list)"
    elif gate.code is Code.BLOCK_UNKNOWN and decision.channel is Channel.SMS:
        said = f"{phone(gate.sender or '')} may be blocked"
    elif gate.code is Code.BOUNCED:
        said = _first_lower(gate.reason.rstrip("."))
    else:
        said = _CAUSES.get(gate.code, "")
    dated = f", {day(at)}" if at else ""
    return inert(said, _CAUSE) + dated if said else ""


_CAUSES = {
    Code.PROBATION: "the bounce was cleared",
    Code.INVALID_ADDRESS: "it can't get texts",
    Code.COMPLAINT: "the contact reported our e-mail",
    Code.REVIEW_HOLD: "a reply may be an opt-out",
    Code.DO_NOT_CONTACT: "nothing is sent on any channel",
    Code.BLOCK_UNKNOWN: "look it up at the provider",
    Code.STORAGE_BEHIND: "Optin works with old records",
}


def _stopped(profile: Profile, channel: Channel, gate: Gate) -> str:
    """Who texted STOP, and to which number where it was the contact."""
    told = whose(profile, channel, gate)
    if told is gate:
        return f"texted STOP to {phone(gate.sender or '')}"
    return f"STOP by {_first_lower(told.reason.partition(' replied')[0])}"


def _refused(profile: Profile, decision: Decision) -> str:
    consent = profile.contact.consent(decision.channel)
    gates = {gate.code: gate for gate in decision.gates}
    opted_out = gates.get(Code.OPTED_OUT)
    if opted_out is not None:
        told = whose(profile, decision.channel, opted_out)
        if told is not opted_out:
            return _first_lower(told.reason.rstrip("."))
    said = _first_lower(consent.reason or "")
    if decision.channel is Channel.SMS and said.startswith(_REPLIED):
        said = _TEXTED + said.removeprefix(_REPLIED)
    if not consent.refused:
        return f"switched off by us ({said})" if said else "switched off by us"
    if not said:
        return "a file says so" if consent.by is Origin.IMPORT else "the contact asked for it"
    stops = [g for g in decision.gates if g.code is Code.CARRIER_BLOCK and g.since == consent.since]
    if stops and stops[0].sender and said.startswith(_TEXTED):
        return f"{said} to {phone(stops[0].sender)}"
    return said


#: How the log says it, and how people do.
_REPLIED, _TEXTED = "replied", "texted"


def _first_lower(text: str) -> str:
    """For the middle of a line; a word in capitals stays as it is."""
    first = text.partition(" ")[0]
    return text if first.isupper() and len(first) > 1 else text[:1].lower() + text[1:]


def whose(profile: Profile, channel: Channel, gate: Gate) -> Gate:
    """The gate, with a reason that says who opted out where it was not this contact, or where
    nobody knows which of those who share the address it was."""
    if gate.code not in (Code.CARRIER_BLOCK, Code.OPTED_OUT):
        return gate
    consent = profile.contact.consent(channel)
    if gate.code is Code.OPTED_OUT and not consent.refused:
        return gate
    others = profile.shared.get(channel, 0)
    noun = "number" if channel is Channel.SMS else "address"
    if not _held_it(profile.contact, consent, gate):
        who = f"Another contact with this {noun}" if others else f"An earlier holder of this {noun}"
    elif others and consent.by is Origin.CONTACT and not _said_to_a_person(consent):
        have = "another contact has" if others == 1 else f"{others} other contacts have"
        who = f"Somebody with this {noun}, which {have} too,"
    else:
        return gate
    if gate.code is Code.OPTED_OUT:
        return replace(gate, reason=f"{who} opted out of {THINGS[channel]}.")
    return replace(gate, reason=gate.reason.replace(_CONTACTS, who, 1))


def recorded(contact: Contact) -> list[Channel]:
    """The channels whose NO may have been recorded by mistake: all but what plainly is the
    contact's own act, or the provider's report of one. Whether it was a person or a file that
    recorded it, the use case finds out."""
    own = ("contact", "provider:")
    consents = ((channel, contact.consent(channel)) for channel in Channel)
    return [
        channel
        for channel, consent in consents
        if consent.on is ConsentValue.NO and not (consent.actor or "").startswith(own)
    ]


def _held_it(contact: Contact, consent: Consent, gate: Gate) -> bool:
    """Whether the contact had the address when it opted out. Whoever has it then is set to NO in
    the same moment; whoever gets it later is set to NO by Optin itself, or was never asked."""
    if gate.code is Code.OPTED_OUT and consent.reached:
        return False
    if gate.since is None:
        return True
    if contact.created_at is not None and gate.since < contact.created_at:
        return False
    if consent.on is ConsentValue.UNSET:
        return gate.code is not Code.CARRIER_BLOCK
    ours = (BY_DEADLINE, CARRIED)
    inherited = consent.actor == "system" and not any(r in (consent.reason or "") for r in ours)
    return not inherited


def _said_to_a_person(consent: Consent) -> bool:
    """Staff know whom they spoke with; a text or a click says only which address it came from."""
    return (consent.actor or "").startswith(("slack:", "cli:", "api:", "import:"))
