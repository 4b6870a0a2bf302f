"""The step *Record opt-out*: a contact, or the company, wants no more texts or e-mails."""

from __future__ import annotations

from collections.abc import Mapping

from bot.consent.errors import Invalid
from bot.consent.gates import THINGS
from bot.consent.model import Channel, ConsentValue, Origin
from bot.consent.use_cases import StatusUpdate, change
from handlers.slack.workflow_steps.step_contact import channels_of, contact_of
from handlers.slack.workflow_steps.step_request import StepRequest

WHO_ASKED, NOTE, DONE = "who_asked", "note", "done"
_BY = {"": Origin.CONTACT, "contact": Origin.CONTACT, "company": Origin.STAFF}
#: In the log, and on the card.
REASON = "Recorded by a workflow"


def record_opt_out(request: StepRequest) -> Mapping[str, str]:
    """What is different now, in a sentence."""
    by = _BY.get(request.text(WHO_ASKED).casefold())
    if by is None:
        raise Invalid("The input Who asked is neither Contact nor Company.")
    channels, contact = channels_of(request), contact_of(request)
    there = [channel for channel in channels if contact.address(channel)]
    if not there:
        raise Invalid("The contact has no phone number or e-mail address on this channel.")
    no = ConsentValue.NO
    wish = StatusUpdate(
        sms=no if Channel.SMS in there else None,
        email=no if Channel.EMAIL in there else None,
        by=by,
        reason=REASON,
        note=request.text(NOTE) or None,
    )
    made = {one.channel for one in change(request.consent, contact.id, wish, request.actor).changes}
    said = [
        f"No {THINGS[one]} are sent any more."
        if one in made
        else f"No {THINGS[one]} were sent before, and none are now."
        for one in there
    ]
    return {DONE: " ".join(said)}
