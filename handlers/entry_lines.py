"""The lines of the Activity Log: the sentence, then when, who and from where, then why.

Also what the card says of the last entry, and what a form says of a change that came between.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.consent.known_providers import KnownProviders
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import Channel
from bot.consent.use_cases import LogLine, Profile
from handlers.entry_sentences import FIELDS, Style, sentence
from handlers.slack.blocks.formatting import date, inert, lowered, phone, unaddressed
from handlers.vocabulary import actor, came_from, person

#: Times that differ by no more are one time to a reader.
_SAME_TIME = timedelta(minutes=1)
#: Characters of a name.
_SHORT = 60
#: Characters of a reason that a sentence takes in where ten lines make one message.
_ROOM = 100
#: Seconds; the largest of which there are two is said.
_AGO = (("days", 86_400), ("h", 3_600), ("min", 60))


def log_line(line: LogLine, providers: KnownProviders) -> tuple[str, ...]:
    """A line of one contact's log, as the lines of a section."""
    entry = line.entry
    said = sentence(entry, Style(providers=providers))
    if line.times > 1:
        return (_folded(line, said.text),)
    lines = [f"*{said.text}*", _origin(entry, providers)]
    if entry.redacted:
        lines.append("_The personal part was erased._")
    lines += [
        f"{FIELDS[field]}: {_step(field, before, after)}"
        for field, (before, after) in (entry.changes or {}).items()
        if field in FIELDS
    ]
    if said.left:
        lines.append(f"{label_of(entry)}: {inert(said.left, 300)}")
    if entry.evidence:
        dated = f" ({date(entry.evidence.at)})" if entry.evidence.at else ""
        lines.append(f"Evidence: {inert(entry.evidence.text, 300)}{dated}")
    return tuple(lines)


def recent_line(line: LogLine, providers: KnownProviders) -> tuple[str, ...]:
    """A line of the log of all contacts: whose it is, what happened, when, who and from where."""
    said = _masked(line.entry, providers)
    who = f"{name} · " if (name := _whose(line)) else ""
    if line.times > 1:
        return (f"{who}{_folded(line, said)}",)
    return f"{who}*{said}*", _origin(line.entry, providers)


def recent_sentence(line: LogLine, providers: KnownProviders) -> str:
    """The same as one sentence, for screen readers and notifications."""
    said = _masked(line.entry, providers)
    who = f"{name}: " if (name := _whose(line)) else ""
    said = lowered(said) if who else said
    if line.times > 1:
        return f"{who}{_folded(line, said)}."
    return f"{who}{said}, {_origin(line.entry, providers).replace(' · ', ', ')}."


def last_line(profile: Profile) -> str | None:
    """The last thing that matters about a contact: "Last: texted STOP · 26 Oct, 11:34". A person
    who did it is named."""
    entry, providers = profile.last, profile.senders.providers
    if entry is None:
        return None
    said = sentence(entry, Style(providers=providers)).text
    by = f" · by {person(entry.actor)}" if entry.actor.startswith("slack:") else ""
    return f"Last: {lowered(said)} · {date(entry.occurred_at)}{by}"


def meanwhile(entry: Entry, now: datetime, providers: KnownProviders) -> str:
    """Who changed what, and how long ago: "Sam changed this 20 s ago: SMS On set to NO."."""
    seconds = max(0, int((now - entry.recorded_at).total_seconds()))
    ago = next((f"{seconds // size} {unit}" for unit, size in _AGO if seconds >= 2 * size), None)
    who, ago = actor(entry.actor, providers), ago or f"{seconds} s"
    who = who[:1].upper() + who[1:]
    said = lowered(sentence(entry, Style(providers=providers)).text)
    return f"{who} changed this {ago} ago: {said}."


def recorded_later(entry: Entry) -> bool:
    """Whether an entry happened at another time than it was written down: an undo puts a consent
    back to its old date, and providers are late."""
    return abs(entry.recorded_at - entry.occurred_at) > _SAME_TIME


def times(line: LogLine) -> str:
    """How often the entries of a line say the same: "3 more times"."""
    more = "more " if line.more else ""
    return f"{line.times} {more}times"


def label_of(entry: Entry) -> str:
    """What the rest of an entry's words are called."""
    return "Note" if entry.kind is EntryKind.NOTE else "Reason"


def _folded(line: LogLine, said: str) -> str:
    once = lowered(said).removesuffix(", again")
    return f"{times(line)}: {once}, the last {date(line.entry.occurred_at)}"


def _origin(entry: Entry, providers: KnownProviders) -> str:
    recorded = f" · recorded {date(entry.recorded_at)}" if recorded_later(entry) else ""
    return f"{date(entry.occurred_at)}{recorded} · {came_from(entry, providers)}"


def _whose(line: LogLine) -> str:
    """A contact's name; the end of an address that nobody has; nothing for what is about no one."""
    if line.contact is not None:
        return inert(line.contact.name, _SHORT) or "Erased contact"
    if line.entry.channel is None:
        return ""
    noun = "number" if line.entry.channel is Channel.SMS else "mailbox"
    return f"{noun.capitalize()} {inert(line.masked, _SHORT)}" if line.masked else f"Unknown {noun}"


def _masked(entry: Entry, providers: KnownProviders) -> str:
    """The sentence for a list of many contacts: what people wrote has its numbers and mailboxes
    masked."""
    reason = unaddressed(entry.reason) if entry.reason else entry.reason
    style = Style(providers=providers, say=_within, room=_ROOM)
    return sentence(replace(entry, reason=reason), style).text


def _within(text: str, limit: int) -> str:
    """Inert text that is short when it is escaped, too: ten lines of it make one message."""
    said = inert(text, limit)
    return said if len(said) <= limit else inert(text, limit // 5)


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
