"""The contacts of the demo: every row of the table in rules.md §3, for texts and for e-mail.

All numbers are of the ranges that are kept for examples (555-01xx), all mailboxes at example.com.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.consent.log.changes import BlockChanged, BounceChanged, Change, ConsentChanged
from bot.consent.model import (
    Actor,
    BlockState,
    Bounce,
    Channel,
    ConsentValue,
    Evidence,
    Origin,
    Role,
)
from bot.consent.senders import Number, NumberKind, Sender
from bot.consent.store import Records
from bot.consent.suppressions import Cause, Listing
from bot.consent.use_cases import Details, Service, StatusUpdate, add, change, write_value
from bot.consent.use_cases.alerts.first_run import FIRST_RUN, OVER
from bot.consent.use_cases.record import Recorder

SENDERS = (
    Sender(
        id="support",
        name="Support line",
        numbers=(Number(number="+18885550199", kind=NumberKind.TOLL_FREE),),
    ),
    Sender(
        id="offers",
        name="Offers",
        numbers=(Number(number="+14155550150", kind=NumberKind.LONG_CODE),),
    ),
)

_US, _DE = "+1415555", "+49151234567"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One channel of a sample: a row of the table."""

    on: ConsentValue = ConsentValue.UNSET
    by: Origin = Origin.CONTACT
    blocked: bool = False
    bounce: Bounce = Bounce.NO
    complaint: bool = False
    unknown: bool = False
    proven: bool = True


