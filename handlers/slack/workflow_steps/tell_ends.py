"""Tells Slack how steps ended that changed something, or waited: at least once, by one replica."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.consent.use_cases import Service
from bot.consent.use_cases.step_ends import claim_ends, end_was_told
from handlers.slack.alerts.slack_errors import CALL_FAILED, ErrorKind, slack_failure
from handlers.slack.slack_faults import passes

logger = logging.getLogger(__name__)

#: The step has ended already, or its workflow was stopped.
_OVER = frozenset({"execution_not_in_running_state", "function_execution_not_found"})


class StepEnds:
    """`own` calls with the app's token: a step's is gone after 15 minutes."""

    def __init__(self, service: Service, own: WebClient) -> None:
        self._service = service
        self._own = own

    def tell_all(self, stopping: threading.Event | None = None) -> None:
        """What has ended since. Raises `StorageFailed`."""
        for execution, outputs in claim_ends(self._service).items():
            if stopping is not None and stopping.is_set():
                return
            self._tell(execution, outputs, (self._own,))

    def tell(self, execution: str, client: WebClient) -> None:
        """One of them, with the step's own token first."""
        for claimed, outputs in claim_ends(self._service, execution).items():
            self._tell(claimed, outputs, (client, self._own))

    def _tell(
        self, execution: str, outputs: Mapping[str, str], clients: tuple[WebClient, ...]
    ) -> None:
        for client in clients:
            try:
                client.functions_completeSuccess(
                    function_execution_id=execution, outputs=dict(outputs)
                )
            except CALL_FAILED as error:
                if is_over(error):
                    break
                logger.warning("a step could not be ended: %s", slack_failure(error).word)
                lasts = slack_failure(error).trouble is not ErrorKind.TOKEN and not passes(error)
                if lasts:
                    break
            else:
                break
        else:
            return  # The claim runs out, and it is told again.
        end_was_told(self._service, execution)


def is_over(error: Exception) -> bool:
    """Whether Slack says that the step has ended."""
    return isinstance(error, SlackApiError) and error.response.get("error") in _OVER
