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

#: Contacts on one page of a list.
PAGE = 10


def hits(found: Found, query: str = "") -> list[Block]:
    """The first of several contacts: a line each, with a button. `query` is what was searched for,
    sealed."""
    listing = _listing(found, query, 0)
    blocks = [section(f"*{_matches(found)}*"), *_lines(found, listing)]
    if found.count > len(found.contacts):
        label = "Search all" if found.more else f"Search all {found.count}"
        element = button(label, ids.SEARCH_ALL, f"all {listing}")
        blocks.append({"type": "actions", "elements": [element]})
    return blocks


def page_of_hits(found: Found, query: str, skip: int) -> list[Block]:
    """The contacts of one page of the whole list, which begins behind the first `skip`."""
    listing = _listing(found, query, skip)
    last = skip + len(found.contacts)
    blocks = [
        section(f"*{_matches(found)}*", f"Contacts {skip + 1} to {last}"),
        *_lines(found, listing),
    ]
    turns = [button("Previous", ids.LIST_PREVIOUS, f"turn {listing}")] if skip else []
    if last < found.count:
        turns.append(button("Next", ids.LIST_NEXT, f"turn {listing}"))
    elif found.more:
        blocks.append(context("There are more. Type more of the name to find the others."))
    return [*blocks, {"type": "actions", "elements": turns}] if turns else blocks


def _matches(found: Found) -> str:
    if found.more:
        return f"More than {found.count} contacts match."
    return "1 contact matches." if found.count == 1 else f"{found.count} contacts match."


def _listing(found: Found, query: str, skip: int) -> ids.ShownListing:
    return ids.ShownListing(
        contacts=tuple(profile.contact.id for profile in found.contacts),
        count=found.count,
        more=found.more,
        skip=skip,
        query=query,
    )


def _lines(found: Found, listing: ids.ShownListing) -> list[Block]:
    return [hit(profile, f" {listing}") for profile in found.contacts]


def nothing(found: Found, asked: str, draft: str | None, providers: KnownProviders) -> list[Block]:
    """No contact: what is known all the same, near misses, and the way to add one.

    `draft` holds the address that was asked for, sealed: for the form.
    """
    address = phone(found.phone) if found.phone else found.email
    blocks = [section(f"*No contact fits “{inert(address or asked, 200)}”.*")]
    if found.problem:
        blocks.append(section(escape(found.problem)))
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
        blocks += [hit(profile) for profile in found.near]
    if draft:
        element = button("Add contact", ids.ADD, draft)
        blocks.append({"type": "actions", "elements": [element]})
    elif not found.near:
        blocks.append(
            context("Try a phone number, an e-mail address, or the first letters of a name.")
        )
    return blocks


def hit(profile: Profile, listing: str = "") -> Block:
    """A line for one contact, with a button. `listing` stands behind its pointer."""
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