_YES = _Side(on=ConsentValue.YES)
_NEVER = _Side()
_STOPPED = _Side(on=ConsentValue.NO, blocked=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    name: str
    phone: str = ""
    email: str = ""
    company: str = ""
    sms: _Side = _YES
    mail: _Side = _YES
    do_not_contact: bool = False
    external_id: str = ""
    #: Which sender the block is on.
    sender: int = 0


#: Rows 1 to 12, then what lies on top of them, then the names that break things.
_SAMPLES: tuple[_Sample, ...] = (
    _Sample(name="Ana Gómez", phone=_US + "0100", email="ana@example.com", company="Acme"),
    _Sample(
        name="Bob Miller",
        phone=_US + "0101",
        email="bob.miller@example.com",
        sms=replace(_YES, bounce=Bounce.YES),
    ),
    _Sample(
        name="Carla Rossi",
        phone=_US + "0102",
        email="carla@example.com",
        sms=replace(_YES, blocked=True),
    ),
    _Sample(
        name="Dan Whitfield",
        phone=_US + "0103",
        email="dan@example.com",
        sms=replace(_YES, blocked=True, bounce=Bounce.YES),
    ),
    _Sample(
        name="Eve Laurent",
        phone=_US + "0104",
        email="eve@example.com",
        sms=_Side(on=ConsentValue.NO),
    ),
    _Sample(
        name="Farid Haddad",
        phone=_US + "0105",
        email="farid@example.com",
        sms=_Side(on=ConsentValue.NO, bounce=Bounce.YES),
    ),
    _Sample(
        name="Grace Lee",
        phone=_US + "0106",
        email="grace@example.com",
        sms=_STOPPED,
        external_id="C-1042",
    ),
    _Sample(
        name="Hugo Brandt",
        phone=_US + "0107",
        email="hugo@example.com",
        sms=replace(_STOPPED, bounce=Bounce.YES),
    ),
    _Sample(name="Ines Costa", phone=_US + "0108", email="ines@example.com", sms=_NEVER),
    _Sample(
        name="Jack Turner",
        phone=_US + "0109",
        email="jack@example.com",
        sms=_Side(bounce=Bounce.YES),
    ),
    _Sample(name="Kim Park", phone=_US + "0110", email="kim@example.com", sms=_Side(blocked=True)),
    _Sample(
        name="Lena Fischer",
        phone=_US + "0111",
        email="lena@example.com",
        sms=_Side(blocked=True, bounce=Bounce.YES),
    ),
    # E-mail
    _Sample(
        name="Marco Bianchi",
        phone=_US + "0112",
        email="marco@example.com",
        mail=replace(_YES, bounce=Bounce.YES),
    ),
    _Sample(
        name="Nora Svensson",
        phone=_US + "0113",
        email="nora@example.com",
        mail=replace(_YES, blocked=True),
    ),
    _Sample(
        name="Oscar Nilsen",
        phone=_US + "0114",
        email="oscar@example.com",
        mail=_Side(on=ConsentValue.NO),
    ),
    _Sample(
        name="Paula Reyes",
        phone=_US + "0115",
        email="paula@example.com",
        mail=_Side(on=ConsentValue.NO, bounce=Bounce.YES, complaint=True),
    ),
    _Sample(
        name="Quentin Moreau",
        phone=_US + "0116",
        email="quentin@example.com",
        mail=_NEVER,
    ),
    _Sample(name="Rosa Jiménez", email="rosa@example.com"),
    # On top
    _Sample(
        name="Sam Carter",
        phone=_US + "0117",
        email="sam@example.com",
        sms=replace(_YES, unknown=True),
    ),
    _Sample(
        name="Tara Singh",
        phone=_US + "0118",
        email="tara@example.com",
        sms=replace(_YES, bounce=Bounce.PROBATION),
    ),
    _Sample(name="Umar Aziz", phone=_US + "0119", email="umar@example.com", do_not_contact=True),
    _Sample(
        name="Vera Kraus", phone="+493012345678", email="vera@example.com", company="Kraus GmbH"
    ),
    _Sample(
        name="Will Young",
        phone=_US + "0120",
        email="will@example.com",
        sms=_Side(on=ConsentValue.NO, by=Origin.STAFF),
    ),
    _Sample(
        name="Xenia Popova",
        phone=_US + "0121",
        email="xenia@example.com",
        sms=replace(_YES, proven=False),
    ),
    _Sample(
        name="Yusuf Demir",
        phone=_US + "0122",
        email="yusuf@example.com",
        sms=replace(_YES, blocked=True),
        sender=1,
    ),
    # One number, two people; one mailbox, two people
    _Sample(name="Zoe Adams", phone=_US + "0123", email="family.adams@example.com"),
    _Sample(name="Adam Adams", phone=_US + "0123", email="family.adams@example.com"),
    # Names
    _Sample(name="محمد عبد الله", phone=_US + "0124", email="mohammed@example.com"),
    _Sample(name="שרה כהן", phone=_US + "0125", email="sarah@example.com"),
    _Sample(name="李小龍", phone=_US + "0126", email="lee@example.com", company="龍門"),
    _Sample(
        name="Wolfeschlegelsteinhausenbergerdorff " * 4 + "the Third",
        phone=_US + "0127",
        email="wolfe@example.com",
    ),
    _Sample(name="<!channel> *Bold* :skull: & Sons", phone=_US + "0128", email="sons@example.com"),
    _Sample(name="Ana Gonçalves", phone=_US + "0129", email="ana.goncalves@example.com"),
    _Sample(name="Anastasia Petrov", phone=_US + "0130", email="anastasia@example.com"),
    _Sample(name="Jürgen Müller", phone=_DE + "80", email="juergen@example.com", company="Müller"),
)


def fill(service: Service) -> int:
    """Puts the samples into an empty storage, with a past; how many there are. It was set up long
    ago, so nobody is shown the first steps."""
    write_value(service, FIRST_RUN, OVER)
    operator = Actor(id="cli:demo", role=Role.OPERATOR, source="cli")
    for number, sample in enumerate(_SAMPLES):
        at = service.now() - timedelta(days=40 - number, hours=number % 7)
        contact = add(
            replace(service, now=_always(at)),
            Details(
                name=sample.name,
                phone=sample.phone or None,
                email=sample.email or None,
                company=sample.company or None,
                external_id=sample.external_id or None,
            ),
            operator,
        )
        with service.store.transaction() as records:
            for channel, side in ((Channel.EMAIL, sample.mail), (Channel.SMS, sample.sms)):
                past = _Past(service, records, contact.id, channel, at)
                past.tell(side, SENDERS[sample.sender])
                at = past.at
        if sample.do_not_contact:
            then = replace(service, now=_always(at + timedelta(hours=1)))
            change(then, contact.id, StatusUpdate(do_not_contact=True), operator)
    return len(_SAMPLES)


@dataclass(slots=True)
class _Past:
    """What happened to one channel of a contact, an hour between each step and the next. A sample's
    last step is before the next sample's first, so that the log is in the order of time."""

    service: Service
    records: Records
    contact: str
    channel: Channel
    at: datetime

    def tell(self, side: _Side, sender: Sender) -> None:
        contact = self.records.contacts.get(self.contact)
        if contact is None or contact.address(self.channel) is None:
            return
        mail = self.channel is Channel.EMAIL
        provider = "provider:sendgrid" if mail else "provider:twilio"
        form = Evidence(text="Web form of the spring newsletter, box ticked", at=self.at)
        if side.on is not ConsentValue.UNSET:
            proof = form if side.proven else None
            actor = "cli:demo" if side.proven else "import:demo"
            agreed = ConsentChanged(
                before=ConsentValue.UNSET,
                after=ConsentValue.YES,
                evidence=proof,
                by=Origin.IMPORT,
            )
            self._say(actor, agreed)
        if side.on is ConsentValue.NO:
            asked = "Correction" if side.by is Origin.STAFF else "Asked by phone"
            asked = "Reported our e-mail as spam" if side.complaint else asked
            told = "Unsubscribed" if mail else "Replied “STOP”"
            refused = ConsentChanged(
                before=ConsentValue.YES,
                after=ConsentValue.NO,
                reason=told if side.blocked else asked,
                by=side.by,
                sender=sender.number if side.blocked and not mail else None,
            )
            self._say(_CONTACT if side.blocked else "cli:demo", refused, provider)
        if side.blocked or side.unknown:
            state = BlockState.UNKNOWN if side.unknown else BlockState.BLOCKED
            name = (
                Listing(provider="sendgrid", cause=Cause.UNSUBSCRIBE).name
                if mail
                else sender.number
            )
            blocked = BlockChanged(
                sender=name,
                before=BlockState.NONE,
                after=state,
                by=Origin.CONTACT if side.blocked else None,
            )
            self._say(_CONTACT if side.blocked else provider, blocked, provider)
        if side.bounce is not Bounce.NO:
            by = Origin.CONTACT if side.complaint else None
            reason = "Reported as spam" if side.complaint else _BOUNCED[self.channel]
            bounced = BounceChanged(before=Bounce.NO, after=Bounce.YES, reason=reason, by=by)
            self._say(provider, bounced)
        if side.bounce is Bounce.PROBATION:
            reason = "The contact confirmed the number"
            proved = BounceChanged(before=Bounce.YES, after=Bounce.PROBATION, reason=reason)
            self._say("cli:demo", proved)

    def _say(self, actor: str, change: Change, provider: str = "") -> None:
        # An opt-out and its block are one event of the provider's.
        if not (isinstance(change, BlockChanged) and actor == _CONTACT):
            self.at += timedelta(hours=1)
        source = "cli" if actor.startswith("cli:") else actor.removesuffix(":demo")
        source = provider if actor == _CONTACT else source
        event = f"demo:{self.contact}:{self.channel}" if actor == _CONTACT else None
        contact = self.records.contacts.get(self.contact)
        assert contact is not None
        Recorder(
            service=self.service,
            records=self.records,
            actor=actor,
            source=source,
            now=self.at,
            provider_id=event,
        ).record(contact, change, address=contact.address(self.channel), channel=self.channel)


_CONTACT = "contact"
_BOUNCED = {
    Channel.SMS: "The number is not in service (Twilio 30005).",
    Channel.EMAIL: "The mailbox does not exist (5.1.1).",
}


def _always(at: datetime) -> Callable[[], datetime]:
    return lambda: at
