"""What a program states about a consent, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address

from bot.consent.cases import Case
from bot.consent.errors import Invalid, NeedsEvidence, Refused
from bot.consent.gates import Gate
from bot.consent.known_providers import PROGRAM
from bot.consent.model import Actor, Channel, Contact, Evidence, Role
from bot.consent.parsing import blank, storable

#: How far the clock of another machine may be ahead of ours. Such a time counts as now.
CLOCKS_DIFFER = timedelta(seconds=30)
#: Characters of what shows the consent, of the words that the contact was shown, and of the rest.
_LONGEST_TEXT, _LONGEST = 5_000, 1_000


def program(key: str) -> Actor:
    """The program that uses the API with this key."""
    return Actor(id=f"{PROGRAM}{key}", role=Role.PROGRAM, source="api")


class StatedStatus(StrEnum):
    """What a program says of a consent. PENDING waits for the contact's own confirmation."""

    YES = "yes"
    NO = "no"
    PENDING = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedEvidence:
    """What shows the consent. A YES needs the source, the text and the time."""

    #: Where it was given: "checkout", "newsletter form".
    source: str = ""
    #: What the contact did or said.
    text: str = ""
    occurred_at: datetime | None = None
    ip: str | None = None
    #: The page where it was given.
    url: str | None = None
    #: "checkbox", "double_opt_in", "phone" …
    method: str | None = None
    #: What the contact was told when they agreed, or its version.
    wording: str | None = None
    language: str | None = None
    purpose: str | None = None
    #: The other system's own number of this.
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentStatement:
    """One statement about one channel of a contact."""

    channel: Channel
    status: StatedStatus
    evidence: StatedEvidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What came of a statement."""

    contact: Contact
    channel: Channel
    #: Whether any consent is another now, or is proven now.
    changed: bool
    #: How many others with the same address a NO reached, too.
    also: int = 0
    #: The contact had refused: a manager decides this case.
    case: Case | None = None
    #: What the contact confirms with. Optin keeps only its hash.
    token: str | None = None
    #: Until when the token works.
    expires_at: datetime | None = None


class Withheld(Refused):
    """A rule keeps this consent from being YES. Nothing was changed."""

    def __init__(self, sentence: str, gate: Gate, *, case: Case | None = None) -> None:
        super().__init__(sentence, field="status")
        #: Why not, what has to happen, and who does it.
        self.gate = gate
        #: The request for re-opt-in that is open already.
        self.case = case


def read_evidence(stated: StatedEvidence | None, now: datetime) -> Evidence:
    """The evidence of a YES, with everything that was stated. Raises `NeedsEvidence` where a part
    is missing, and `Invalid` for what can't be: a time in the future, or an IP that is none."""
    if stated is None:
        raise NeedsEvidence(field="evidence")
    for part in ("source", "text"):
        if blank(getattr(stated, part)):
            raise NeedsEvidence(field=f"evidence/{part}")
    if stated.occurred_at is None:
        raise NeedsEvidence(field="evidence/occurred_at")
    for one in fields(StatedEvidence):
        _check_length(one.name, getattr(stated, one.name))
    if stated.ip is not None and not _is_ip(stated.ip):
        raise Invalid("That is no IP address.", field="evidence/ip")
    at = past(stated.occurred_at, now, field="evidence/occurred_at")
    return Evidence(text=_whole(stated), at=at)


def read_refusal(stated: StatedEvidence | None, now: datetime) -> tuple[Evidence | None, str]:
    """What shows a NO, if anything does, and its reason. An opt-out is never refused for its
    evidence: what can't be is left out, and a time in the future is now."""
    if stated is None:
        return None, "Asked through another system"
    source = " ".join(storable(stated.source[:_LONGEST_TEXT]).split())[:_LONGEST_REASON]
    reason = f"Asked through {source}" if not blank(source) else "Asked through another system"
    dated = stated.occurred_at is not None and stated.occurred_at.tzinfo is not None
    at = min(in_utc(stated.occurred_at), now) if stated.occurred_at and dated else now
    if blank(stated.text):
        return Evidence(text=reason, at=at) if dated else None, reason
    return Evidence(text=_whole(stated)[:_LONGEST_TEXT], at=at), reason


def past(at: datetime, now: datetime, *, field: str, ahead: timedelta = CLOCKS_DIFFER) -> datetime:
    """A time that another program states, in UTC. Its clock may be `ahead` of ours. Raises
    `Invalid` for a time in the future, and without a time zone."""
    if at.tzinfo is None:
        raise Invalid("The time needs a time zone, as in 2026-11-03T14:02:00Z.", field=field)
    if at > now + ahead:
        raise Invalid("This can't be from the future.", field=field)
    return min(in_utc(at), now)


def in_utc(at: datetime) -> datetime:
    """The time in UTC. In a zone ahead of it, the first hours of the year 1 lie before all times:
    they count as the first one."""
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


#: Characters of the source in a reason.
_LONGEST_REASON = 200
_LABELS = {
    "source": "source",
    "method": "method",
    "url": "page",
    "wording": "shown",
    "language": "language",
    "purpose": "purpose",
    "ip": "IP",
    "reference": "reference",
}


def _whole(stated: StatedEvidence) -> str:
    """All that was stated, as one text: "Ticked the box (source: checkout; IP: 203.0.113.9)"."""
    parts = "; ".join(_parts(stated))
    text = storable(stated.text.strip())
    return f"{text} ({parts})" if parts else text


def _parts(stated: StatedEvidence) -> Iterator[str]:
    for name, label in _LABELS.items():
        value = getattr(stated, name)
        if value is not None and not blank(value):
            yield f"{label}: {' '.join(storable(value).split())}"


def _check_length(name: str, value: object) -> None:
    longest = _LONGEST_TEXT if name in ("text", "wording") else _LONGEST
    if isinstance(value, str) and len(value) > longest:
        raise Invalid(
            f"That is too long: at most {longest:,} characters.", field=f"evidence/{name}"
        )


def _is_ip(text: str) -> bool:
    try:
        ip_address(text.strip())
    except ValueError:
        return False
    return True
