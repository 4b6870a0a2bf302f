"""The shortcuts: *Check opt-in* in a message's menu, and *Find a contact* in the composer's.

A message's menu works in threads and in every conversation, where commands don't. Both answer in a
modal, which nobody else sees; what Slack gives for it holds three seconds.
https://docs.slack.dev/interactivity/implementing-shortcuts
"""

from __future__ import annotations

import phonenumbers
from phonenumbers import PhoneNumberFormat
from slack_bolt import Ack
from slack_sdk import WebClient

from bot.consent.errors import Invalid
from bot.consent.model import Actor
from bot.consent.use_cases import Profile, Service, who_has
from bot.consent.use_cases.context import LookUp
from handlers.slack import ids
from handlers.slack.after_ack import PersonRequest
from handlers.slack.blocks.found_addresses import TITLE, FoundListing, found_modal
from handlers.slack.blocks.modal_frame import Metadata, View, modal
from handlers.slack.blocks.search_results import PAGE
from handlers.slack.blocks.small_modals import message_modal, profile_modal, search_modal
from handlers.slack.commands import look_up
from handlers.slack.doors.message_addresses import MessageAddresses, addresses_in
from handlers.slack.interaction import Body, show, value, view_id
from handlers.slack.interaction import view as view_of
from handlers.slack.metadata import read_metadata
from handlers.slack.sealed_values import Drafts


def find_contact(request: PersonRequest) -> None:
    """Opens the search."""
    show(request.client, request.body, search_modal(Metadata()))


def check_message(request: PersonRequest) -> None:
    """The card of whom the message names, or a list of them."""
    named = addresses_in(
        request.body.get("message"), request.consent.region, request.consent.read_email
    )
    show(request.client, request.body, _modal_of(request, named))


def turn_found(
    ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor, drafts: Drafts
) -> None:
    """Previous and Next in the list of a message's addresses."""
    metadata = read_metadata(view_of(body))
    addresses = drafts.open_list(metadata.listing)
    at = value(body)
    if not addresses or not (at.isascii() and at.isdigit() and len(at) < 4):
        raise Invalid(ids.OUTDATED)
    found = who_has(consent, addresses, actor, skip=int(at), limit=PAGE)
    skip = int(at) if found.entries else 0
    if not found.entries:  # two of them are one contact by now
        found = who_has(consent, addresses, actor, limit=PAGE)
    listing = FoundListing(sealed=metadata.listing, left_out=metadata.left_out, skip=skip)
    again = found_modal(found, drafts.seal_address, listing)
    client.views_update(view_id=view_id(body), hash=view_of(body).get("hash"), view=again)
    ack()


def nothing_found(region: str, where: str = "in this message") -> str:
    """What was looked for in vain."""
    example = phonenumbers.example_number(region)
    national = phonenumbers.format_number(example, PhoneNumberFormat.NATIONAL) if example else ""
    without = f" or without it, such as {national}," if national else ""
    return (
        f"There is no phone number and no e-mail address {where}. Optin looks for numbers with "
        f"their country code, such as +1 415 555 0100,{without} and for addresses such as "
        "ana@example.com. It does not read files and pictures."
    )


def _modal_of(request: PersonRequest, named: MessageAddresses) -> View:
    if not named.addresses:
        return message_modal(TITLE, nothing_found(request.consent.region))
    sealed, kept = request.drafts.seal_list(named.addresses)
    addresses = named.addresses[:kept]
    found = who_has(request.consent, addresses, request.actor, limit=PAGE)
    if found.count == 1:
        (one,) = found.entries
        if isinstance(one, Profile):
            request.consent.look_ups.append(LookUp(request.actor.id, one.contact.id))
            return profile_modal(one, Metadata())
        _, blocks = look_up(request.consent, request.actor, addresses[0], request.drafts)
        return modal(ids.WHY_MODAL, TITLE, blocks, Metadata())
    left_out = named.left_out + len(named.addresses) - kept
    listing = FoundListing(sealed=sealed, left_out=left_out)
    return found_modal(found, request.drafts.seal_address, listing)
