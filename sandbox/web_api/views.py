"""views.*"""

from typing import Any

from sandbox import views
from sandbox.errors import Refused
from sandbox.web_api.call import Call


def open_(call: Call) -> dict[str, Any]:
    view = views.open_view(call.world, call.text("trigger_id"), call.json("view"))
    return {"view": views.describe(view)}


def push(call: Call) -> dict[str, Any]:
    view = views.push_view(call.world, call.text("trigger_id"), call.json("view"))
    return {"view": views.describe(view)}


def update(call: Call) -> dict[str, Any]:
    view_id, external_id = call.optional("view_id"), call.optional("external_id")
    if not view_id and not external_id:
        raise Refused("invalid_arguments", ["[ERROR] missing required field: view_id"])
    view = views.find_view(call.world, view_id, external_id)
    views.update_view(call.world, view, call.json("view"), call.optional("hash"))
    return {"view": views.describe(view)}


def publish(call: Call) -> dict[str, Any]:
    person = call.person("user_id")
    body, hash_ = call.json("view"), call.optional("hash")
    return {"view": views.describe(views.publish_view(call.world, person.id, body, hash_))}
