"""What somebody asks for, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bot.consent.log.entries import Entry
from bot.consent.model import Channel, ConsentValue, Contact, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusUpdate:
    """What somebody asks for. None and empty mean untouched."""

    sms: ConsentValue | None = None
    email: ConsentValue | None = None
    clear_bounce: frozenset[Channel] = frozenset()
    do_not_contact: bool | None = None
    reason: str | None = None
    #: Whose `no` it is; from the reason where nobody says.
    by: Origin | None = None
    #: What shows that the contact agreed.
    evidence: str | None = None
    #: When the contact agreed; now where nobody says.
    evidence_at: datetime | None = None
    note: str | None = None

    def on(self, channel: Channel) -> ConsentValue | None:
        """What is asked for on this channel."""
        return self.sms if channel is Channel.SMS else self.email

    @property
    def opt_outs(self) -> StatusUpdate:
        """The part that never waits: opting out is not held up by anything (rules.md §8.11)."""
        return replace(
            self,
            sms=self.sms if self.sms is ConsentValue.NO else None,
            email=self.email if self.email is ConsentValue.NO else None,
            do_not_contact=self.do_not_contact or None,
            clear_bounce=frozenset(),
            note=None,
        )

    @property
    def the_rest(self) -> StatusUpdate:
        """What is left when the opt-outs are taken away."""
        return replace(
            self,
            sms=None if self.sms is ConsentValue.NO else self.sms,
            email=None if self.email is ConsentValue.NO else self.email,
            do_not_contact=None if self.do_not_contact else self.do_not_contact,
        )

    def __bool__(self) -> bool:
        asked = (self.sms, self.email, self.do_not_contact)
        return any(a is not None for a in asked) or bool(self.clear_bounce or self.note)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """One thing that is different now."""

    #: "SMS On", "Email On", "SMS Bounce", "Email Bounce", "Do not contact" or "Note".
    what: str
    channel: Channel | None
    before: str
    after: str
    #: Whoever made it may undo it for 15 minutes.
    undoable: bool = False
    #: Names of others with the same address, whom it reached, too.
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateResult:
    """What came of a wish."""

    contact: Contact
    changes: tuple[StatusChange, ...]
    #: The newest change by somebody else since the asker looked; then only the opt-outs were made.
    meanwhile: Entry | None = None
    #: What was not done for that reason.
    left: StatusUpdate | None = None
