"""The one vocabulary of status: icon, word and sentence, for every surface and the legend."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.consent.gates import Code, Gate, Owner
from bot.consent.known_providers import KnownProviders
from bot.consent.log.entries import NUMBER, Entry, EntryKind
from bot.consent.model import Block, Bounce, Channel, Consent, ConsentValue
from bot.consent.rules import Decision, Status
from bot.consent.suppressions import Listing, why
from handlers.slack.blocks.formatting import date, inert, phone

#: But for `Status.UNREACHABLE`: `icon_and_word` says what prevents it.
STATUS: dict[Status, tuple[str, str]] = {
    Status.OPTED_IN: ("✅", "Opted in"),
    Status.OPTED_OUT: ("🔴", "Opted out"),
    Status.NEVER_ASKED: ("⚪", "Never asked"),
    Status.WAITING: ("🟡", "Not verified"),
}

#: What the legend says of each icon.
LEGEND: tuple[tuple[str, str, str], ...] = (
    ("✅", "Opted in", "messages are sent"),
    ("🔴", "Opted out", "or something else stops our messages: the card says what"),
    ("⚪", "Never asked", "nobody has asked yet, so nothing is sent"),
    ("🟡", "Waiting / not verified", "we don't know until the next message or a person settles it"),
    ("🚫", "Bounced", "our messages to this address were rejected"),
)

#: Fields have no icon: it stands beside answers only.
ON: dict[ConsentValue, str] = {
    ConsentValue.YES: "YES",
    ConsentValue.NO: "NO",
    ConsentValue.UNSET: "Never asked",
}

BOUNCE: dict[Bounce, str] = {
    Bounce.NO: "NO",
    Bounce.YES: "YES",
    Bounce.PROBATION: "Cleared: the next message is a test",
}

OWNER: dict[Owner, str] = {
    Owner.CONTACT: "Contact",
    Owner.AGENT: "Agent",
    Owner.MANAGER: "Manager",
    Owner.OPERATOR: "Operator",
}

KIND: dict[EntryKind, str] = {
    EntryKind.CONSENT: "Opt-ins and opt-outs",
    EntryKind.BOUNCE: "Bounces",
    EntryKind.BLOCK: "Carrier blocks",
    EntryKind.CONTACT: "Contact details",
    EntryKind.NOTE: "Notes",
    EntryKind.IMPORT: "Imports",
    EntryKind.HOLD: "Replies to read",
    EntryKind.CASE: "Re-opt-ins",
    EntryKind.EXPECTED_ERROR: "Expected errors",
    EntryKind.ERASED: "Erasures",
}

#: What a step of a re-opt-in says happened.
_CASE = {"pending": "requested"}

_FIELDS = {
    "name": "Name",
    "phone": "Phone",
    "email": "Email",
    "company": "Company",
    "external_id": "External id",
    "do_not_contact": "Do not contact",
}

#: Times that differ by no more are one time to a reader.
_SAME_TIME = timedelta(minutes=1)

#: Ten lines with three of these make one message.
_SHORT = 60

#: Seconds; the largest of which there are two is said.
_AGO = (("days", 86_400), ("h", 3_600), ("min", 60))

_SOURCES = {"slack": "Slack", "cli": "the command line", "import": "an import"}


def indicator(decision: Decision) -> str:
    """The answer for one channel, such as "SMS ✅ Opted in"."""
    return " ".join((decision.channel.word, *icon_and_word(decision)))


def icon_and_word(decision: Decision) -> tuple[str, str]:
    """The answer, such as ("✅", "Opted in"); where nothing can be sent, what prevents it."""
    if decision.status is not Status.UNREACHABLE:
        return STATUS[decision.status]
    code = deciding(decision).code
    if code is Code.NO_ADDRESS:
        return _PREVENTED, f"No {'phone number' if decision.channel is Channel.SMS else 'address'}"
    return _PREVENTED, _PREVENTS[code]


def deciding(decision: Decision) -> Gate:
    """The gate that the answer is told by, where there is one."""
    firm = (gate for gate in decision.gates if gate.code not in _SOFT)
    return next(firm, decision.gates[0])


#: These count only where nothing else stands in the way.
_SOFT = frozenset({Code.NEVER_ASKED, Code.BLOCK_UNKNOWN, Code.PROBATION})

_PREVENTED = "🔴"
_PREVENTS = {
    Code.ERASED: "Erased",
    Code.DO_NOT_CONTACT: "Do not contact",
    Code.INVALID_ADDRESS: "Landline",
    Code.CARRIER_BLOCK: "Blocked",
    Code.SUPPRESSED: "Blocked",
    Code.OPTED_OUT: "Opted out",
    Code.REVIEW_HOLD: "On hold",
    Code.BOUNCED: "Bounced",
    Code.COMPLAINT: "Spam complaint",
}


def on(consent: Consent) -> str:
    """The state of SMS On or Email On, with its date."""
    said = ON[consent.on]
    if consent.unproven:
        said += " (unproven)"
    return f"{said} since {date(consent.since)}" if consent.since else said


def step(gate: Gate) -> str:
    """What has to happen and who does it, then why."""
    remedy = _with_number(gate.remedy, gate.sender)
    return f"☐ *{OWNER[gate.owner]}:* {inert(remedy, 400)}\n{reason(gate)}"


def reason(gate: Gate) -> str:
    """Why not, and since when."""
    since = f" Since {date(gate.since)}." if gate.since else ""
    return f"_{inert(_with_number(gate.reason, gate.sender), 400)}_{since}"


def _with_number(text: str, sender: str | None) -> str:
    """Our own number as people read it."""
    return text.replace(sender, phone(sender)) if sender else text


def actor(id: str, providers: KnownProviders, *, markup: bool = True) -> str:
    """Who acted: a person, a provider, or anybody else that the log knows. Without `markup`, for a
    terminal, which does not turn an id into a name."""
    kind, _, name = id.partition(":")
    match kind:
        case "provider":
            return _provider(name, providers)
        case "import":
            return f"import {inert(name, _SHORT)}"
        case "contact":
            return "the contact"
    return person(id, markup=markup)


def person(id: str, *, markup: bool = True) -> str:
    """Who acted, where it can only be a person, or Optin by itself."""
    kind, _, name = id.partition(":")
    match kind:
        case "slack":
            return f"<@{name}>" if markup else f"Slack user {name}"
        case "cli":
            return f"{inert(name, _SHORT)} at the command line"
    return "Optin"


def _provider(name: str, providers: KnownProviders) -> str:
    return inert(providers.label(name), _SHORT)


def what(entry: Entry, providers: KnownProviders) -> str:  # noqa: C901, PLR0911 - a table of kinds
    """What an entry says happened, in a few words."""
    channel = entry.channel.word if entry.channel else ""
    match entry.kind:
        case EntryKind.CONSENT if entry.before == entry.after:
            return f"{channel} On stays {entry.after}, restated"
        case EntryKind.CONSENT:
            return f"{channel} On {_word(entry.before)} → {_word(entry.after)}"
        case EntryKind.BOUNCE:
            return f"{channel} Bounce {_word(entry.before)} → {_word(entry.after)}"
        case EntryKind.BLOCK:
            return f"{channel} block {_blocked(entry, providers)}: {entry.before} → {entry.after}"
        case EntryKind.CONTACT if entry.after in ("added", "removed"):
            return f"Contact {entry.after}"
        case EntryKind.CONTACT:
            names = [_FIELDS[name] for name in entry.changes or {} if name in _FIELDS]
            return f"{', '.join(names) or 'Contact'} changed"
        case EntryKind.CASE:
            return f"Re-opt-in for {channel} {_CASE.get(entry.after, entry.after)}"
        case EntryKind.IMPORT:
            return f"Import {entry.after}"
        case EntryKind.ERASED:
            return "Contact erased"
        case EntryKind.NOTE:
            return "Note"
        case EntryKind.HOLD if entry.after == "held":
            return f"{channel} held: a reply has to be read"
        case EntryKind.HOLD:
            return f"{channel} no longer held"
    return str(entry.kind).replace("_", " ").capitalize()


def block_name(name: str, providers: KnownProviders, block: Block | None = None) -> str:
    """What holds something back, as people call it: a number of ours, or a provider's list."""
    if "/" in name or name in providers.by_id:
        listing = Listing.of(name)
        return inert(f"{providers.label(listing.provider)} ({why(listing)})", 120)
    return inert(phone(block.number if block and block.number else name), _SHORT)


