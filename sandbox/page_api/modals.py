"""Submitting and closing modals, and what the app's answer does to them.

https://docs.slack.dev/surfaces/modals/#updating_views
"""

from typing import Any

from sandbox import view_stack
from sandbox.block_kit.fields import Values, problems
from sandbox.delivery import payloads
from sandbox.first_workspace import SlackPerson
from sandbox.page_api.outcome import ActionOutcome
from sandbox.page_api.person_actions import CONNECTING
from sandbox.sandbox_errors import ApiRefused, Impossible
from sandbox.workspace_context import Room
from sandbox.workspace_state import View


async def submit(room: Room, person: SlackPerson, view: View, values: Values) -> ActionOutcome:
    """`values` are those that the page has and the workspace not yet."""
    if view.body["submit"] is None:
        raise Impossible("This modal has no submit button.")
    for block_id, entered in values.items():
        view.values.setdefault(block_id, {}).update(entered)
    view.errors = problems(view.blocks, view.values)
    if view.errors:
        room.world.changed("views", person=person.id)
        return ActionOutcome(errors=dict(view.errors))
    payload = payloads.submission(room.world, person, view)
    name = f"view_submission {view.body['callback_id']}".rstrip()
    told = await room.link.send("interactive", payload, name)
    if told.error:
        return ActionOutcome(
            error=told.error, notice=CONNECTING, ms=told.ms, timed_out=told.timed_out
        )
    try:
        errors = _react(room, person, view, told.body)
    except ApiRefused as refused:
        line = room.journal.lines[-1]
        line.outcome, line.messages = refused.error, refused.messages
        return ActionOutcome(error=refused.error, notice=CONNECTING, ms=told.ms)
    return ActionOutcome(ms=told.ms, errors=errors)


async def close(room: Room, person: SlackPerson, view: View, whole: bool) -> ActionOutcome:
    """Cancel or Escape takes the top view; `whole`, the cross in the corner, the stack."""
    world = room.world
    everything = whole or view.body["clear_on_close"]
    if everything:
        dropped = view_stack.drop_stack(world, person.id)[::-1]
    else:
        view_stack.drop_view(world, view)
        dropped = [view]
    answer = None
    for one in dropped:
        if one.body["notify_on_close"]:
            payload = payloads.closed(person, one, everything)
            answer = await room.link.send("interactive", payload, "view_closed")
    return ActionOutcome.of(answer) if answer else ActionOutcome()


def _react(room: Room, person: SlackPerson, view: View, body: Any) -> dict[str, str]:
    """Does what `response_action` says; the errors that it puts on fields. Raises Refused."""
    world = room.world
    if view.id not in world.views:  # the app has closed or replaced it meanwhile
        return {}
    if not body:
        view_stack.drop_view(world, view)
        return {}
    action = body.get("response_action") if isinstance(body, dict) else None
    if action == "clear":
        view_stack.drop_stack(world, person.id)
    elif action == "update":
        view_stack.update_view(world, view, body.get("view"))
    elif action == "push":
        view_stack.push_onto(world, person.id, view_stack.checked(world, body.get("view")))
    elif action == "errors":
        view.errors = _errors(view, body.get("errors"))
        world.changed("views", person=person.id)
        return dict(view.errors)
    else:
        raise ApiRefused("invalid_arguments", [f"[ERROR] unknown response_action: {action}"])
    return {}


def _errors(view: View, errors: Any) -> dict[str, str]:
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors:
        raise ApiRefused("invalid_arguments", ["[ERROR] missing required field: errors"])
    strangers = sorted(set(errors) - inputs)
    if strangers:
        raise ApiRefused(
            "invalid_arguments",
            [f"[ERROR] not an input block [json-pointer:/errors/{name}]" for name in strangers],
        )
    return {name: str(text) for name, text in errors.items()}
