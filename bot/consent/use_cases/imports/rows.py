"""The rows of a file, and what an import does with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.consent.frozen import quick
from bot.consent.model import Channel, ConsentValue, Evidence
from bot.consent.use_cases.contacts import Details


class Consequence(StrEnum):
    """What a row does, as the report counts it. A row may have several."""

    ADDED = "contacts added"
    UPDATED = "contacts updated"
    SMS_YES = "SMS On set to YES"
    EMAIL_YES = "Email On set to YES"
    UNPROVEN = "of these YES without evidence"
    SMS_NO = "SMS On set to NO"
    EMAIL_NO = "Email On set to NO"
    ALSO_NO = "opt-outs that reach another contact with the same address"
    OLDER_NO = "NO in the file that is older than the YES, noted"
    KEPT_FOR_LATER = "opt-outs of addresses that nobody has, kept"
    FROM_REJECTED = "opt-outs and bounces out of rejected rows"
    SMS_KEPT = "SMS On kept at NO although the file says YES"
    EMAIL_KEPT = "Email On kept at NO although the file says YES"
    BOUNCED = "addresses marked as bounced"
    COMPLAINED = "addresses marked as having reported spam"
    BLOCKED = "addresses recorded as suppressed by the provider"
    DO_NOT_CALL = "contacts noted as Do Not Call"
    FURTHER = "further addresses of a row, not stored (their opt-outs are)"
    UNCHANGED = "rows that change nothing"
    REJECTED = "rows rejected"


def counted(consequence: Consequence, count: int) -> str:
    """The words beside a count, in the singular for one."""
    return _SINGULAR.get(consequence, str(consequence)) if count == 1 else str(consequence)


_SINGULAR = {
    Consequence.ADDED: "contact added",
    Consequence.UPDATED: "contact updated",
    Consequence.ALSO_NO: "opt-out that reaches another contact with the same address",
    Consequence.KEPT_FOR_LATER: "opt-out of an address that nobody has, kept",
    Consequence.BOUNCED: "address marked as bounced",
    Consequence.COMPLAINED: "address marked as having reported spam",
    Consequence.BLOCKED: "address recorded as suppressed by the provider",
    Consequence.DO_NOT_CALL: "contact noted as Do Not Call",
    Consequence.FURTHER: "further address of a row, not stored (its opt-out is)",
    Consequence.UNCHANGED: "row that changes nothing",
    Consequence.REJECTED: "row rejected",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutDetails:
    """How a row says NO."""

    #: When the contact acted. None if the file does not say.
    at: datetime | None = None
    #: The NO is staff's, not the contact's.
    by_staff: bool = False
    reason: str = ""


_UNDATED = OptOutDetails()


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a file. Its words are parsed, its addresses are not."""

    #: Line in the file, from 1, where the row begins.
    line: int
    details: Details
    sms: ConsentValue = ConsentValue.UNSET
    email: ConsentValue = ConsentValue.UNSET
    sms_bounce: bool = False
    email_bounce: bool = False
    #: The evidence for each channel that is YES.
    evidence: Evidence | None = None
    #: The evidence for one channel, if the two differ.
    sms_evidence: Evidence | None = None
    email_evidence: Evidence | None = None
    #: The e-mail address reported spam.
    complaint: bool = False
    #: How the row says NO, by channel.
    refusals: Mapping[Channel, OptOutDetails] | None = None
    #: Further phone numbers and mailboxes of the row, the best first.
    more: Mapping[Channel, Sequence[str]] | None = None
    do_not_call: bool = False
    #: A row of a suppression list: it is about addresses, and adds no contact.
    listed: bool = False
    #: Why the row is rejected, if that is known from its words alone.
    problem: str | None = None

    def on(self, channel: Channel) -> ConsentValue:
        """What the row says of one channel."""
        return self.sms if channel is Channel.SMS else self.email

    def bounced(self, channel: Channel) -> bool:
        """Whether the row says that messages to this address are rejected."""
        return self.sms_bounce if channel is Channel.SMS else self.email_bounce

    def refusal(self, channel: Channel) -> OptOutDetails:
        """How the row says NO to one channel."""
        return (self.refusals or {}).get(channel, _UNDATED)

    def proof(self, channel: Channel) -> Evidence | None:
        """What shows that the contact agreed to this channel."""
        return (self.sms_evidence if channel is Channel.SMS else self.email_evidence) or (
            self.evidence
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an import did, or would do."""

    #: None for a dry run, and if every row was rejected.
    id: str | None
    rows: int
    counts: Mapping[str, int]
    #: The first further addresses that are not stored, as line number and masked address.
    further: Sequence[tuple[int, str]] = ()

    @property
    def changes_nothing(self) -> bool:
        """Whether the import left, or would leave, the storage as it was."""
        return self.counts.keys() <= {Consequence.UNCHANGED, Consequence.FURTHER}

    @property
    def rejected(self) -> int:
        """The number of rejected rows."""
        return self.counts.get(Consequence.REJECTED, 0)
