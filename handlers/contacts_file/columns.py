"""What a column of a contacts file can mean, and where each meaning stands in one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, auto

from bot.consent.model import Channel

_SMS, _EMAIL = (Channel.SMS,), (Channel.EMAIL,)


class Column(StrEnum):
    """What a column holds, by the name that the contract and `--column` give it."""

    NAME = "name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    MOBILE = "mobile"
    PHONE = "phone"
    EMAIL = "email"
    COMPANY = "company"
    EXTERNAL_ID = "external_id"
    SMS_ON = "sms_on"
    EMAIL_ON = "email_on"
    #: Yes or no, and no word of the channel.
    OPT_IN = "opt_in"
    #: Yes means no, and no means nothing.
    SMS_OPT_OUT = "sms_opt_out"
    EMAIL_OPT_OUT = "email_opt_out"
    OPT_OUT = "opt_out"
    #: No means no, and yes means nothing: the address is switched on.
    SMS_ACTIVE = "sms_active"
    EMAIL_ACTIVE = "email_active"
    SMS_BOUNCE = "sms_bounce"
    EMAIL_BOUNCE = "email_bounce"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    #: A word such as "active" or "unsubscribed" under a title that may be about anything.
    STATUS = "status"
    #: Why an address is on a suppression list.
    LIST_REASON = "list_reason"
    #: When.
    LIST_TIME = "list_time"
    CONSENT_SOURCE = "consent_source"
    CONSENT_AT = "consent_at"
    #: Of one channel, where the two have different evidence.
    SMS_CONSENT_SOURCE = "sms_consent_source"
    SMS_CONSENT_AT = "sms_consent_at"
    EMAIL_CONSENT_SOURCE = "email_consent_source"
    EMAIL_CONSENT_AT = "email_consent_at"
    DO_NOT_CALL = "do_not_call"
    #: Fax, post, calls, legal basis: consent, and neither to texts nor to e-mail.
    ELSEWHERE = "elsewhere"
    #: Of a consent or a bounce, and neither an answer nor what shows one: an IP address.
    DETAIL = "detail"
    #: Perhaps about consent.
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """How the cells of a column about consent are read."""

    OPT_IN = auto()
    OPT_OUT = auto()
    ACTIVE = auto()
    BOUNCE = auto()
    COMPLAINT = auto()
    STATUS = auto()
    LIST_REASON = auto()
    DO_NOT_CALL = auto()
    UNKNOWN = auto()


#: How a column is read, and which channels it speaks of; none where it does not say.
KINDS: Mapping[Column, tuple[Kind, tuple[Channel, ...]]] = {
    Column.SMS_ON: (Kind.OPT_IN, _SMS),
    Column.EMAIL_ON: (Kind.OPT_IN, _EMAIL),
    Column.OPT_IN: (Kind.OPT_IN, ()),
    Column.SMS_OPT_OUT: (Kind.OPT_OUT, _SMS),
    Column.EMAIL_OPT_OUT: (Kind.OPT_OUT, _EMAIL),
    Column.OPT_OUT: (Kind.OPT_OUT, ()),
    Column.SMS_ACTIVE: (Kind.ACTIVE, _SMS),
    Column.EMAIL_ACTIVE: (Kind.ACTIVE, _EMAIL),
    Column.SMS_BOUNCE: (Kind.BOUNCE, _SMS),
    Column.EMAIL_BOUNCE: (Kind.BOUNCE, _EMAIL),
    Column.BOUNCE: (Kind.BOUNCE, ()),
    Column.COMPLAINT: (Kind.COMPLAINT, _EMAIL),
    Column.STATUS: (Kind.STATUS, ()),
    Column.LIST_REASON: (Kind.LIST_REASON, ()),
    Column.DO_NOT_CALL: (Kind.DO_NOT_CALL, ()),
    Column.UNKNOWN: (Kind.UNKNOWN, ()),
}
#: What `--column` can say of a column.
NAMEABLE = tuple(
    column
    for column in Column
    if column not in (Column.ELSEWHERE, Column.DETAIL, Column.STATUS, Column.UNKNOWN)
)

FOR_NAME = frozenset({Column.NAME, Column.FIRST_NAME, Column.LAST_NAME})
#: The best first: a mobile number can be texted.
FOR_PHONE = (Column.MOBILE, Column.PHONE)
FOR_ADDRESS = frozenset({*FOR_PHONE, Column.EMAIL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One column about consent, in one file."""

    #: From 0.
    place: int
    title: str
    column: Column
    #: Whatever stands there says it: a date of the opt-out, the reason of the bounce.
    filled: bool = False
    #: What its words speak of.
    channels: tuple[Channel, ...] = ()
    #: To which of them a yes is one.
    agreed: tuple[Channel, ...] = ()
    #: The system whose "no" only says that somebody never subscribed there.
    maker: str | None = None
    #: The system's numbers, as words.
    codes: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        """How its cells are read."""
        return KINDS[self.column][0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What the columns of one file mean."""

    header: Sequence[str]
    #: Where contacts' details and evidence stand, the best place first.
    places: Mapping[Column, Sequence[int]]
    #: The columns about consent, opt-outs and bounces.
    consent: Sequence[Use] = ()
    #: Consent to something else than texts and e-mail.
    elsewhere: Sequence[str] = ()
    #: Neither an answer nor what shows one.
    details: Sequence[str] = ()
    #: Left out on purpose.
    ignored: Sequence[str] = ()
    #: Named columns that mean nothing to us.
    unused: Sequence[str] = ()
    #: Places where the rows that were looked at hold anything.
    filled: frozenset[int] = frozenset()
    #: By the place of a phone number, where its kind is named: "Mobile", "Home".
    labels: Mapping[int, int] = field(default_factory=dict)

    @property
    def has_names(self) -> bool:
        """Whether any column holds names. A list of addresses alone has none."""
        return not FOR_NAME.isdisjoint(self.places)

    @property
    def titles(self) -> Mapping[str, str]:
        """What this file calls the columns, by the field of a contact."""
        return {
            "phone" if column is Column.MOBILE else str(column): self.title(column)
            for column in reversed(Column)
            if column in self.places
        }

    def title(self, column: Column) -> str:
        """What this file calls the column."""
        return self.header[self.places[column][0]].strip()
