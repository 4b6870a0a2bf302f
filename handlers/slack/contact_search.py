"""The search for a contact: typeahead, what was chosen, and the list of all who match."""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack
from slack_sdk import WebClient

from bot.consent.errors import Invalid
from bot.consent.model import Actor, Contact
from bot.consent.use_cases import Service, find, profile, suggest
from bot.consent.use_cases.context import LookUp
from handlers.slack import ids
from handlers.slack.after_ack import AfterAck
from handlers.slack.blocks.elements import option
from handlers.slack.blocks.formatting import OPTION, fit, masked, shown
from handlers.slack.blocks.modal_frame import Metadata
from handlers.slack.blocks.search_results import PAGE
from handlers.slack.blocks.small_modals import list_modal, profile_modal, search_modal
from handlers.slack.commands import unwrapped
from handlers.slack.home.home_tab import HomeTabs
from handlers.slack.interaction import Body, at_home, chosen, pressed, value, view_id
from handlers.slack.interaction import view as view_of
from handlers.slack.sealed_values import Drafts


def offer(ack: Ack, body: dict[str, Any], consent: Service, actor: Actor) -> None:
    """At most twenty contacts for what has been typed so far."""
    text = unwrapped(str(body.get("value") or ""))
    ack(options=[_option(contact) for contact in suggest(consent, text, actor)])


def unknown(ack: Ack) -> None:
    """A select that no version of ours draws any more."""
    ack(options=[])


def search(  # noqa: PLR0917 - Bolt gives them by name
    ack: Ack,
    body: Body,
    client: WebClient,
    consent: Service,
    actor: Actor,
    drafts: Drafts,
    after: AfterAck,
) -> None:
    """From the first contacts that match to all of them."""
    listing = ids.ShownListing.read(value(body))
    query = drafts.open(listing.query).get("query", "") if listing else ""
    if listing and query:
        matching = find(consent, query, actor, limit=PAGE)
        after.show(client, body, lambda: list_modal(matching, listing.query))
    else:
        after.show(client, body, lambda: search_modal(Metadata()))
    ack()


def turn_list(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, drafts: Drafts
) -> None:
    """Previous and Next in the list of all contacts that match."""
    listing = ids.ShownListing.read(value(body))
    query = drafts.open(listing.query).get("query", "") if listing else ""
    if listing is None or not query:
        raise Invalid(ids.OUTDATED)
    step = PAGE if pressed(body).get("action_id") == ids.LIST_NEXT else -PAGE
    skip = max(0, listing.skip + step)
    matching = find(consent, query, actor, skip=skip, limit=PAGE)
    if not matching.contacts:  # fewer contacts match than before
        skip, matching = 0, find(consent, query, actor, limit=PAGE)
    modal = list_modal(matching, listing.query, skip)
    client.views_update(view_id=view_id(body), hash=view_of(body).get("hash"), view=modal)
    ack()


def found(
    ack: Ack,
    body: Body,
    client: WebClient,
    consent: Service,
    actor: Actor,
    home: HomeTabs,
) -> None:
    """A contact was chosen: the search turns into the profile. From the Home, a modal opens."""
    card_of = profile(consent, ids.Pointer.read(chosen(body)).contact, actor)
    consent.look_ups.append(LookUp(actor.id, card_of.contact.id))
    if at_home(body):
        home.after.show(client, body, lambda: profile_modal(card_of, Metadata()))
        home.changed(body, client, consent, actor)
        ack()
        return
    client.views_update(
        view_id=view_id(body),
        hash=view_of(body).get("hash"),
        view=profile_modal(card_of, Metadata()),
    )
    ack()


def _option(contact: Contact) -> dict[str, object]:
    known = ", ".join(masked(address) for address in contact.addresses)
    name = shown(contact.name, max(20, OPTION - len(known) - 3))
    pointer = ids.Pointer(contact=contact.id, version=contact.version)
    return option(fit(f"{name} · {known}", OPTION), str(pointer))
