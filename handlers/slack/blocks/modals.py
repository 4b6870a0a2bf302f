"""The smaller modals: details, note, search, profile, why, and one sentence."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from bot.consent.model import Contact
from bot.consent.service import Profile
from handlers.slack import ids
from handlers.slack.blocks import words
from handlers.slack.blocks.card import answers, card
from handlers.slack.blocks.frame import Metadata, View, modal, text_input
from handlers.slack.blocks.text import Block, context, divider, escape, plain, section


def details_modal(
    metadata: Metadata, values: Mapping[str, str], *, adding: bool, notice: str | None = None
) -> View:
    """Who a contact is: to add one, or to change one."""
    suffix = f".{metadata.version}"
    blocks: list[Block] = [section(f"⚠️ {notice}")] if notice else []
    blocks += [
        text_input("name" + suffix, "Name", values.get("name", ""), optional=False),
        text_input("phone" + suffix, "Phone", values.get("phone", ""), longest=100),
        text_input("email" + suffix, "Email", values.get("email", ""), longest=320),
        text_input("company" + suffix, "Company", values.get("company", "")),
    ]
    if not adding:
        blocks.append(
            context(
                "A new phone or e-mail is a new address: it starts without consent, and the old "
                "one keeps its own."
            )
        )
    title = "Add contact" if adding else "Change contact"
    submit = "Add" if adding else "Save"
    return modal(ids.DETAILS_MODAL, title, blocks, metadata, submit=submit)


def details_of(contact: Contact) -> dict[str, str]:
    """What the form shows of a contact."""
    return {
        "name": contact.name,
        "phone": contact.phone or "",
        "email": contact.email or "",
        "company": contact.company,
    }


def note_modal(metadata: Metadata) -> View:
    blocks = [text_input("note", "Note", "", optional=False, multiline=True)]
    return modal(ids.NOTE_MODAL, "Add a note", blocks, metadata, submit="Add")


def search_modal(metadata: Metadata) -> View:
    """Typeahead; choosing turns this modal into the profile."""
    blocks: list[Block] = [
        {
            "type": "input",
            "block_id": ids.FIND,
            "dispatch_action": True,
            "label": plain("Find a contact", 100),
            "hint": plain("Name, phone number or e-mail address. Two letters are enough.", 100),
            "element": {
                "type": "external_select",
                "action_id": ids.FIND,
                "min_query_length": 2,
                "placeholder": plain("Type a name, number or address", 100),
            },
        }
    ]
    return modal(ids.SEARCH_MODAL, "Find a contact", blocks, metadata, submit="Show")


def profile_modal(profile: Profile, metadata: Metadata) -> View:
    """The card in a modal."""
    metadata = msgspec.structs.replace(metadata, contact=profile.contact.id)
    return modal(ids.PROFILE_MODAL, "Contact", card(profile), metadata)


def why_modal(profile: Profile) -> View:
    """Every reason in full, and the legend."""
    blocks = [
        *answers(profile),
        divider(),
        legend(),
    ]
    return modal(ids.WHY_MODAL, "Why this status", blocks, Metadata())


def message_modal(title: str, sentence: str, *, markup: bool = False) -> View:
    """One sentence, where a modal is the only place to say it. With `markup` it is mrkdwn."""
    said = section(sentence if markup else escape(sentence))
    return modal(ids.WHY_MODAL, title, [said], Metadata())


def legend() -> Block:
    return context(*(f"{icon} *{word}*: {what}" for icon, word, what in words.LEGEND))
