"""The words of consent as values: who the contact is, and the three facts that are never mixed.

Consent belongs to a contact and an address; a carrier block and deliverability belong to the
address, whoever holds it (rules.md §2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.consent.addresses import key_of
from bot.consent.frozen import quick


class Channel(StrEnum):
    """A way to reach a contact. Slack's channels are always called `slack_channel`."""

    SMS = "sms"
    EMAIL = "email"

    @property
    def word(self) -> str:
        """As people read it: "SMS" or "Email"."""
        return "SMS" if self is Channel.SMS else "Email"


class ConsentValue(StrEnum):
    """Consent to one channel at one address. UNSET is neither yes nor no (rules.md §8.12)."""

    YES = "YES"
    NO = "NO"
    UNSET = "UNSET"


class Origin(StrEnum):
    """Whose wish a consent is. What staff refused needs no manager to come back (rules.md §6)."""

    CONTACT = "contact"
    STAFF = "staff"
    IMPORT = "import"


class Bounce(StrEnum):
    """Deliverability as people see it. PROBATION: cleared by a person, the next message is
    the test."""

    NO = "NO"
    YES = "YES"
    PROBATION = "PROBATION"


class BlockState(StrEnum):
    """Whether a sender may reach an address, by what the carrier or e-mail provider told us."""

    NONE = "none"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


class LineType(StrEnum):
    """The kind of a phone number, by its numbering plan. A landline can't take texts."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What shows that the contact agreed."""

    text: str
    #: When the contact agreed; none where nobody said.
    at: datetime | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a contact wants of one address."""

    on: ConsentValue = ConsentValue.UNSET
    by: Origin | None = None
    #: When the contact or the member of staff acted.
    since: datetime | None = None
    #: `slack:U…`, `cli:<user>`, `api:<key>`, `contact`, `provider:<name>`, `import:<id>` or
    #: `system`.
    actor: str | None = None
    reason: str | None = None
    evidence: Evidence | None = None
    #: It was said of somebody else with the same address.
    reached: bool = False

    @property
    def refused(self) -> bool:
        """The contact said no: only a manager's approval brings this back. A `no` out of an
        import counts as the contact's (rules.md §6)."""
        return self.on is ConsentValue.NO and self.by is not Origin.STAFF

    @property
    def unproven(self) -> bool:
        """A yes that nobody gave evidence for: taken, and shown as such (rules.md §8.12)."""
        return self.on is ConsentValue.YES and self.evidence is None


