"""The step *Check status*: whether a contact may get texts or e-mails, and why not.

The workflow may post the outputs anywhere. So they hold no number, address or name, and the reason
is one of our sentences: no words of the contact's or of ours about them.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.consent.errors import Invalid
from bot.consent.gates import THINGS, Code
from bot.consent.model import Channel
from bot.consent.rules import Answer, Decision
from bot.consent.use_cases import Recipient, check_recipients
from handlers.slack.workflow_steps.step_contact import (
    CHANNEL,
    channel_of,
    contact_text,
    exactly,
    look_for,
    own_channel,
    several,
)
from handlers.slack.workflow_steps.step_request import StepRequest

ANSWER, REASON, FOUND = "answer", "reason", "contact_found"

_REASONS = {
    Code.ERASED: "The contact was erased.",
    Code.DO_NOT_CONTACT: "The contact is marked Do not contact.",
    Code.INVALID_ADDRESS: "The phone number is a landline, which can't get texts.",
    Code.CARRIER_BLOCK: "The carrier blocks our texts after a STOP.",
    Code.SUPPRESSED: "The address is on an e-mail provider's suppression list.",
    Code.OPTED_OUT: "Opted out: {field} is NO.",
    Code.NEVER_ASKED: "Nobody has asked for permission to send {things}.",
    Code.REVIEW_HOLD: "A reply may be an opt-out, and waits until somebody reads it.",
    Code.BOUNCED: "Our {things} bounce.",
    Code.COMPLAINT: "The contact reported our e-mail as spam.",
    Code.BLOCK_UNKNOWN: "Whether our {things} are blocked is not known.",
    Code.PROBATION: "A bounce was cleared, and the next message is a test.",
    Code.STORAGE_BEHIND: "Optin works with old records, so an opt-out may be missing.",
}
_NO_ADDRESS = {
    Channel.SMS: "The contact has no phone number.",
    Channel.EMAIL: "The contact has no e-mail address.",
}
_MAY = "{Things} may be sent."
_NOT_FOUND = "Optin has no such contact."


def check_status(request: StepRequest) -> Mapping[str, str]:
    """The outputs of the step. Raises `Invalid` with what a workflow's builder has to change."""
    text = contact_text(request)
    wanted = channel_of(request.text(CHANNEL))
    found = look_for(request, text)
    own = own_channel(found)
    channel = wanted or own
    if channel is None:
        raise Invalid("The input Channel is empty. Write SMS or Email in it.")
    if own is channel:
        (one,), _ = check_recipients(request.consent, [Recipient(to=text)], request.actor)
        if one.decision is None:
            raise Invalid(one.problem or _NOT_FOUND)
        return _outputs(one.decision, found=one.holders > 0)
    exact = exactly(found, text)
    if not exact:
        return {ANSWER: Answer.NO.value, REASON: _NOT_FOUND, FOUND: "no"}
    if len(exact) > 1:
        raise several(exact)
    return _outputs(exact[0].decisions[channel], found=True)


def _outputs(decision: Decision, *, found: bool) -> dict[str, str]:
    return {
        ANSWER: decision.answer.value,
        REASON: _reason(decision),
        FOUND: "yes" if found else "no",
    }


def _reason(decision: Decision) -> str:
    channel = decision.channel
    things = THINGS[channel]
    if decision.answer is Answer.YES:
        return _MAY.format(Things=things.capitalize())
    reasons = _REASONS | {Code.NO_ADDRESS: _NO_ADDRESS[channel]}
    said = [
        reasons[gate.code].format(things=things, field=f"{channel.word} On")
        for gate in decision.gates
    ]
    return " ".join(dict.fromkeys(said))
