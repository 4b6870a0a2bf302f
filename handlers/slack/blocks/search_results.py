"""What a search found, one line for each contact, and what Optin says when it found nothing."""

from __future__ import annotations

from bot.consent.known_providers import KnownProviders
from bot.consent.use_cases import Found, Profile
from handlers import vocabulary
from handlers.slack import ids
from handlers.slack.blocks.elements import button
from handlers.slack.blocks.formatting import (
    Block,
    context,
    escape,
    inert,
    masked,
    phone,
    section,
    shown,
)


def hits(found: Found) -> list[Block]:
    """Several contacts: a line each, with a button."""
    total = f"more than {found.count}" if found.more else str(found.count)
    blocks = [section(f"*{total.capitalize()} contacts match.*")]
    listing = ids.ShownListing(
        contacts=tuple(profile.contact.id for profile in found.contacts),
        count=found.count,
        more=found.more,
    )
    blocks += [_hit(profile, f" {listing}") for profile in found.contacts]
    if found.count > len(found.contacts):
        label = "Search all" if found.more else f"Search all {found.count}"
        blocks.append({"type": "actions", "elements": [button(label, ids.SEARCH_ALL, "all")]})
    return blocks


def nothing(found: Found, asked: str, draft: str | None, providers: KnownProviders) -> list[Block]:
    """No contact: what is known all the same, near misses, and the way to add one.

    `draft` holds the address that was asked for, sealed: for the form.
    """
    address = phone(found.phone) if found.phone else found.email
    blocks = [section(f"*No contact fits “{inert(address or asked, 200)}”.*")]
    if found.problem:
        blocks.append(section(f"As a number or address it can't be read: {escape(found.problem)}"))
    if found.facts and found.facts.refusal:
        blocks.append(section("🔴 This address refused our messages before. That is kept."))
    if found.facts and found.facts.blocks:
        blocked = found.facts.blocks.items()
        said = (
            f"🔴 {vocabulary.block_name(name, providers, block)}: {block.state} here."
            for name, block in blocked
        )
        blocks.append(section(*said))
    if found.near:
        blocks.append(section("Did you mean"))
        blocks += [_hit(profile) for profile in found.near]
    if draft:
        element = button("Add contact", ids.ADD, draft)
        blocks.append({"type": "actions", "elements": [element]})
    elif not found.near:
        blocks.append(
            context("Try a phone number, an e-mail address, or the first letters of a name.")
        )
    return blocks


def _hit(profile: Profile, listing: str = "") -> Block:
    contact = profile.contact
    known = [masked(address) for address in contact.addresses]
    answers = [vocabulary.indicator(decision) for decision in profile.decisions.values()]
    company = f" · {inert(contact.company, 60)}" if contact.company else ""
    pointer = str(ids.Pointer(contact=contact.id, version=contact.version))
    return section(
        f"*{inert(contact.name, 80)}*{company} · {inert(', '.join(known), 120)}",
        " · ".join(answers),
        accessory=button(
            "View", ids.VIEW, pointer + listing, spoken=f"View {shown(contact.name, 60)}"
        ),
    )
