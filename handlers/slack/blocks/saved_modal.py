"""What a modal turns into when it is saved: before → after, and the answer as it is now."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot.consent.use_cases import Profile, StatusChange
from bot.consent.use_cases.look_up import MOST_NAMES
from handlers.slack import ids
from handlers.slack.blocks.details_modal import answers
from handlers.slack.blocks.elements import button
from handlers.slack.blocks.formatting import Block, context, divider, inert, joined, section
from handlers.slack.blocks.modal_frame import Metadata, View, modal


def saved_modal(
    profile: Profile,
    changes: Sequence[StatusChange],
    metadata: Metadata,
    *,
    notice: str | None = None,
) -> View:
    """Before → after, with Undo where it is allowed."""
    blocks: list[Block] = [section(f"⚠️ {notice}")] if notice else []
    if not changes:
        blocks.append(section("Nothing was changed: every value is as it was."))
    for change in changes:
        if change.what == "Note":
            blocks.append(section("✓ *Note* added."))
            continue
        undo = None
        if change.undoable and change.channel:
            value = f"{change.channel} {ids.Pointer(contact=profile.contact.id, version=0)}"
            undo = button("Undo", ids.UNDO, value)
        before, after = (_word(word) for word in (change.before, change.after))
        same = change.before == change.after
        made = f"stays *{after}*" if same else f" {before} → *{after}*"
        blocks.append(section(f"✓ *{change.what}* {made}", accessory=undo))
        if change.also:
            names = joined([inert(name, 80) or "No name" for name in change.also[:MOST_NAMES]])
            more = len(change.also) - MOST_NAMES
            blocks.append(
                context(
                    f"{'It changed' if same else 'The same'} for {names}"
                    f"{f' and {more} more' if more > 0 else ''}, who share the address."
                )
            )
    blocks += [divider(), *answers(profile)]
    if any(change.undoable for change in changes):
        blocks.append(context("You can undo your own change for 15 minutes."))
    metadata = msgspec.structs.replace(metadata, contact=profile.contact.id)
    return modal(ids.SAVED_MODAL, "Saved" if changes else "Not changed", blocks, metadata)


_WORDS = {"UNSET": "never asked", "PROBATION": "cleared, the next message is a test", "": "none"}


def _word(value: str) -> str:
    return _WORDS.get(value) or inert(value)
