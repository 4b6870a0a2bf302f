"""A list of addresses to check, and its answers."""

from __future__ import annotations

from collections.abc import Sequence

from bot.consent.use_cases import CheckedAddress
from handlers.address_list import counts, reason, status_of
from handlers.slack import ids
from handlers.slack.blocks.formatting import (
    SECTION,
    Block,
    context,
    inert,
    phone,
    plain,
    section,
)
from handlers.slack.blocks.modal_frame import Metadata, View, modal

#: As many addresses can be pasted; a file may have more.
MOST_PASTED = 500
#: As many answers are shown; the file has all.
_SHOWN = 50
_TOGETHER = 5
ADDRESSES, FILE = "addresses", "file"


def check_modal() -> View:
    """Where a list is pasted or uploaded."""
    blocks: list[Block] = [
        {
            "type": "input",
            "block_id": ADDRESSES,
            "optional": True,
            "label": plain("Phone numbers and e-mail addresses", 100),
            "hint": plain(f"One to a line, up to {MOST_PASTED}. Nothing of the list is kept.", 150),
            "element": {"type": "rich_text_input", "action_id": ADDRESSES, "focus_on_load": True},
        },
        {
            "type": "input",
            "block_id": FILE,
            "optional": True,
            "label": plain("Or a file", 100),
            "hint": plain("A CSV, or a text file with one address to a line.", 150),
            "element": {
                "type": "file_input",
                "action_id": FILE,
                "filetypes": ["csv", "txt", "text"],
                "max_files": 1,
            },
        },
    ]
    return modal(ids.CHECK_MODAL, "Check a list", blocks, Metadata(), submit="Check")


def checked_modal(answers: Sequence[CheckedAddress], about_file: str) -> View:
    """The counts, the first answers, and where the file with all of them is."""
    blocks: list[Block] = [section(f"*{counts(answers)}*"), context(about_file)]
    shown = answers[:_SHOWN]
    for at in range(0, len(shown), _TOGETHER):
        said = [*map(_line, shown[at : at + _TOGETHER])]
        together = "\n".join(said)
        # Escaping makes text longer: then each stands alone, and none is cut off.
        blocks += map(section, [together] if len(together) < SECTION - 2 else said)
    if len(answers) > _SHOWN:
        blocks.append(context(f"… and {len(answers) - _SHOWN:,} more, in the file."))
    return modal(ids.CHECKED_MODAL, "Check a list", blocks, Metadata())


def _line(one: CheckedAddress) -> str:
    icon, word = status_of(one)
    address = phone(one.address) if one.address else inert(one.text, 60)
    name = f" · {inert(one.contact.name, 60)}" if one.contact else ""
    why = reason(one)
    return f"{icon} {word} · *{address}*{name}" + (f"\n_{inert(why, 300)}_" if why else "")
