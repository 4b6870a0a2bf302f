"""What the newsletter's page shows, as JSON."""

from typing import Any

from sandbox.newsletter.campaign import Campaign, MessageCopy
from sandbox.newsletter.event_receiver import ReceivedEvent
from sandbox.newsletter.mailing_list import HeldBack, Medium, changes_of
from sandbox.newsletter.newsletter import Newsletter
from sandbox.simulated_providers.mailboxes import BODY, SUBJECT
from sandbox.simulated_providers.phones import OFFER


def everything(newsletter: Newsletter) -> dict[str, Any]:
    """The list with its marks, the latest campaign of each medium, and the events, newest first."""
    return {
        "media": {medium.value: _medium(newsletter, medium) for medium in Medium},
        "events": [_event(newsletter, one) for one in reversed(newsletter.receiver.events)],
    }


def _medium(newsletter: Newsletter, medium: Medium) -> dict[str, Any]:
    campaign = newsletter.campaigns.get(medium)
    copies = {copy.subscriber.id: copy for copy in campaign.copies} if campaign else {}
    return {
        "subject": SUBJECT if medium is Medium.EMAIL else "",
        "body": BODY if medium is Medium.EMAIL else OFFER,
        "campaign": _campaign(campaign) if campaign else None,
        "subscribers": [
            {
                "id": one.id,
                "name": one.name,
                "address": one.address(medium),
                "held": _held(newsletter.subscribers.held(one, medium)),
                "copy": _copy(copies.get(one.id)),
            }
            for one in newsletter.subscribers.reached_by(medium)
        ],
    }


def _campaign(campaign: Campaign) -> dict[str, Any]:
    return {
        "at": campaign.at,
        "state": campaign.state,
        "problem": campaign.problem,
        "counts": {copy.state.value: campaign.count(copy.state) for copy in campaign.copies},
    }


def _copy(copy: MessageCopy | None) -> dict[str, Any] | None:
    if copy is None:
        return None
    return {"state": copy.state, "status": copy.status, "problem": copy.problem}


def _held(held: HeldBack | None) -> dict[str, Any] | None:
    if held is None:
        return None
    return {
        "since": held.since,
        "event": held.event,
        "reasons": [
            {"code": reason.code, "remedy": reason.remedy, "owner": reason.owner}
            for reason in held.reasons
        ],
    }


def _event(newsletter: Newsletter, event: ReceivedEvent) -> dict[str, Any]:
    data = event.data if event.verified and isinstance(event.data, dict) else {}
    one = newsletter.subscribers.get(str(data.get("contact")))
    return {
        "number": event.number,
        "at": event.at,
        "id": event.id,
        "type": event.type,
        "verified": event.verified,
        "problem": event.problem,
        "times": event.times,
        "subscriber": one.name if one else "",
        "changes": [
            {"medium": change.medium, "before": change.before, "after": change.after}
            for change in changes_of(data)
        ],
        "data": event.data,
    }
