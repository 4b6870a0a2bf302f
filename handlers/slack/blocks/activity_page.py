"""The Activity Log in a modal, and the last changes in a message: pages of lines."""

from __future__ import annotations

import msgspec

from bot.consent.known_providers import KnownProviders
from bot.consent.log.entries import EntryKind
from bot.consent.model import Channel, Contact
from bot.consent.use_cases import LogPage
from handlers import vocabulary
from handlers.entry_lines import log_line, recent_line, recent_sentence
from handlers.slack import ids
from handlers.slack.blocks.elements import button, option
from handlers.slack.blocks.formatting import Block, context, inert, lines, plain, section
from handlers.slack.blocks.modal_frame import Metadata, View
from handlers.slack.blocks.past_modal import past_picker

PAGE = 10
ALL = "all"
#: Each entry on a line of its own, expected errors too.
EVERY = "every"
#: Characters of the text beside the blocks of `recent`.
_TEXT = 4_000


def log_modal(
    contact: Contact, page: LogPage, metadata: Metadata, providers: KnownProviders
) -> View:
    """A page of a contact's log, newest first, with filters."""
    filters = [
        _filter(
            ids.LOG_CHANNEL,
            "All channels",
            [(channel.word, str(channel)) for channel in Channel],
            metadata.channel,
        ),
        _filter(ids.LOG_KIND, "All changes", _KINDS, metadata.kind),
    ]
    blocks: list[Block] = [{"type": "actions", "block_id": "filters", "elements": filters}]
    blocks.append(past_picker(metadata))
    blocks += [section(*log_line(line, providers)) for line in page.lines]
    if not page.lines:
        blocks.append(section("Nothing here with these filters."))
    buttons = [button("Newer", ids.LOG_NEWER, "newer")] if metadata.cursors else []
    if page.older is not None:
        buttons.append(button("Older", ids.LOG_OLDER, str(page.older)))
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


def recent(page: LogPage, providers: KnownProviders, kind: str = "", *, first: bool) -> list[Block]:
    """The last changes of all contacts; `first` says whether this page is the newest."""
    blocks: list[Block] = [
        section(
            f"*{_TITLE}*",
            accessory=_filter(ids.RECENT_KIND, "All changes", _KINDS, kind),
        )
    ]
    for line in page.lines:
        view = None
        if line.contact is not None:
            pointer = ids.Pointer(contact=line.contact.id, version=line.contact.version)
            view = button("View", ids.VIEW, str(pointer))
        blocks.append(section(*recent_line(line, providers), accessory=view))
    if not page.lines:
        blocks.append(section(_nothing(kind)))
    turn = [] if first else [button("Newest", ids.RECENT_NEWEST, f"0 {kind or ALL}")]
    if page.older is not None:
        turn.append(button("Older", ids.RECENT_OLDER, f"{page.older} {kind or ALL}"))
    return [*blocks, {"type": "actions", "elements": turn}] if turn else blocks


def recent_text(page: LogPage, providers: KnownProviders, kind: str = "") -> str:
    """The same list in sentences, for screen readers and notifications."""
    said = [recent_sentence(line, providers) for line in page.lines] or [_nothing(kind)]
    return lines([f"{_TITLE}:", *said], _TEXT)


def kinds(value: str) -> tuple[EntryKind, ...]:
    """The kinds that a filter's value means; none for all of them, and for a value that Optin
    never wrote."""
    if value == EntryKind.CASE:
        return (EntryKind.CASE, EntryKind.HOLD)
    known = {name for _, name in _KINDS} - {EVERY} | {EntryKind.HOLD}
    return (EntryKind(value),) if value in known else ()


def wants_every(value: str) -> bool:
    """Whether a filter's value asks for each entry on a line of its own."""
    return value == EVERY


_TITLE = "The last changes of all contacts"

#: Kinds that can occur, in the order of the filter.
_KINDS = [
    *(
        (vocabulary.KIND[kind], str(kind))
        for kind in (
            EntryKind.CONSENT,
            EntryKind.CASE,
            EntryKind.BOUNCE,
            EntryKind.BLOCK,
            EntryKind.CONTACT,
            EntryKind.NOTE,
            EntryKind.IMPORT,
            EntryKind.EXPECTED_ERROR,
        )
    ),
    ("Every entry, expected errors too", EVERY),
]


def _nothing(kind: str) -> str:
    return "Nothing with this filter." if kind else "Nothing yet."


def _filter(action: str, everything: str, choices: list[tuple[str, str]], chosen: str) -> Block:
    options = [option(everything, ALL), *(option(text, value) for text, value in choices)]
    initial = next((o for o in options if o["value"] == (chosen or ALL)), options[0])
    return {
        "type": "static_select",
        "action_id": action,
        "options": options,
        "initial_option": initial,
    }
