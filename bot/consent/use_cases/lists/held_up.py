"""Why Optin does not take an entry off a provider's list, where it would: for the card."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bot.consent.frozen import replace
from bot.consent.model import AddressFacts
from bot.consent.storage_behind import read_mark
from bot.consent.store import Records
from bot.consent.suppressions import Listing
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.lists.list_records import list_state
from bot.consent.write_backs import OPEN, WriteAction, WriteBack, WriteState


def held_up(service: Service, records: Records, key: str) -> Mapping[str, str]:
    """By entry, the reason in words that hold no address; none for what is under way."""
    found: dict[str, str] = {}
    old = read_mark(records.key_value) is not None
    for write in records.write_backs.of(key):
        if write.action is not WriteAction.REMOVE:
            continue
        label = service.providers.label(write.provider)
        if write.state is WriteState.PARKED:
            found[write.listing] = write.problem or f"{label} did not take it off"
        elif write.state in OPEN and old:
            found[write.listing] = "it works with old records"
        elif write.state in OPEN and (off := _off(service, write, label)):
            found[write.listing] = off
        elif write.state in OPEN:
            state = list_state(records.key_value, write.provider)
            if state.problem:
                found[write.listing] = state.problem
            elif not state.confirmed and write.state is not WriteState.SENT:
                found[write.listing] = f"nobody has confirmed the first write to {label}'s lists"
    return found


def without_removals(facts: AddressFacts, held: Collection[str]) -> AddressFacts:
    """The facts for an answer, where Optin does not take these entries off: somebody else has
    to."""
    blocks = {
        name: replace(block, leaving=False) if name in held else block
        for name, block in facts.blocks.items()
    }
    return replace(facts, blocks=blocks)


def _off(service: Service, write: WriteBack, label: str) -> str:
    """Which setting no longer lets Optin take it off."""
    providers = service.providers
    if Listing.of(write.listing).cause in providers.removes(write.provider):
        return ""
    if providers.reads(write.provider):
        return "OPTIN_WRITE_BACK is off"
    return f"it has no key for {label}'s lists any more"
