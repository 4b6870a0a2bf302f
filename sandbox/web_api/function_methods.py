"""The methods with which an app ends a step of a workflow.

https://docs.slack.dev/reference/methods/functions.completeSuccess
https://docs.slack.dev/reference/methods/functions.completeError
"""

from typing import Any

from sandbox.web_api.call import ApiCall


def complete_success(call: ApiCall) -> dict[str, Any]:
    call.steps.complete(call.text("function_execution_id"), call.json("outputs"), call.token)
    return {}


def complete_error(call: ApiCall) -> dict[str, Any]:
    call.steps.fail(call.text("function_execution_id"), call.text("error"), call.token)
    return {}
