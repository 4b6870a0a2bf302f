"""Numbers for managers: who may be sent to, who opted out and how, how soon that was honoured, and
what bounced. They hold no address and no name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from statistics import median

from bot.consent.log.entries import ANOTHERS, CARRIED, SOFT, Entry, EntryKind
from bot.consent.model import Actor, Bounce, Channel, ConsentValue, Contact, Origin
from bot.consent.permissions import Action, authorize
from bot.consent.records import Log
from bot.consent.rules import Answer, decide
from bot.consent.storage_behind import behind_of
from bot.consent.store import Records
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.known_senders import senders_of

#: Business days in which a refusal has to be honoured (47 CFR 64.1200(a)(10), CAN-SPAM).
HONOUR_WITHIN = 10
#: Entries that are read at once.
_PAGE = 1_000


class OptOutSource(StrEnum):
    """How an opt-out came to Optin."""

    TEXT = "text"
    #: An unsubscribe link, page or button of an e-mail.
    UNSUBSCRIBE = "unsubscribe"
    COMPLAINT = "complaint"
    #: A person recorded it.
    PERSON = "person"
    FILE = "file"
    #: A program told it by the API.
    PROGRAM = "program"
    #: A provider refused a message, or had it on its list.
    PROVIDER = "provider"


class BounceClass(StrEnum):
    """Classes of failures (rules.md §7), as the log keeps them."""

    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelShare:
    """Contacts of one channel."""

    #: Those who have an address for it.
    contacts: int = 0
    #: Those of them whose SMS On or Email On is YES.
    on: int = 0
    #: Those of them who may be sent to: the answer is yes.
    reachable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HonourTimes:
    """How long it took from an opt-out until Optin held messages back."""

    #: Opt-outs that were measured.
    count: int = 0
    median: timedelta = timedelta(0)
    longest: timedelta = timedelta(0)
    #: Those that took longer than ten business days.
    late: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Numbers of a time."""

    since: datetime
    until: datetime
    shares: Mapping[Channel, ChannelShare]
    #: Each day of the time, oldest first, with its opt-outs by channel and source.
    days: Mapping[date, Mapping[tuple[Channel, OptOutSource], int]]
    #: Of opt-outs that reached Optin as they happened: texts, links, complaints.
    told: HonourTimes
    #: Of opt-outs that a person, a file or a program recorded later.
    recorded: HonourTimes
    bounces: Mapping[tuple[Channel, BounceClass], int]

    @property
    def opt_outs(self) -> Mapping[tuple[Channel, OptOutSource], int]:
        """Those of all days."""
        total: Counter[tuple[Channel, OptOutSource]] = Counter()
        for day in self.days.values():
            total.update(day)
        return total


def stats(service: Service, actor: Actor, *, since: datetime, zone: tzinfo) -> Stats:
    """The numbers from `since` until now. Days are those of `zone`. Reads every contact, so it may
    take some seconds."""
    authorize(actor, Action.LOOK)
    with service.store.reading() as records:
        until = service.now()
        shares = _shares(service, records)
        counted = _Counted(zone=zone)
        for entry in entries_since(records.log, since):
            counted.add(entry)
    return Stats(
        since=since,
        until=until,
        shares=shares,
        days={day: counted.days.get(day, {}) for day in _days(since, until, zone)},
        told=_times(service, counted.told),
        recorded=_times(service, counted.recorded),
        bounces=counted.bounces,
    )


def counts_between(
    log: Log, since: datetime, until: datetime
) -> tuple[Mapping[tuple[Channel, OptOutSource], int], Mapping[tuple[Channel, BounceClass], int]]:
    """Opt-outs and bounces that were recorded from `since` on and before `until`."""
    counted = _Counted(zone=UTC)
    for entry in entries_since(log, since):
        if entry.recorded_at < until:
            counted.add(entry)
    opt_outs: Counter[tuple[Channel, OptOutSource]] = Counter()
    for day in counted.days.values():
        opt_outs.update(day)
    return opt_outs, counted.bounces


def _shares(service: Service, records: Records) -> Mapping[Channel, ChannelShare]:
    found: Counter[tuple[Channel, str]] = Counter()
    for contact in records.contacts.all():
        for channel in Channel:
            if not contact.erased and contact.key(channel):
                found[channel, "contacts"] += 1
                if contact.consent(channel).on is ConsentValue.YES:
                    found[channel, "on"] += 1
                    found[channel, "reachable"] += _may_be_sent_to(
                        service, records, contact, channel
                    )
    return {
        channel: ChannelShare(
            contacts=found[channel, "contacts"],
            on=found[channel, "on"],
            reachable=found[channel, "reachable"],
        )
        for channel in Channel
    }


