"""A step of a workflow that Slack runs: what it is given, who is behind it, and how it ends.

Slack's event names no person. Who runs the workflow comes as an input, `person`, which the
workflow's builder sets to "Person who used this workflow"; a workflow on a schedule has nobody.
https://docs.slack.dev/reference/events/function_executed

The event brings a token of its own, which Slack revokes after 15 minutes, and when the step is
completed (https://github.com/slackapi/bolt-python/issues/1075). The methods that end a step need
no scope, and Slack's reference lists bot tokens among theirs
(https://docs.slack.dev/reference/methods/functions.completeSuccess). Where Slack refuses the
step's token, the app's own ends the step.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from slack_sdk import WebClient

from bot.consent.errors import Invalid, StorageFailed
from bot.consent.model import Actor, Role
from bot.consent.use_cases import Service
from bot.consent.use_cases.step_ends import end_step
from handlers.slack.after_ack import AfterAck, Tell
from handlers.slack.alerts.slack_errors import CALL_FAILED, slack_failure
from handlers.slack.blocks.formatting import escape
from handlers.slack.commands import unwrapped
from handlers.slack.doors.message_addresses import plain_words
from handlers.slack.interaction import Body
from handlers.slack.roles import Visitors
from handlers.slack.workflow_steps.tell_ends import StepEnds, is_over

logger = logging.getLogger(__name__)

PERSON = "person"
#: Characters of an input that are read.
_LONGEST = 1_000
#: A workflow that nobody is behind looks, and changes nothing.
_NO_PERSON = (
    "Nobody is behind this workflow. Set the input Person to the person who used the workflow: "
    "Optin changes nothing without one."
)
_NOBODY = Actor(id="slack:workflow", role=Role.PROGRAM, source="slack")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRequest:
    """What a workflow asks of a step."""

    execution: str
    inputs: Mapping[str, object]
    #: The person who runs the workflow, or nobody.
    actor: Actor
    consent: Service

    def text(self, name: str) -> str:
        """An input as the words that somebody typed; empty where there is none."""
        given = self.inputs.get(name)
        return unwrapped(plain_words(given[:_LONGEST])) if isinstance(given, str) else ""


#: Looks something up: its outputs, by name. Raises what the error handler has a sentence for.
Step = Callable[[StepRequest], Mapping[str, str]]
#: Stores that it waits: it ends later.
WaitingStep = Callable[[StepRequest], None]


class WorkflowSteps:
    """Runs steps after their acknowledgement, and tells Slack how each ended."""

    def __init__(
        self,
        *,
        after: AfterAck,
        visitors: Visitors,
        consent: Service,
        own: WebClient,
    ) -> None:
        """`own` calls with the app's token, and repeats: a step ends once, however often it is
        said."""
        self._after = after
        self._visitors = visitors
        self._consent = consent
        self._own = own
        self._ends = StepEnds(consent, own)

    def listener(self, step: Step) -> Callable[..., None]:
        """The listener for Bolt of a step that looks something up."""

        def hear(body: Body, client: WebClient) -> None:
            event = self._heard(body)
            if event is None:
                return
            execution = str(event["function_execution_id"])

            def work() -> None:
                outputs = dict(step(self._request(event)))
                self._end(
                    client,
                    lambda by: by.functions_completeSuccess(
                        function_execution_id=execution, outputs=outputs
                    ),
                )

            self._after.later(work, self._failure(execution), body, client)

        return hear

    def writing(self, step: Step) -> Callable[..., None]:
        """Of one that changes something: it is stored with its outputs, then acknowledged, and
        ended after that."""

        def write(asked: StepRequest) -> None:
            end_step(
                asked.consent, asked.execution, lambda joined: step(replace(asked, consent=joined))
            )

        return self.waiting(write)

    def waiting(self, step: WaitingStep) -> Callable[..., None]:
        """Of one that ends later. Nobody but a person may use it."""

        def hear(body: Body, client: WebClient) -> None:
            event = self._heard(body)
            if event is None:
                return
            execution = str(event["function_execution_id"])
            failed: list[Exception] = []
            try:
                asked = self._request(event)
                if asked.actor is _NOBODY:
                    raise Invalid(_NO_PERSON)
                step(asked)
            except Exception as error:  # noqa: BLE001 - it is told below, by its sentence
                failed.append(error)

            def work() -> None:
                for error in failed:
                    raise error
                try:
                    self._ends.tell(execution, client)
                except StorageFailed as error:  # what it did is stored, so it has not failed
                    logger.warning("the end of a step has to wait: %s", error.sentence)

            self._after.later(work, self._failure(execution), body, client)

        return hear

    def _heard(self, body: Body) -> Mapping[str, object] | None:
        """The event, where it is new and names its execution."""
        event = body.get("event")
        if not isinstance(event, dict) or not self._after.is_new(body.get("event_id")):
            return None
        return event if isinstance(event.get("function_execution_id"), str) else None

    def _failure(self, execution: str) -> Tell:
        def fail(body: Body, client: WebClient, sentence: str) -> None:
            said = escape(sentence)
            self._end(
                client,
                lambda by: by.functions_completeError(function_execution_id=execution, error=said),
            )

        return fail

    def _request(self, event: Mapping[str, object]) -> StepRequest:
        execution, inputs = str(event["function_execution_id"]), event.get("inputs")
        inputs = inputs if isinstance(inputs, dict) else {}
        person = inputs.get(PERSON)
        actor, consent = _NOBODY, self._consent
        if person:
            visitor = self._visitors.let_in(person, fresh=True)
            actor, consent = visitor.actor, visitor.consent
        return StepRequest(execution=execution, inputs=inputs, actor=actor, consent=consent)

    def _end(self, client: WebClient, call: Callable[[WebClient], object]) -> None:
        try:
            call(client)
        except CALL_FAILED as error:
            if is_over(error):
                return
            logger.info("a step ends with the app's own token: %s", slack_failure(error).word)
        else:
            return
        try:
            call(self._own)
        except CALL_FAILED as error:
            if not is_over(error):
                raise


def outdated(request: StepRequest) -> Mapping[str, str]:
    """A step that no version of ours offers any more."""
    raise Invalid(
        "This step is from another version of Optin. Take it out of the workflow and add it anew."
    )
