"""Tries to decide a case that were refused: a note of the contact, once for each person, case and
reason. A hundred clicks are one note."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from bot.consent.cases import Case
from bot.consent.errors import NotAllowed, OwnRequest, Refused, RoleUnknown, StorageFailed
from bot.consent.log.changes import Noted
from bot.consent.log.entries import REFUSED_TRY, EntryKind
from bot.consent.model import Actor, Role
from bot.consent.permissions import Action, authorize
from bot.consent.records import Log
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.record import Recorder

#: Notes that one person leaves on one contact are fewer.
_MOST_NOTES = 1_000


def check_decider(service: Service, id: str, actor: Actor, *, verb: str) -> None:
    """Raises `NotAllowed` for whoever may not decide the case, and notes the try. `verb` is what
    they tried: "approve" or "deny"."""
    with noting_refusal(service, id, actor, verb=verb):
        authorize(actor, Action.DECIDE)


@contextmanager
def noting_refusal(service: Service, id: str, actor: Actor, *, verb: str) -> Iterator[None]:
    """Notes a try that ends in `NotAllowed`, after its transaction was undone."""
    try:
        yield
    except NotAllowed as refusal:
        note_refused_try(service, id, actor, refusal, verb=verb)
        raise


def note_refused_try(
    service: Service, id: str, actor: Actor, refusal: NotAllowed, *, verb: str
) -> None:
    """Writes the note, unless it stands already or there is no such case. Where it can't be stored,
    the person is refused all the same."""
    with suppress(StorageFailed, Refused):  # `Refused`: Slack's request was replayed
        with service.store.reading() as records:
            case = records.cases.get(id)
            if case is None:
                return
            said = _note(case, actor, refusal, verb)
            if _stands(records.log, case, actor, said):
                return
        with service.store.transaction() as records:
            contact = records.contacts.get(case.contact)
            if contact is None or _stands(records.log, case, actor, said):
                return
            Recorder(
                service=service,
                records=records,
                actor=actor.id,
                source=actor.source,
                now=service.now(),
            ).record(contact, Noted(reason=said, changes={REFUSED_TRY: (None, case.id)}))


def _stands(log: Log, case: Case, actor: Actor, said: str) -> bool:
    notes = log.entries(
        contact=case.contact, actor=actor.id, kinds=(EntryKind.NOTE,), limit=_MOST_NOTES
    )
    return any(
        note.reason == said and (note.changes or {}).get(REFUSED_TRY) == (None, case.id)
        for note in notes
    )


def _note(case: Case, actor: Actor, refusal: NotAllowed, verb: str) -> str:
    return f"Tried to {verb} the re-opt-in for {case.channel.word}: {_why(refusal, actor)}"


def _why(refusal: NotAllowed, actor: Actor) -> str:
    if isinstance(refusal, OwnRequest):
        return "refused, because it is their own request"
    if isinstance(refusal, RoleUnknown):
        return "refused, because Slack did not say who they are"
    if actor.role is Role.NOBODY:
        return "refused, because they may not use Optin"
    return "refused, because they are no manager"
