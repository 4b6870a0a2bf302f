"""The one vocabulary of status: icon, word and sentence, for every surface and the legend."""

from __future__ import annotations

from bot.consent.gates import Code, Gate, Owner
from bot.consent.known_providers import KnownProviders
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import Block, Bounce, Channel, Consent, ConsentValue
from bot.consent.rules import Decision, Status
from bot.consent.suppressions import Listing, why
from handlers.slack.blocks.formatting import date, inert, phone, shown

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
    ("🔴", "Opted out", "nothing is sent; also blocked, bounced, landline or on hold"),
    ("⚪", "Never asked", "no permission yet, so nothing is sent"),
    ("🟡", "Waiting / not verified", "we can't tell yet: the next message or a person decides"),
    ("🚫", "Bounced", "it says YES, but our messages do not get through"),
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


def doer(gate: Gate) -> str:
    """Who has to act."""
    return "Optin" if gate.leaving else OWNER[gate.owner]


KIND: dict[EntryKind, str] = {
    EntryKind.CONSENT: "Opt-ins and opt-outs",
    EntryKind.BOUNCE: "Bounces",
    EntryKind.BLOCK: "Blocks and suppression lists",
    EntryKind.CONTACT: "Contact details",
    EntryKind.NOTE: "Notes",
    EntryKind.IMPORT: "Imports",
    EntryKind.HOLD: "Replies to read",
    EntryKind.CASE: "Re-opt-ins and replies to read",
    EntryKind.EXPECTED_ERROR: "Expected errors",
    EntryKind.ERASED: "Erasures",
}

#: Ten lines with three of these make one message.
_SHORT = 60

_SOURCES = {
    "slack": "in Slack",
    "cli": "at the command line",
    "api": "through the API",
    "import": "by an import",
}


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
    return f"☐ *{doer(gate)}:* {inert(remedy, 400)}\n{reason(gate)}"


def reason(gate: Gate) -> str:
    """Why not, and since when."""
    since = f" Since {date(gate.since)}." if gate.since else ""
    return f"_{inert(_with_number(gate.reason, gate.sender), 400)}_{since}"


def _with_number(text: str, sender: str | None) -> str:
    """Our own number as people read it."""
    return text.replace(sender, phone(sender)) if sender else text


def actor(id: str, providers: KnownProviders, *, markup: bool = True) -> str:
    """Who acted: a person, a provider, a program, or anybody else that the log knows. Without
    `markup`, for a terminal, which does not turn an id into a name."""
    kind, _, name = id.partition(":")
    match kind:
        case "provider":
            return _provider(name, providers)
        case "api":
            name = providers.program(id)
            return inert(name, _SHORT) if markup else shown(name, _SHORT)
        case "import":
            return f"import {inert(name, _SHORT)}"
        case "contact":
            return "the contact"
    return person(id, markup=markup)


def person(id: str, *, markup: bool = True) -> str:
    """Who acted, where it can only be a person, or Optin by itself; a program without its name."""
    kind, _, name = id.partition(":")
    match kind:
        case "slack":
            return f"<@{name}>" if markup else f"Slack user {name}"
        case "cli":
            return f"{inert(name, _SHORT)} at the command line"
        case "api":
            return "the API"
    return "Optin"


def came_from(entry: Entry, providers: KnownProviders, *, markup: bool = True) -> str:
    """Who made an entry, and from where: "by Sam, in Slack"."""
    who = f"by {actor(entry.actor, providers, markup=markup)}"
    # The command line, an import and a provider are where it came from, too.
    if not entry.actor.startswith(("slack:", "contact")):
        return who
    provider = _provider(entry.source.removeprefix("provider:"), providers)
    return f"{who}, {_SOURCES.get(entry.source) or f'via {provider}'}"


def _provider(name: str, providers: KnownProviders) -> str:
    return inert(providers.label(name), _SHORT)


def block_name(name: str, providers: KnownProviders, block: Block | None = None) -> str:
    """What holds something back, as people call it: a number of ours, or a provider's list."""
    if "/" in name or name in providers.by_id:
        listing = Listing.of(name)
        return inert(f"{providers.label(listing.provider)} ({why(listing)})", 120)
    return inert(phone(block.number if block and block.number else name), _SHORT)


def things(channel: Channel) -> str:
    return "texts" if channel is Channel.SMS else "e-mails"
