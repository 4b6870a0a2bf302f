"""An entry of an e-mail provider's suppression list that somebody took off there (rules.md §4)."""

from __future__ import annotations

from datetime import datetime

from bot.consent.errors import Changed, Refused
from bot.consent.log.changes import BlockChanged
from bot.consent.model import Actor, BlockState, Channel, Contact, Origin
from bot.consent.permissions import Action, authorize
from bot.consent.suppressions import Listing
from bot.consent.use_cases.context import Service, present
from bot.consent.use_cases.record import Recorder


def removed_at_provider(
    service: Service,
    id: str,
    provider: str,
    actor: Actor,
    *,
    since: datetime | None = None,
) -> Contact:
    """A manager says that the address was taken off a provider's list. `provider` is its id, or the
    name of one entry of its list (`suppressions.Listing.name`); `since` is when that entry began,
    as it was shown.

    Raises `NotAllowed`, `Changed` where the entry is another one by now, and `Refused` where the
    address is on no such list.
    """
    authorize(actor, Action.REMOVED_AT_PROVIDER)
    with service.store.transaction() as records:
        contact = present(records.contacts, id)
        key = contact.key(Channel.EMAIL)
        blocks = records.addresses.get(key).blocks if key else {}
        found = {
            name: block
            for name, block in blocks.items()
            if provider in (name, Listing.of(name).provider)
        }
        if not found:
            raise Refused(
                f"As far as Optin knows, the address is on no list of "
                f"{service.providers.label(Listing.of(provider).provider)}."
            )
        if since is not None and all(block.since != since for block in found.values()):
            raise Changed("The list has changed meanwhile. Look at the contact again.")
        recorder = Recorder(
            service=service, records=records, actor=actor.id, source=actor.source, now=service.now()
        )
        for name, block in found.items():
            if since is None or block.since == since:
                label = service.providers.label(Listing.of(name).provider)
                _remove(recorder, contact, name, block.state, reason=f"Removed at {label}")
        after = records.contacts.get(id)
        assert after is not None
        return after


def _remove(
    recorder: Recorder, contact: Contact, name: str, before: BlockState, *, reason: str
) -> None:
    for holder in recorder.records.contacts.at(contact.key(Channel.EMAIL) or ""):
        recorder.record(
            recorder.records.contacts.get(holder.id),
            BlockChanged(
                sender=name, by=Origin.STAFF, before=before, after=BlockState.NONE, reason=reason
            ),
            address=holder.address(Channel.EMAIL),
            channel=Channel.EMAIL,
        )
