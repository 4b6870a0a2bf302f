"""How a sentence shows names, numbers and reasons, on each surface."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bot.consent.known_providers import KnownProviders
from bot.consent.log.entries import NUMBER, Entry
from bot.consent.model import Channel
from handlers.slack.blocks.formatting import fit, inert, lowered, phone

#: Characters of a name, a number or a list.
SHORT = 60

#: The fields of a contact as people call them.
FIELDS: Mapping[str, str] = {
    "name": "Name",
    "phone": "Phone",
    "email": "Email",
    "company": "Company",
    "external_id": "External id",
    "do_not_contact": "Do not contact",
}


class Sentence(NamedTuple):
    """A sentence without its full stop, and what it leaves to be said of the entry's reason."""

    text: str
    left: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a surface shows what people and providers wrote."""

    providers: KnownProviders
    #: Fits text to a length: `inert` disables Slack's markup, `shown` is for terminals.
    say: Callable[[str, int], str] = inert
    #: Characters of a reason that a sentence takes in. A longer one stands on a line of its own.
    room: int = 160


def with_reason(text: str, entry: Entry, style: Style) -> Sentence:
    """The sentence and why, if that is short enough to stand in it."""
    clause = clause_of(entry, style)
    if not clause:
        return Sentence(text)
    if len(clause) > style.room:
        return Sentence(text, entry.reason)
    return Sentence(f"{text}: {style.say(lowered(clause), style.room)}")


def left_of(entry: Entry, style: Style) -> str | None:
    """The reason, where the sentence says nothing of it."""
    return clause_of(entry, style) or None


#: Before how the contact asked for a re-opt-in.
_RE_OPT_IN = "Re-opt-in: "
#: "The handset is off. (Twilio 30003)": what a failure means, the provider's id and its code.
_CODED = re.compile(r"(.*?)\.? \((\w+) ([^()]+)\)", re.DOTALL)


def clause_of(entry: Entry, style: Style) -> str:
    """The reason as the end of a sentence, with the provider's name as people write it."""
    reason = (entry.reason or "").strip().removeprefix("Refused at the provider: ")
    if reason.startswith(_RE_OPT_IN):
        return f"{_RE_OPT_IN[:-2]}, {lowered(reason.removeprefix(_RE_OPT_IN))}"
    if coded := _CODED.fullmatch(reason):
        text, provider, code = coded.groups()
        if provider.lower() in style.providers.by_id:
            return f"{text} ({style.providers.label(provider.lower())} {code})"
    return reason.removesuffix(".")


def number_of(entry: Entry, style: Style) -> str:
    """Our number that the entry is about, never the id of a service whose number is known."""
    _, number = (entry.changes or {}).get(NUMBER, (None, entry.sender))
    return style.say(phone(str(number)), SHORT) if number else ""


def provider_of(entry: Entry) -> str:
    """The id of the provider that reported it, if any."""
    kind, _, name = entry.source.partition(":")
    return name if kind == "provider" else ""


def word_of(entry: Entry) -> str:
    """SMS or Email, as the fields have it."""
    return entry.channel.word if entry.channel else "Status"


def thing_of(entry: Entry) -> str:
    """What is sent on the entry's channel."""
    return "e-mail" if entry.channel is Channel.EMAIL else "text"


def value_of(value: str) -> str:
    """A value of `on` or `bounce` in words."""
    return {"UNSET": "never asked", "": "unknown"}.get(value, fit(value, SHORT))
