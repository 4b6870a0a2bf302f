"""What a message's phone numbers and e-mail addresses lead to: a line each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.consent.use_cases import Profile, UnheldAddress, WhoHas
from handlers.slack import ids
from handlers.slack.blocks.elements import button
from handlers.slack.blocks.formatting import Block, context, inert, phone, section, shown
from handlers.slack.blocks.modal_frame import Metadata, View, modal
from handlers.slack.blocks.search_results import PAGE, hit

#: What the shortcut of a message is called, and its modals.
TITLE = "Check opt-in"

#: Seals an address that nobody has, for the form of a new contact.
Seal = Callable[[str], str]

#: Characters of a sealed list behind a button's pointer. The forms that are opened from there
#: remember it, too, beside their own.
_ROOM = 1_300
_LISTING = re.compile(
    r"[^ ]{1,80} found ([0-9]{1,3}) ([0-9]{1,6}) ([A-Za-z0-9_=-]{1,1300})", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundListing:
    """A page of the list as it was drawn, so that it can be drawn anew. Stands behind the pointer
    of each of its buttons, where there is room for it."""

    #: The addresses.
    sealed: str
    #: How many addresses stand on no page.
    left_out: int = 0
    #: How many entries stand on the pages before.
    skip: int = 0

    def __str__(self) -> str:
        return f"found {self.skip} {self.left_out} {self.sealed}"

    @classmethod
    def read(cls, text: object) -> FoundListing | None:
        """None where the button is on no such list, or we never wrote it."""
        found = _LISTING.fullmatch(str(text or "")[:2_000])
        if found is None:
            return None
        return cls(skip=int(found[1]), left_out=int(found[2]), sealed=found[3])


def found_message(found: WhoHas, seal: Seal, listing: FoundListing) -> list[Block]:
    """The first page of the list; a message has no others."""
    left_out = listing.left_out + found.count - len(found.entries)
    return _lines(found, seal, listing, left_out)


def found_modal(found: WhoHas, seal: Seal, listing: FoundListing) -> View:
    """A page of the list, with its turns."""
    blocks = _lines(found, seal, listing, listing.left_out)
    skip = listing.skip
    turns = [button("Previous", ids.FOUND_PREVIOUS, str(max(0, skip - PAGE)))] if skip else []
    if skip + len(found.entries) < found.count:
        turns.append(button("Next", ids.FOUND_NEXT, str(skip + PAGE)))
    if turns:
        blocks.append({"type": "actions", "elements": turns})
    metadata = Metadata(listing=listing.sealed, left_out=listing.left_out)
    return modal(ids.FOUND_MODAL, TITLE, blocks, metadata)


def _lines(found: WhoHas, seal: Seal, listing: FoundListing, left_out: int) -> list[Block]:
    last = listing.skip + len(found.entries)
    said = [f"*{found.count} contacts and addresses are in this message.*"]
    if len(found.entries) < found.count:
        said.append(f"{listing.skip + 1} to {last}")
    kept = f" {listing}" if len(listing.sealed) <= _ROOM else ""
    blocks = [section(*said), *(_line(one, seal, kept) for one in found.entries)]
    if left_out:
        more = "1 more address was" if left_out == 1 else f"{left_out:,} more addresses were"
        blocks.append(context(f"{more} left out. For a long list, type the command and `check`."))
    return blocks


def _line(one: Profile | UnheldAddress, seal: Seal, listing: str) -> Block:
    if isinstance(one, Profile):
        return hit(one, listing)
    address = one.address if "@" in one.address else phone(one.address)
    said = [f"*{inert(address)}* · no contact has it"]
    if one.facts and (one.facts.refusal or one.facts.blocks):
        said.append("🔴 It refused our messages before. That is kept.")
    element = button("Add contact", ids.ADD, seal(one.address), spoken=f"Add {shown(address, 60)}")
    return section(*said, accessory=element)
