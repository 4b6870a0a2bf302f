"""The edit modal, and what it turns into when it is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from bot.consent.model import Bounce, Channel, ConsentValue
from bot.consent.rules import Reason
from bot.consent.use_cases import Profile, StatusChange
from bot.consent.use_cases.look_up import MOST_NAMES
from handlers import vocabulary
from handlers.slack import ids
from handlers.slack.blocks.card import answers, button, decision_line, option
from handlers.slack.blocks.formatting import Block, context, divider, inert, joined, section
from handlers.slack.blocks.modal_frame import Metadata, View, modal, select, text_input


def edit_modal(
    profile: Profile,
    metadata: Metadata,
    *,
    notice: str | None = None,
    typed: Mapping[str, str] | None = None,
) -> View:
    """SMS On, Email On, bounces where they are set; why; evidence.

    `typed` are values that a person had put in and that were not saved, by field; `notice` says
    why not.
    """
    typed = typed or {}
    contact = profile.contact
    showed: dict[str, str] = {}
    blocks: list[Block] = [section(f"⚠️ {notice}")] if notice else []
    answers = (decision_line(d) for d in profile.decisions.values())
    blocks.append(context(f"*{inert(contact.name)}*", *answers))
    suffix = f".{contact.version}"
    for channel in Channel:
        if not contact.address(channel):
            continue
        on = contact.consent(channel).on
        name = f"{channel}_on"
        showed[name] = "" if on is ConsentValue.UNSET else on
        blocks.append(
            select(
                name + suffix,
                f"{channel.word} On",
                [
                    option(f"YES – {vocabulary.things(channel)} may be sent", "YES"),
                    option(f"NO – no {vocabulary.things(channel)}", "NO"),
                ],
                typed.get(name) or showed[name],
                placeholder="Never asked",
            )
        )
    for channel in Channel:
        facts = profile.facts.get(channel)
        if facts and facts.bounce is Bounce.YES:
            name = f"{channel}_bounce"
            showed[name] = "YES"
            blocks.append(
                select(
                    name + suffix,
                    f"{channel.word} Bounce",
                    [
                        option("YES – nothing is sent", "YES"),
                        option("NO – clear it, the next message is a test", "NO"),
                    ],
                    typed.get(name) or "YES",
                )
            )
    blocks += [
        select(
            "reason" + suffix,
            "Reason",
            [option(reason, reason.name) for reason in Reason],
            typed.get("reason", ""),
            placeholder="Why it changes",
        ),
        *_reaches(profile),
        text_input(
            "evidence" + suffix,
            "Evidence",
            typed.get("evidence", ""),
            hint="Needed when something turns to YES or a bounce is cleared: what shows that the "
            "contact agreed, or that the address works, and when. A form, a call, a ticket.",
            multiline=True,
        ),
        text_input("note" + suffix, "Note", typed.get("note", ""), multiline=True),
    ]
    metadata = msgspec.structs.replace(
        metadata, contact=contact.id, version=contact.version, showed=showed
    )
    return modal(ids.EDIT_MODAL, "Edit", blocks, metadata, submit="Save")


def _reaches(profile: Profile) -> list[Block]:
    """Whom a NO reaches, too: said before it is saved."""
    said = []
    for channel, names in profile.sharing.items():
        others = profile.shared[channel] - len(names)
        more = [f"{others} more"] if others > 0 else []
        who = joined([*(f"*{inert(name, 80) or 'No name'}*" for name in names), *more])
        same = "the same number" if channel is Channel.SMS else "the same mailbox"
        said.append(
            f"Have {same}: {who}. A NO that the contact asked for stops their "
            f"{vocabulary.things(channel)}, too; *Wrong person* and *Correction* do not."
        )
    return [context(*said)] if said else []


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
