"""Drawing a card anew where it stands: in a message of one's own, or in a modal."""

from __future__ import annotations

import logging
from typing import Any

from slack_sdk import WebClient

from bot.consent.service import Profile
from handlers.slack import ids
from handlers.slack.blocks.card import card, card_text
from handlers.slack.blocks.frame import Metadata
from handlers.slack.blocks.modals import profile_modal
from handlers.slack.reply import SLACK_FAILED, reply

logger = logging.getLogger(__name__)


def origin(body: dict[str, Any]) -> Metadata:
    """Where the pressed button's card stands, to be redrawn from a modal later."""
    view = body.get("view")
    if isinstance(view, dict):
        if view.get("callback_id") == ids.PROFILE_MODAL:
            return Metadata(view_id=str(view.get("id", "")))
        return Metadata()
    return Metadata(response_url=str(body.get("response_url") or ""))


def redraw(client: WebClient, profile: Profile, where: Metadata) -> bool:
    """Shows the card as it is now. A card that stays old says nothing wrong about itself, since
    its buttons carry the version that they were drawn from: False is for those who were asked
    for nothing else."""
    if where.response_url:
        return reply(client, where.response_url, card_text(profile), card(profile), replace=True)
    if not where.view_id:
        return False
    try:
        client.views_update(view_id=where.view_id, view=profile_modal(profile, Metadata()))
    except SLACK_FAILED as error:
        logger.warning("a card could not be redrawn: %s", type(error).__name__)
        return False
    return True
