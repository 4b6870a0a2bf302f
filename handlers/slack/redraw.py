"""Drawing a card anew where it stands, in a message of one's own or in a modal, and the list that
it was opened from."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

import msgspec
from slack_sdk import WebClient

from bot.consent.errors import Invalid, NotFound
from bot.consent.model import Actor
from bot.consent.use_cases import Found, Profile, Service, who_has
from bot.consent.use_cases import profile as find_profile
from handlers.slack import ids
from handlers.slack.blocks.card import card, card_text
from handlers.slack.blocks.formatting import context, spoken
from handlers.slack.blocks.found_addresses import FoundListing, found_message, found_modal
from handlers.slack.blocks.modal_frame import Metadata, View
from handlers.slack.blocks.search_results import PAGE, hits
from handlers.slack.blocks.small_modals import list_modal, profile_modal
from handlers.slack.metadata import read_metadata
from handlers.slack.response_url import SLACK_FAILED, reply
from handlers.slack.sealed_values import Drafts

logger = logging.getLogger(__name__)


def origin(body: dict[str, Any]) -> Metadata:
    """Where the pressed button's card stands, to be redrawn from a modal later."""
    view = body.get("view")
    if isinstance(view, dict):
        if view.get("callback_id") == ids.PROFILE_MODAL:
            return msgspec.structs.replace(_list_of(view), view_id=str(view.get("id", "")))
        if view.get("callback_id") in (ids.WHY_MODAL, ids.CASE_MODAL):
            return _card_of(view)
        return Metadata()
    return Metadata(response_url=str(body.get("response_url") or ""))


def opened_from(body: dict[str, Any], value: object) -> Metadata:
    """For a card that is opened from a list: where the list stands. `value` is the button's."""
    _, _, listing = str(value or "").partition(" ")
    if ids.ShownListing.read(value) is None and FoundListing.read(value) is None:
        return Metadata()
    view = body.get("view")
    if isinstance(view, dict):
        return Metadata(list_view=str(view.get("id", "")), listing=listing)
    return Metadata(list_url=str(body.get("response_url") or ""), listing=listing)


def redraw(
    client: WebClient,
    consent: Service,
    actor: Actor,
    profile: Profile,
    where: Metadata,
    *,
    note: str = "",
) -> bool:
    """Shows the card as it is now, with a note below it, and the list that it was opened from. A
    card that stays old says nothing wrong about itself, since its buttons carry the version that
    they were drawn from: False is for those who were asked for nothing else."""
    _redraw_list(client, consent, actor, where)
    if where.response_url:
        blocks = card(profile)
        said = card_text(profile, blocks)
        blocks += [context(note)] if note else []
        return reply(client, where.response_url, said, blocks, replace=True)
    if not where.view_id:
        return False
    try:
        modal = profile_modal(profile, _only_list(where), note=note)
        client.views_update(view_id=where.view_id, view=modal)
    except SLACK_FAILED as error:
        logger.warning("a card could not be redrawn: %s", type(error).__name__)
        return False
    return True


def _redraw_list(client: WebClient, consent: Service, actor: Actor, where: Metadata) -> None:
    named = FoundListing.read(f"list {where.listing}")
    if named is not None:
        _redraw_found(client, consent, actor, where, named)
        return
    listing = ids.ShownListing.read(f"list {where.listing}")
    if listing is None:
        return
    profiles = []
    for id in listing.contacts:
        with suppress(NotFound):  # an import was undone meanwhile
            profiles.append(find_profile(consent, id, actor))
    found = Found(contacts=profiles, count=listing.count, more=listing.more)
    if where.list_url:
        blocks = hits(found, listing.query)
        reply(client, where.list_url, spoken(blocks), blocks, replace=True)
    elif where.list_view:
        _redraw_view(client, where.list_view, list_modal(found, listing.query, listing.skip))


def _redraw_found(
    client: WebClient, consent: Service, actor: Actor, where: Metadata, listing: FoundListing
) -> None:
    """The list of what a message names."""
    drafts = Drafts(consent.hash_key)
    addresses = drafts.open_list(listing.sealed)
    if not addresses:
        return
    found = who_has(consent, addresses, actor, skip=listing.skip, limit=PAGE)
    if where.list_url:
        blocks = found_message(found, drafts.seal_address, listing)
        reply(client, where.list_url, spoken(blocks), blocks, replace=True)
    elif where.list_view and found.entries:
        _redraw_view(client, where.list_view, found_modal(found, drafts.seal_address, listing))


def _redraw_view(client: WebClient, view_id: str, view: View) -> None:
    try:
        client.views_update(view_id=view_id, view=view)
    except SLACK_FAILED as error:
        logger.warning("a list could not be redrawn: %s", type(error).__name__)


def _card_of(view: dict[str, Any]) -> Metadata:
    """What a modal remembers of the card that it was opened from."""
    try:
        where = read_metadata(view)
    except Invalid:
        return Metadata()
    kept = _only_list(where)
    return msgspec.structs.replace(kept, response_url=where.response_url, view_id=where.view_id)


def _list_of(view: dict[str, Any]) -> Metadata:
    """What a card's own modal remembers of the list that it was opened from."""
    try:
        return _only_list(read_metadata(view))
    except Invalid:
        return Metadata()


def _only_list(where: Metadata) -> Metadata:
    return Metadata(list_url=where.list_url, list_view=where.list_view, listing=where.listing)
