"""The steps *Request re-opt-in* and *Wait for the outcome*: managers decide in between."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.consent.errors import Invalid
from bot.consent.use_cases import CaseRequest, request
from bot.consent.use_cases.step_ends import wait_for_case
from handlers.slack.workflow_steps.step_contact import channels_of, contact_of
from handlers.slack.workflow_steps.step_request import StepRequest

EVIDENCE, NOTE, REQUEST, STATE, OUTCOME = "evidence", "note", "request", "state", "outcome"
#: Managers see that nobody typed it into Optin.
_BY_WORKFLOW = "Asked for by a workflow."
_ID = re.compile("[0-9a-f]{32}")


def request_re_opt_in(asked: StepRequest) -> Mapping[str, str]:
    """The request's id and how it stands."""
    evidence = asked.text(EVIDENCE)
    if not evidence:
        raise Invalid("The input Evidence is empty. Say what shows that the contact agreed anew.")
    channels = channels_of(asked)
    if len(channels) > 1:
        raise Invalid("A request is about one channel. Write SMS or Email in the input Channel.")
    wanted = CaseRequest(
        channel=channels[0],
        evidence=evidence,
        note=f"{_BY_WORKFLOW} {asked.text(NOTE)}".strip(),
    )
    case = request(asked.consent, contact_of(asked).id, wanted, asked.actor)
    return {REQUEST: case.id, STATE: case.state.value}


def wait_for_outcome(asked: StepRequest) -> None:
    """The step ends when the request does."""
    id = asked.text(REQUEST)
    if not _ID.fullmatch(id):
        raise Invalid(
            "The input Request is not the one that the step Request re-opt-in gives. Choose its "
            "output Request there."
        )
    wait_for_case(asked.consent, asked.execution, id, asked.actor)