UNSET = Consent()


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person whom the company texts or e-mails."""

    id: str
    #: Grows by one with every entry of the Activity Log that changes this contact.
    version: int = 0
    name: str = ""
    company: str = ""
    external_id: str = ""
    #: E.164, as it is shown.
    phone: str | None = None
    line: LineType | None = None
    #: As it was written.
    email: str | None = None
    do_not_contact: bool = False
    erased: bool = False
    created_at: datetime | None = None
    #: By the address's key, present and former: a changed number inherits nothing, and keeps its
    #: own.
    consents: Mapping[str, Consent] = field(default_factory=dict)

    def address(self, channel: Channel) -> str | None:
        """The present phone number or mailbox, as it is shown."""
        return self.phone if channel is Channel.SMS else self.email

    def key(self, channel: Channel) -> str | None:
        """The key of the present phone number or mailbox (`addresses.key_of`)."""
        address = self.address(channel)
        return key_of(address) if address else None

    def consent(self, channel: Channel) -> Consent:
        """The consent at the present address; `UNSET` where there is none."""
        key = self.key(channel)
        return self.consents.get(key, UNSET) if key else UNSET

    @property
    def addresses(self) -> tuple[str, ...]:
        """The present phone number and mailbox as they are shown, as far as there are any."""
        return tuple(address for address in (self.phone, self.email) if address)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of these."""
        return tuple(key_of(address) for address in self.addresses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A carrier's block of one of our senders, or one entry of an e-mail provider's suppression
    list."""

    state: BlockState
    #: By the newest that was told of it: only what is later lifts it.
    since: datetime
    #: When it began, where messages that failed since have shown it again.
    first: datetime | None = None
    #: Of a messaging service: the number that the contact texted.
    number: str | None = None
    #: Who told it, by id: a number may be used through several providers.
    providers: tuple[str, ...] = ()
    #: The contact's own STOP. The confirmation that the provider then sends passes the block.
    stopped: bool = False
    #: Optin is taking the address off the provider's list; until a read confirms it, it stands.
    leaving: bool = False

    @property
    def began(self) -> datetime:
        """When it began, as far as it is known: at the contact's newest STOP, else at the first
        message that failed."""
        return self.first or self.since


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A probable refusal that waits for a person's reading (rules.md §5)."""

    since: datetime
    text: str


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """An opt-out that an address keeps, whoever holds it now or later (rules.md §2)."""

    channel: Channel
    since: datetime
    reason: str
    #: The entry that made it.
    entry: str = ""
    #: What a person or a file recorded, and may have recorded by mistake (`log.entries.act_of`);
    #: empty for what the contact did, which nobody can take back.
    act: str = ""
    #: The contact of whom that was recorded, by id.
    of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A row of a file that says that an address bounced."""

    #: `log.entries.act_of`.
    act: str
    #: The contact of whom the row was, by id.
    of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverability:
    """What is known of whether messages arrive, apart from files."""

    bounce: Bounce = Bounce.NO
    bounced_at: datetime | None = None
    bounce_reason: str | None = None
    complaint: bool = False
    soft_failures: tuple[datetime, ...] = ()


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class AddressFacts:
    """What is known of a phone number or mailbox, whoever holds it."""

    #: The key of a phone number or mailbox, or the keyed hash that erasure leaves.
    address: str
    bounce: Bounce = Bounce.NO
    #: When it bounced; for PROBATION, when a person cleared that.
    bounced_at: datetime | None = None
    bounce_reason: str | None = None
    #: When a delivery proved last that the address is well.
    proved_at: datetime | None = None
    #: The bounce is a spam complaint: no agent can clear it.
    complaint: bool = False
    #: When soft failures happened, oldest first, since the last delivery.
    soft_failures: tuple[datetime, ...] = ()
    #: When a message arrived last after soft failures: those before it count no more.
    arrived_at: datetime | None = None
    #: The files that say that it bounced, while that can be taken back with them, and how it
    #: would stand without them.
    marks: tuple[Mark, ...] = ()
    beneath: Deliverability | None = None
    #: By what the carrier counts as the sender, a number or a service; for e-mail by the entry of
    #: a provider's list (`suppressions.Listing`).
    blocks: Mapping[str, Block] = field(default_factory=dict)
    #: By sender, when its block was last lifted: an older STOP that comes late blocks nothing.
    cleared: Mapping[str, datetime] = field(default_factory=dict)
    #: By entry of a provider's list, since when it stood that a manager says was taken off there.
    removed: Mapping[str, datetime] = field(default_factory=dict)
    hold: Hold | None = None
    #: The oldest first. Applied to whoever appears with this address.
    refusals: tuple[OptOut, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing is known."""
        return not (
            self.refusals
            or self.blocks
            or self.cleared
            or self.removed
            or self.hold
            or self.soft_failures
            or self.bounced_at
            or self.proved_at
            or self.arrived_at
            or self.bounce is not Bounce.NO
        )

    @property
    def deliverability(self) -> Deliverability:
        """As it stands without what files say."""
        return self.beneath or Deliverability(
            bounce=self.bounce,
            bounced_at=self.bounced_at,
            bounce_reason=self.bounce_reason,
            complaint=self.complaint,
            soft_failures=self.soft_failures,
        )

    def has_arrived_since(self, failed: datetime) -> bool:
        """Whether a message arrived after a soft failure of that time."""
        arrived = [at for at in (self.arrived_at, self.proved_at) if at is not None]
        return any(failed <= at for at in arrived)

    @property
    def refusal(self) -> OptOut | None:
        """The newest opt-out of this address."""
        return max(self.refusals, key=lambda refusal: refusal.since, default=None)

    def block(self, sender: str) -> tuple[BlockState, datetime | None]:
        """How things stand between this sender and the address, and since when."""
        standing = self.blocks.get(sender)
        if standing is not None:
            return standing.state, standing.since
        return BlockState.NONE, self.cleared.get(sender)


class Role(StrEnum):
    """What somebody may do. Read afresh where something is decided, never believed."""

    NOBODY = "nobody"
    AGENT = "agent"
    MANAGER = "manager"
    #: At the command line, beside the storage itself.
    OPERATOR = "operator"
    #: Another system of the company, by a key of the API. It states what it knows, and decides
    #: nothing.
    PROGRAM = "program"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, with the role held at this moment, and from where."""

    #: `slack:U…`, `cli:<user>` or `api:<key>`.
    id: str
    role: Role
    #: `slack`, `cli`, `api` or `import`.
    source: str
    #: When somebody else said that they have this role, who may say otherwise a moment later.
    role_as_of: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One file of contacts taken in, undoable as one."""

    id: str
    #: The file's name, without its folder.
    file: str
    actor: str
    started_at: datetime
    #: None while it runs, and for ever if it was killed: what it did stands, and can be undone.
    finished_at: datetime | None = None
    undone_at: datetime | None = None
    #: Rows by consequence, in the words of `service.imports.Consequence`.
    counts: Mapping[str, int] = field(default_factory=dict)