def _blocked(entry: Entry, providers: KnownProviders) -> str:
    """Which number of ours a block is about, never a service's id where the number is known; or
    whose suppression list, and why."""
    if entry.channel is Channel.EMAIL:
        listing = Listing.of(entry.sender or "")
        label = _provider(listing.provider, providers)
        return f"on {label}'s list ({inert(why(listing), _SHORT)})"
    _, number = (entry.changes or {}).get(NUMBER, (None, entry.sender))
    return f"of {inert(phone(str(number or '')), _SHORT)}"


def meanwhile(entry: Entry, now: datetime, providers: KnownProviders) -> str:
    """Who changed what, and how long ago: "Sam changed this 20 s ago: SMS On YES → NO."."""
    seconds = max(0, int((now - entry.recorded_at).total_seconds()))
    ago = next((f"{seconds // size} {unit}" for unit, size in _AGO if seconds >= 2 * size), None)
    who, ago = actor(entry.actor, providers), ago or f"{seconds} s"
    return f"{who} changed this {ago} ago: {what(entry, providers)}."


def entry_lines(
    entry: Entry, providers: KnownProviders, *, of: str | None = None
) -> tuple[str, ...]:
    """An entry of the log: what, then when, who and from where, then why."""
    name = f"{inert(of, _SHORT)} · " if of else ""
    expected = " · _expected_" if entry.expected else ""
    lines = [f"{name}*{what(entry, providers)}*{expected}"]
    source = _SOURCES.get(entry.source) or _provider(
        entry.source.removeprefix("provider:"), providers
    )
    who = f"by {actor(entry.actor, providers)}"
    # The command line, an import and a provider are where it came from, too.
    told = f"{who}, from {source}" if entry.actor.startswith(("slack:", "contact")) else who
    recorded = f" · recorded {date(entry.recorded_at)}" if recorded_later(entry) else ""
    lines.append(f"{date(entry.occurred_at)}{recorded} · {told}")
    if entry.redacted:
        lines.append("_The personal part was erased._")
    lines += [
        f"{_FIELDS[field]}: {_step(field, before, after)}"
        for field, (before, after) in (entry.changes or {}).items()
        if field in _FIELDS
    ]
    if entry.reason:
        lines.append(f"Reason: {inert(entry.reason, 300)}")
    if entry.evidence:
        dated = f" ({date(entry.evidence.at)})" if entry.evidence.at else ""
        lines.append(f"Evidence: {inert(entry.evidence.text, 300)}{dated}")
    return tuple(lines)


def recorded_later(entry: Entry) -> bool:
    """Whether an entry happened at another time than it was written down: an undo puts a consent
    back to its old date, and providers are late."""
    return abs(entry.recorded_at - entry.occurred_at) > _SAME_TIME


def things(channel: Channel) -> str:
    return "texts" if channel is Channel.SMS else "e-mails"


def _word(value: str) -> str:
    return {"UNSET": "never asked", "": "none"}.get(value, value)


def _step(field: str, before: str | bool | None, after: str | bool | None) -> str:
    if before is None:
        return _value(field, after)
    return f"{_value(field, before)} → {_value(field, after)}"


def _value(field: str, value: str | bool | None) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "YES" if value else "NO"
    return inert(phone(value) if field == "phone" else value, 80)
