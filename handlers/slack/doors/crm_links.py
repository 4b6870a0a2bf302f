"""Links to contacts' pages in the CRM: *Open in CRM* on the card, and *Check opt-in* below a link.

Everybody in the channel sees what stands below a link. So it is one button, which says nothing of
the contact, and the card opens for whoever presses it. Where Optin has nothing to show there is
silence: nobody asked it anything.
https://docs.slack.dev/messaging/unfurling-links-in-messages
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from slack_bolt import Ack

from bot.consent.errors import Invalid, NotFound
from bot.consent.use_cases import profile_by_external_id
from handlers.slack import ids
from handlers.slack.after_ack import PersonRequest
from handlers.slack.alerts.shared import SharedChannels
from handlers.slack.blocks.elements import button
from handlers.slack.blocks.formatting import Block, plain
from handlers.slack.blocks.modal_frame import Metadata
from handlers.slack.blocks.small_modals import profile_modal
from handlers.slack.interaction import show, value

logger = logging.getLogger(__name__)

#: Where a link stands that is typed, and not sent yet.
_COMPOSER = "composer"
#: Of one message.
_MOST_LINKS = 20
#: Characters of a button's value.
_LONGEST_VALUE = 2_000
#: Under this name the contact's external id is sealed.
_LINKED = "linked"


def shared(asked: PersonRequest) -> None:
    """Somebody posted links, or typed some: those to contacts get their button."""
    unfurls = {url: _unfurl(sealed) for url, sealed in _known(asked)}
    if not unfurls or _is_shown_to_others(asked):
        return
    event = asked.event
    if event.get("unfurl_id") and event.get("source"):
        asked.client.chat_unfurl(
            unfurl_id=event["unfurl_id"], source=event["source"], unfurls=unfurls
        )
    else:  # an Enterprise organization has neither
        asked.client.chat_unfurl(
            channel=event.get("channel"), ts=event.get("message_ts"), unfurls=unfurls
        )


def check(asked: PersonRequest) -> None:
    """The card of the contact whom the link leads to, in a modal."""
    linked = asked.drafts.open(value(asked.body)).get(_LINKED)
    if not linked:
        raise Invalid(ids.OUTDATED)
    found = profile_by_external_id(asked.consent, linked, asked.actor)
    if found is None:
        raise NotFound
    show(asked.client, asked.body, profile_modal(found, Metadata()))


def opened(ack: Ack) -> None:
    """Slack has opened the page itself."""
    ack()


def _known(asked: PersonRequest) -> Iterator[tuple[str, str]]:
    """The links that lead to contacts, each with the contact's external id, sealed."""
    links, crm = asked.event.get("links"), asked.consent.crm
    if crm is None or not isinstance(links, list):
        return
    for link in links[:_MOST_LINKS]:
        url = link.get("url") if isinstance(link, dict) else None
        if not isinstance(url, str):
            continue
        linked = crm.external_id(url.replace("&amp;", "&"))
        if linked and profile_by_external_id(asked.consent, linked, asked.actor):
            sealed = asked.drafts.seal(**{_LINKED: linked}) or ""
            if len(sealed) <= _LONGEST_VALUE:
                yield url, sealed


def _unfurl(sealed: str) -> dict[str, object]:
    buttons: Block = {
        "type": "actions",
        "elements": [button("Check opt-in", ids.CHECK_LINK, sealed, spoken="Check opt-in")],
    }
    return {"blocks": [buttons], "preview": {"title": plain("Contact in the CRM", 50)}}


def _is_shown_to_others(asked: PersonRequest) -> bool:
    """Whether people of another organisation read this channel, or Slack does not say."""
    said = asked.body.get("is_ext_shared_channel")
    if said or asked.event.get("source") == _COMPOSER:
        return said is not False  # the channel is not named before the message is sent
    channel = asked.event.get("channel")
    if not isinstance(channel, str):
        return True
    refusal = SharedChannels(asked.client).refusal(channel)
    if refusal is not None:
        logger.info("a link is left as it is: %s", refusal.word)
    return refusal is not None
