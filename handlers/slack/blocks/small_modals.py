"""The smaller modals: details, note, search, profile, why, and one sentence."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from bot.consent.known_providers import KnownProviders
from bot.consent.model import Channel, Contact
from bot.consent.use_cases import Found, Profile
from handlers import vocabulary
from handlers.answers import answer_line, recorded
from handlers.slack import ids
from handlers.slack.blocks.card import card
from handlers.slack.blocks.elements import option
from handlers.slack.blocks.formatting import (
    Block,
    context,
    escape,
    inert,
    joined,
    phone,
    plain,
    section,
)
from handlers.slack.blocks.modal_frame import Metadata, View, modal, select, text_input
from handlers.slack.blocks.search_results import hits, page_of_hits


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


def clear_modal(
    profile: Profile,
    channel: Channel,
    metadata: Metadata,
    *,
    notice: str | None = None,
    typed: Mapping[str, str] | None = None,
) -> View:
    """Why a bounce is cleared, and how anybody knows that the address works. `typed` are values
    that were not saved, and `notice` says why not."""
    typed = typed or {}
    contact = profile.contact
    noun = "number" if channel is Channel.SMS else "address"
    things = vocabulary.things(channel)
    address = contact.address(channel) or ""
    shown_address = inert(phone(address) if channel is Channel.SMS else address)
    said = [
        f"*{inert(contact.name)}* · {shown_address}",
        answer_line(profile, profile.decisions[channel]),
    ]
    said.append(f"If the next {_ONE[channel]} bounces, {things} stop again.")
    if names := profile.sharing.get(channel):
        said.append(f"It is cleared for {joined([inert(n, 80) for n in names])}, too: same {noun}.")
    blocks = [
        section(*said),
        text_input(
            "reason",
            "Reason",
            typed.get("reason", ""),
            hint="Why it should work now, such as a phone that was off.",
            optional=False,
        ),
        text_input(
            "evidence",
            "Evidence",
            typed.get("evidence", ""),
            hint=f"What shows that the {noun} works: who confirmed it, when and how.",
            optional=False,
            multiline=True,
        ),
    ]
    metadata = msgspec.structs.replace(
        metadata, contact=contact.id, version=contact.version, channel=channel
    )
    if notice:
        blocks.insert(0, section(f"⚠️ {notice}"))
    title = f"Clear {channel.word} Bounce"
    return modal(ids.CLEAR_MODAL, title, blocks, metadata, submit="Clear")


_ONE = {Channel.SMS: "text", Channel.EMAIL: "e-mail"}


def do_not_contact_modal(
    profile: Profile, metadata: Metadata, *, notice: str | None = None, reason: str = ""
) -> View:
    """Sets Do not contact, or lifts it. `notice` says why a first try was not saved."""
    contact = profile.contact
    lifts = contact.do_not_contact
    said = (
        "Lifting it sends nothing by itself: each channel's own answer counts again."
        if lifts
        else "Nothing is sent on any channel until a manager lifts it."
    )
    blocks = [
        section(f"*{inert(contact.name)}*", said),
        text_input("reason", "Reason", reason, optional=not lifts, multiline=True),
    ]
    if notice:
        blocks.insert(0, section(f"⚠️ {notice}"))
    metadata = msgspec.structs.replace(
        metadata,
        contact=contact.id,
        version=contact.version,
        kind=ids.LIFT if lifts else ids.FORBID,
    )
    title = "Lift Do not contact" if lifts else "Set Do not contact"
    return modal(ids.FORBID_MODAL, title, blocks, metadata, submit="Lift" if lifts else "Set")


def mistake_modal(
    profile: Profile,
    metadata: Metadata,
    *,
    notice: str | None = None,
    typed: Mapping[str, str] | None = None,
) -> View:
    """Takes back a NO that was recorded by mistake. `typed` are values that were not saved, and
    `notice` says why not."""
    typed = typed or {}
    contact = profile.contact
    channels = recorded(contact)
    chosen = str(channels[0]) if len(channels) == 1 else typed.get("channel", "")
    options = [option(f"{channel.word} On", channel) for channel in channels]
    blocks: list[Block] = [section(f"⚠️ {notice}")] if notice else []
    blocks += [
        section(
            f"*{inert(contact.name)}*",
            *(_recorded(contact, channel, profile.senders.providers) for channel in channels),
        ),
        select("channel", "Channel", options, chosen) | {"optional": False},
        text_input(
            "reason",
            "Reason",
            typed.get("reason", ""),
            hint="What was recorded by mistake, and how you know.",
            optional=False,
            multiline=True,
        ),
        context(
            "This takes back the newest NO that a person or a file recorded, for everybody whom it "
            "reached. A STOP, an unsubscribe or a complaint stays."
        ),
    ]
    newest = max((entry.seq for entry in profile.latest), default=0)
    metadata = msgspec.structs.replace(metadata, contact=contact.id, newest=newest)
    title = "Recorded by mistake"
    return modal(ids.MISTAKE_MODAL, title, blocks, metadata, submit="Take it back")


def _recorded(contact: Contact, channel: Channel, providers: KnownProviders) -> str:
    consent = contact.consent(channel)
    why = f": _{inert(consent.reason, 200)}_" if consent.reason else ""
    who = f", by {vocabulary.actor(consent.actor, providers)}" if consent.actor else ""
    return f"{channel.word} On: {vocabulary.on(consent)}{who}{why}"


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


def profile_modal(profile: Profile, metadata: Metadata, *, note: str = "") -> View:
    """The card in a modal, with a note below it."""
    metadata = msgspec.structs.replace(metadata, contact=profile.contact.id)
    blocks = [*card(profile), *([context(note)] if note else [])]
    return modal(ids.PROFILE_MODAL, "Contact", blocks, metadata)


def list_modal(found: Found, query: str = "", skip: int = 0) -> View:
    """Several contacts, each with a button: a page of those whom a sealed query finds, or all."""
    blocks = page_of_hits(found, query, skip) if query else hits(found)
    return modal(ids.WHY_MODAL, "Contacts", blocks, Metadata())


def message_modal(title: str, sentence: str, *, markup: bool = False) -> View:
    """One sentence, where a modal is the only place to say it. With `markup` it is mrkdwn."""
    said = section(sentence if markup else escape(sentence))
    return modal(ids.WHY_MODAL, title, [said], Metadata())
