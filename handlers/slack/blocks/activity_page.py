"""The Activity Log in a modal, and the last changes in a message: pages of entries."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot.consent.known_providers import KnownProviders
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import Channel, Contact
from handlers import vocabulary
from handlers.slack import ids
from handlers.slack.blocks.elements import button, option
from handlers.slack.blocks.formatting import Block, context, inert, plain, section
from handlers.slack.blocks.modal_frame import Metadata, View

PAGE = 10
ALL = "all"


def log_modal(
    contact: Contact,
    entries: Sequence[Entry],
    more: bool,
    metadata: Metadata,
    providers: KnownProviders,
) -> View:
    """A page of a contact's log, newest first, with filters."""
    filters = [
        _filter(
            ids.LOG_CHANNEL,
            "All channels",
            [(channel.word, str(channel)) for channel in Channel],
            metadata.channel,
        ),
        _filter(ids.LOG_KIND, "All kinds", _KINDS, metadata.kind),
    ]
    blocks: list[Block] = [{"type": "actions", "block_id": "filters", "elements": filters}]
    blocks += [section(*vocabulary.entry_lines(entry, providers)) for entry in entries]
    if not entries:
        blocks.append(section("Nothing here with these filters."))
    buttons = [button("Newer", ids.LOG_NEWER, "newer")] if metadata.cursors else []
    if more:
        buttons.append(button("Older", ids.LOG_OLDER, str(entries[-1].seq)))
    buttons.append(button("Export as CSV", ids.LOG_EXPORT, "export"))
    blocks.append({"type": "actions", "block_id": "pages", "elements": buttons})
    return {
        "type": "modal",
        "callback_id": ids.LOG_MODAL,
        "title": plain("Activity Log", 24),
        "close": plain("Close", 24),
        "blocks": [context(f"*{inert(contact.name) or 'Erased contact'}*"), *blocks],
        "private_metadata": msgspec.structs.replace(metadata, contact=contact.id).dump(),
    }


def recent(
    entries: Sequence[tuple[Entry, Contact | None]],
    more: bool,
    providers: KnownProviders,
    kind: str = "",
    *,
    first: bool,
) -> list[Block]:
    """The last changes of all contacts; `first` says whether this page is the newest."""
    blocks: list[Block] = [
        section(
            "*The last changes of all contacts*",
            accessory=_filter(ids.RECENT_KIND, "All kinds", _KINDS, kind),
        )
    ]
    for entry, contact in entries:
        name = contact.name if contact else None
        said = vocabulary.entry_lines(entry, providers, of=name)[:2]
        view = None
        if contact is not None:
            pointer = ids.Pointer(contact=contact.id, version=contact.version)
            view = button("View", ids.VIEW, str(pointer))
        blocks.append(section(*said, accessory=view))
    if not entries:
        blocks.append(section("Nothing yet."))
    turn = [] if first else [button("Newest", ids.RECENT_NEWEST, f"0 {kind or ALL}")]
    if more:
        turn.append(button("Older", ids.RECENT_OLDER, f"{entries[-1][0].seq} {kind or ALL}"))
    return [*blocks, {"type": "actions", "elements": turn}] if turn else blocks


#: Kinds that can occur, in the order of the filter.
_KINDS = [
    (vocabulary.KIND[kind], str(kind))
    for kind in (
        EntryKind.CONSENT,
        EntryKind.BOUNCE,
        EntryKind.BLOCK,
        EntryKind.HOLD,
        EntryKind.EXPECTED_ERROR,
        EntryKind.CONTACT,
        EntryKind.NOTE,
        EntryKind.IMPORT,
    )
]


def _filter(action: str, everything: str, choices: list[tuple[str, str]], chosen: str) -> Block:
    options = [option(everything, ALL), *(option(text, value) for text, value in choices)]
    initial = next((o for o in options if o["value"] == (chosen or ALL)), options[0])
    return {
        "type": "static_select",
        "action_id": action,
        "options": options,
        "initial_option": initial,
    }


def kinds(value: str) -> tuple[EntryKind, ...]:
    """The kinds that a filter's value means; all of them, for a value that we never wrote."""
    known = {name for _, name in _KINDS}
    return (EntryKind(value),) if value in known else ()