def _may_be_sent_to(service: Service, records: Records, contact: Contact, channel: Channel) -> bool:
    facts = records.addresses.get(contact.key(channel) or "")
    senders = senders_of(service, records.key_value, facts)
    behind = behind_of(service.heads, records.key_value)
    decision = decide(contact, facts, channel, senders.default, senders, behind)
    return decision.answer is Answer.YES


def entries_since(log: Log, since: datetime) -> Iterator[Entry]:
    """Those recorded since then that count, newest first."""
    before: int | None = None
    while page := log.entries(kinds=_KINDS, before=before, limit=_PAGE):
        for entry in page:
            if entry.recorded_at < since:
                return
            yield entry
        before = page[-1].seq


_KINDS = (EntryKind.CONSENT, EntryKind.BOUNCE)


@dataclass(kw_only=True)
class _Counted:
    """What the entries of a time come to."""

    zone: tzinfo
    days: dict[date, Counter[tuple[Channel, OptOutSource]]] = field(default_factory=dict)
    told: list[Entry] = field(default_factory=list)
    recorded: list[Entry] = field(default_factory=list)
    bounces: Counter[tuple[Channel, BounceClass]] = field(default_factory=Counter)

    def add(self, entry: Entry) -> None:
        if entry.channel is None:
            return
        if entry.kind is EntryKind.BOUNCE:
            if found := _bounce_class(entry):
                self.bounces[entry.channel, found] += 1
        elif opts_out(entry):
            source = _source(entry)
            day = entry.recorded_at.astimezone(self.zone).date()
            self.days.setdefault(day, Counter())[entry.channel, source] += 1
            (self.told if source in _AT_ONCE else self.recorded).append(entry)


#: They reach Optin as they happen.
_AT_ONCE = frozenset({OptOutSource.TEXT, OptOutSource.UNSUBSCRIBE, OptOutSource.COMPLAINT})


def opts_out(entry: Entry) -> bool:
    """Whether the contact's own no begins with it, and was not taken along from elsewhere."""
    newly = entry.after == ConsentValue.NO and entry.before != ConsentValue.NO
    return newly and entry.by is not Origin.STAFF and entry.reason not in (CARRIED, ANOTHERS)


def _source(entry: Entry) -> OptOutSource:
    room = entry.source.partition(":")[0]
    if entry.actor == "contact":
        if entry.channel is Channel.SMS:
            return OptOutSource.TEXT
        if (entry.reason or "").startswith("Reported"):
            return OptOutSource.COMPLAINT
        return OptOutSource.UNSUBSCRIBE
    return _BY_ROOM.get(room, OptOutSource.PERSON)


_BY_ROOM: Mapping[str, OptOutSource] = {
    "import": OptOutSource.FILE,
    "api": OptOutSource.PROGRAM,
    "provider": OptOutSource.PROVIDER,
}


def _bounce_class(entry: Entry) -> BounceClass | None:
    """None for an entry that takes failures away."""
    soft = (entry.changes or {}).get(SOFT)
    if soft is not None:
        return BounceClass.SOFT if int(str(soft[1])) > int(str(soft[0])) else None
    if entry.after != Bounce.YES or entry.before == Bounce.YES:
        return None
    return BounceClass.COMPLAINT if entry.by is Origin.CONTACT else BounceClass.HARD


def _times(service: Service, entries: Sequence[Entry]) -> HonourTimes:
    if not entries:
        return HonourTimes()
    took = [max(e.recorded_at - e.occurred_at, timedelta(0)) for e in entries]
    late = sum(
        # Ten business days are twelve days at least.
        time > timedelta(days=HONOUR_WITHIN) and e.recorded_at > service.honour_by(e.occurred_at)
        for e, time in zip(entries, took, strict=True)
    )
    half = timedelta(seconds=median(time.total_seconds() for time in took))
    return HonourTimes(count=len(took), median=half, longest=max(took), late=late)


def _days(since: datetime, until: datetime, zone: tzinfo) -> Iterator[date]:
    day, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    while day <= last:
        yield day
        day += timedelta(days=1)
