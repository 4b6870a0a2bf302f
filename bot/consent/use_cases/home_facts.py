"""What a person's Home in Slack shows. However many contacts, requests and opt-outs there are, it
takes four reads of the storage."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from bot.consent.cases import Case, CaseState
from bot.consent.model import Actor, Contact
from bot.consent.permissions import Action, authorize, may
from bot.consent.store import Expected
from bot.consent.use_cases.context import LookUp, Service
from bot.consent.use_cases.key_values import read_value, update_values, write_value
from bot.consent.use_cases.opt_out_counts import COUNTS, OptOutCounts, read_counts

#: Requests of a kind that are listed.
MOST_LISTED = 5
#: Contacts that are remembered of one person.
MOST_RECENT = 5
#: Open requests that are read.
_MOST_OPEN = 200
_OPENED = "yes"


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeCase:
    """A request, and its contact; None where they are gone."""

    case: Case
    contact: Contact | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeFacts:
    """One state of the storage, for one person."""

    #: Whom they looked up last, the newest first.
    recent: Sequence[Contact] = ()
    #: Requests that this person may decide, the oldest first; and how many there are.
    waiting: Sequence[HomeCase] = ()
    waiting_count: int = 0
    #: Their own open requests, and how many there are.
    own: Sequence[HomeCase] = ()
    own_count: int = 0
    #: There are more open requests than were read.
    more: bool = False
    #: None where nothing was counted yet.
    counts: OptOutCounts | None = None
    #: The log has grown since they were counted.
    outdated: bool = False
    #: This person has opened their Home before.
    opened: bool = False
    #: Stored values that were asked for besides.
    noted: Mapping[str, str | None] = field(default_factory=dict)


def home_facts(service: Service, actor: Actor, noted: Collection[str] = ()) -> HomeFacts:
    """`noted` are names of stored values to be read along."""
    authorize(actor, Action.LOOK)
    recent, home = _recent_key(actor.id), _home_key(actor)
    with service.store.reading() as records:
        records.expect(Expected(key_value=(recent, home, COUNTS, *noted)))
        fresh = _by_actor(service.look_ups.copy()).get(actor.id, ())
        ids = _added(fresh, records.key_value.get(recent)).split()
        counts = read_counts(records.key_value.get(COUNTS))
        opened = records.key_value.get(home) is not None
        texts = {name: records.key_value.get(name) for name in noted}
        cases = records.cases.all_open(limit=_MOST_OPEN + 1)
        more, cases = len(cases) > _MOST_OPEN, cases[:_MOST_OPEN]
        waiting = [case for case in cases if _may_decide(service, actor, case)]
        own = [case for case in cases if case.requested_by == actor.id]
        listed = [*waiting[:MOST_LISTED], *own[:MOST_LISTED]]
        contacts = records.contacts.get_many({*ids, *(case.contact for case in listed)})
        seq, _ = records.log.head()
    return HomeFacts(
        recent=[c for id in ids if (c := contacts.get(id)) is not None and not c.erased],
        waiting=_with_contacts(waiting, contacts),
        waiting_count=len(waiting),
        own=_with_contacts(own, contacts),
        own_count=len(own),
        more=more,
        counts=counts,
        outdated=counts is not None and counts.seq != seq,
        opened=opened,
        noted=texts,
    )


def remember_home(service: Service, actor: Actor) -> None:
    """From now on this person has a Home that shows what changes."""
    write_value(service, _home_key(actor), _OPENED)


def has_home(service: Service, actor: Actor) -> bool:
    """Whether this person ever opened their Home."""
    return read_value(service, _home_key(actor)) is not None


def store_look_ups(service: Service) -> None:
    """Stores what people have looked up since the last time. Raises `StorageFailed`."""
    taken = [service.look_ups.popleft() for _ in range(len(service.look_ups))]
    if not taken:
        return
    try:
        update_values(
            service,
            {_recent_key(who): partial(_added, ids) for who, ids in _by_actor(taken).items()},
        )
    except BaseException:
        service.look_ups.extendleft(reversed(taken))
        raise


def _by_actor(look_ups: Iterable[LookUp]) -> Mapping[str, Sequence[str]]:
    """Whom each person in Slack looked up, the newest first. Others have no Home."""
    found: dict[str, list[str]] = {}
    for actor, contact in look_ups:
        if actor.startswith("slack:"):
            found.setdefault(actor, []).insert(0, contact)
    return found


def _added(fresh: Sequence[str], stored: str | None) -> str:
    """The ids that are remembered, each once."""
    return " ".join([*dict.fromkeys((*fresh, *(stored or "").split()))][:MOST_RECENT])


def _recent_key(actor: str) -> str:
    return f"recent look-ups:{actor}"


def _home_key(actor: Actor) -> str:
    return f"home:{actor.id}"


def _may_decide(service: Service, actor: Actor, case: Case) -> bool:
    return (
        may(actor, Action.DECIDE)
        and case.state is CaseState.PENDING
        and (service.self_approve or case.requested_by != actor.id)
    )


def _with_contacts(cases: Sequence[Case], contacts: Mapping[str, Contact]) -> list[HomeCase]:
    return [HomeCase(case=case, contact=contacts.get(case.contact)) for case in cases[:MOST_LISTED]]
