"""The methods `views.*` of the Web API."""

from typing import Any

from sandbox import view_stack
from sandbox.sandbox_errors import ApiRefused
from sandbox.web_api.call import ApiCall


def open_(call: ApiCall) -> dict[str, Any]:
    view = view_stack.open_view(call.world, call.text("trigger_id"), call.json("view"))
    return {"view": view_stack.describe(view)}


def push(call: ApiCall) -> dict[str, Any]:
    view = view_stack.push_view(call.world, call.text("trigger_id"), call.json("view"))
    return {"view": view_stack.describe(view)}


def update(call: ApiCall) -> dict[str, Any]:
    view_id, external_id = call.optional("view_id"), call.optional("external_id")
    if not view_id and not external_id:
        raise ApiRefused("invalid_arguments", ["[ERROR] missing required field: view_id"])
    view = view_stack.find_view(call.world, view_id, external_id)
    view_stack.update_view(call.world, view, call.json("view"), call.optional("hash"))
    return {"view": view_stack.describe(view)}


def publish(call: ApiCall) -> dict[str, Any]:
    person = call.person("user_id")
    body, hash_ = call.json("view"), call.optional("hash")
    if not call.home:
        raise ApiRefused("not_enabled")
    return {
        "view": view_stack.describe(view_stack.publish_view(call.world, person.id, body, hash_))
    }
