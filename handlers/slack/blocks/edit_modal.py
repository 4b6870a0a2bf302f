"""The edit modal. It asks only for what the chosen values need."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from bot.consent import rules
from bot.consent.model import Bounce, Channel, ConsentValue, Origin
from bot.consent.rules import Reason
from bot.consent.use_cases import Profile
from handlers import vocabulary
from handlers.answers import answer_line
from handlers.slack import ids
from handlers.slack.blocks.elements import option
from handlers.slack.blocks.formatting import Block, context, inert, joined, section
from handlers.slack.blocks.modal_frame import (
    Metadata,
    View,
    modal,
    moment_input,
    select,
    text_input,
)


def edit_modal(
    profile: Profile,
    metadata: Metadata,
    *,
    notice: str | None = None,
    typed: Mapping[str, str] | None = None,
    keep: bool = False,
) -> View:
    """SMS On, Email On, bounces where they are set; why; evidence where something turns to YES.

    `typed` are values that a person has put in and that are not saved, by field; `notice` says
    why they were not. With `keep` it is the same form that `metadata` is of, which may ask for
    other fields by now: what it showed at first still counts.
    """
    typed = typed or {}
    contact = profile.contact
    if not keep:
        metadata = msgspec.structs.replace(
            metadata, contact=contact.id, version=contact.version, showed=dict(_shown(profile))
        )
    suffix, showed = f".{metadata.version}", metadata.showed
    chosen = {name: typed.get(name) or value for name, value in showed.items()}
    blocks: list[Block] = [section(f"⚠️ {notice}")] if notice else []
    answers = (answer_line(profile, decision) for decision in profile.decisions.values())
    blocks.append(section(f"*{inert(contact.name)}*", *answers))
    blocks += [_dropdown(name, suffix, value) for name, value in chosen.items()]
    reasons = [option(reason, reason.name) for reason in Reason]
    reason = typed.get("reason", "")
    blocks.append(
        select(
            "reason" + suffix, "Reason", reasons, reason, placeholder="Choose a reason", ask=True
        )
    )
    touched = {name: value for name, value in chosen.items() if value != showed[name]}
    blocks += _whose_no(profile, touched, reason)
    needs = _needs_evidence(touched)
    # What somebody typed before another person was quicker is not lost.
    if needs or (typed.get("evidence") and not keep):
        blocks.append(
            text_input(
                "evidence" + suffix,
                "Evidence",
                typed.get("evidence", ""),
                hint=needs or _WHAT_SHOWS,
                multiline=True,
            )
        )
    if _turns_to_yes(touched):
        hint = "Leave it empty if it was just now."
        at = typed.get("evidence_date", "")
        blocks.append(moment_input("evidence_date" + suffix, "When they agreed", at, hint=hint))
    blocks.append(text_input("note" + suffix, "Note", typed.get("note", ""), multiline=True))
    return modal(ids.EDIT_MODAL, "Edit", blocks, metadata, submit="Save")


def _shown(profile: Profile) -> Mapping[str, str]:
    """The dropdowns and what they show, by field."""
    contact = profile.contact
    on = {
        f"{channel}_on": "" if consent.on is ConsentValue.UNSET else str(consent.on)
        for channel in Channel
        if contact.address(channel)
        for consent in [contact.consent(channel)]
    }
    bounced = {
        f"{channel}_bounce": "YES"
        for channel, facts in profile.facts.items()
        if facts.bounce is Bounce.YES
    }
    return on | bounced


def _dropdown(name: str, suffix: str, value: str) -> Block:
    channel = Channel(name.partition("_")[0])
    things = vocabulary.things(channel)
    if name.endswith("_on"):
        options = [
            option(f"YES – {things} may be sent", "YES"),
            option(f"NO – no {things}", "NO"),
        ]
        label = f"{channel.word} On"
        return select(name + suffix, label, options, value, placeholder="Never asked", ask=True)
    options = [
        option("YES – nothing is sent", "YES"),
        option("NO – clear it, the next message is a test", "NO"),
    ]
    return select(name + suffix, f"{channel.word} Bounce", options, value, ask=True)


def _turns_to_yes(touched: Mapping[str, str]) -> list[Channel]:
    """Where YES is chosen."""
    return [channel for channel in Channel if touched.get(f"{channel}_on") == "YES"]


def _needs_evidence(touched: Mapping[str, str]) -> str | None:
    """What the evidence has to show, where it is asked for."""
    if _turns_to_yes(touched):
        return _WHAT_SHOWS
    if any(name.endswith("_bounce") for name in touched):
        return "What shows that the address works: who confirmed it, and how."
    return None


_WHAT_SHOWS = "What shows that the contact agreed: a form, a call, a ticket."


def _whose_no(profile: Profile, touched: Mapping[str, str], reason: str) -> list[Block]:
    """Whose NO it will be, and whom it reaches: said before it is saved."""
    to_no = [channel for channel in Channel if touched.get(f"{channel}_on") == "NO"]
    if not to_no:
        return []
    by = rules.whose(Reason[reason] if reason in Reason.__members__ else None, None)
    if by is Origin.STAFF:
        return [context("This will be our own NO, for this contact alone. Evidence turns it back.")]
    said = [
        "This will be the contact's own opt-out: only their new permission and a manager's "
        "approval undo it. If it was our mistake, choose *Wrong person* or "
        "*Correction*."
    ]
    for channel in to_no:
        if names := profile.sharing.get(channel):
            others = profile.shared[channel] - len(names)
            more = [f"{others} more"] if others > 0 else []
            who = joined([*(f"*{inert(name, 80) or 'No name'}*" for name in names), *more])
            said.append(f"It stops {vocabulary.things(channel)} to {who}, too: same address.")
    return [context(*said)]
