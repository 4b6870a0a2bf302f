"""Modals and App Homes: opened, stacked, updated, closed.

https://docs.slack.dev/surfaces/modals/
"""

import copy
import json
import secrets
from datetime import timedelta
from typing import Any, Final

from sandbox.block_kit.check import check_view
from sandbox.block_kit.fields import initial_values, state
from sandbox.block_kit.fill import filled
from sandbox.block_kit.limits import total
from sandbox.first_workspace import APP, BOT, TEAM
from sandbox.sandbox_errors import ApiRefused
from sandbox.workspace_state import Trigger, View, World

TRIGGER_LIFETIME: Final = timedelta(seconds=3)
LARGEST: Final = 250_000
DEEPEST: Final = total("view", "modal", "view stack")


def open_view(world: World, trigger_id: str, body: Any) -> View:
    body = _taken(world, body, "modal")
    trigger = _exchange(world, trigger_id)
    drop_stack(world, trigger.person)
    return _put(world, trigger.person, body, None)


def push_view(world: World, trigger_id: str, body: Any) -> View:
    body = _taken(world, body, "modal")
    trigger = _exchange(world, trigger_id)
    return push_onto(world, trigger.person, body)


def push_onto(world: World, person: str, body: dict[str, Any]) -> View:
    """`body` has been checked by `checked`. Raises Refused when the stack is full or empty."""
    stack = world.stacks.get(person, [])
    if not stack:
        raise ApiRefused("not_found")
    if len(stack) >= DEEPEST:
        raise ApiRefused("push_limit_reached")
    return _put(world, person, body, world.views[stack[-1]])


def find_view(world: World, view_id: str | None, external_id: str | None) -> View:
    for view in world.views.values():
        if view.id == view_id or (external_id and view.body.get("external_id") == external_id):
            return view
    raise ApiRefused("not_found")


def update_view(world: World, view: View, body: Any, hash_: str | None = None) -> View:
    """Fields with the same block_id and action_id keep what the person entered."""
    body = _taken(world, body, view.body["type"], but=view)
    if hash_ and hash_ != view.hash:
        raise ApiRefused("hash_conflict")
    view.values = initial_values(body["blocks"], view.values)
    view.body, view.hash, view.errors = body, _new_hash(world), {}
    world.changed("home" if body["type"] == "home" else "views", person=view.person)
    return view


def publish_view(world: World, person: str, body: Any, hash_: str | None = None) -> View:
    home = world.homes.get(person)
    if home:
        return update_view(world, home, body, hash_)
    body = _taken(world, body, "home")
    view = _new(world, person, body, None)
    world.homes[person] = view
    world.changed("home", person=person)
    return view


def checked(world: World, body: Any, kind: str = "modal") -> dict[str, Any]:
    """The view as Slack stores it. Raises Refused."""
    return _taken(world, body, kind)


def drop_view(world: World, view: View) -> None:
    """Takes one view away; the one below it is seen again."""
    world.stacks[view.person].remove(view.id)
    del world.views[view.id]
    world.changed("views", person=view.person)


def drop_stack(world: World, person: str) -> list[View]:
    dropped = [world.views.pop(view_id) for view_id in world.stacks.pop(person, [])]
    if dropped:
        world.changed("views", person=person)
    return dropped


def stack(world: World, person: str) -> list[View]:
    return [world.views[view_id] for view_id in world.stacks.get(person, [])]


def describe(view: View) -> dict[str, Any]:
    """The view as it stands in payloads and answers."""
    return copy.deepcopy(
        {
            "id": view.id,
            "team_id": TEAM,
            **view.body,
            "state": {"values": state(view.blocks, view.values)},
            "hash": view.hash,
            "previous_view_id": view.previous,
            "root_view_id": view.root,
            "app_id": APP,
            "app_installed_team_id": TEAM,
            "bot_id": BOT,
        }
    )


def _taken(world: World, body: Any, kind: str, but: View | None = None) -> dict[str, Any]:
    if isinstance(body, dict) and len(json.dumps(body)) > LARGEST:
        raise ApiRefused("view_too_large")
    if problems := check_view(body):
        raise ApiRefused("invalid_arguments", problems)
    if body["type"] != kind:
        raise ApiRefused(
            "invalid_arguments", [f"[ERROR] must be one of: {kind} [json-pointer:/view/type]"]
        )
    external_id = body.get("external_id")
    others = [view for view in (*world.views.values(), *world.homes.values()) if view is not but]
    if external_id and any(view.body["external_id"] == external_id for view in others):
        raise ApiRefused("duplicate_external_id")
    flags = {"emoji": True}
    whole: dict[str, Any] = {
        "type": kind,
        "blocks": filled(body["blocks"]),
        "private_metadata": body.get("private_metadata") or "",
        "callback_id": body.get("callback_id") or "",
        "external_id": external_id or "",
        "title": {**body["title"], **flags} if body.get("title") else None,
        "submit": {**body["submit"], **flags} if body.get("submit") else None,
        "close": {**body["close"], **flags} if body.get("close") else None,
        "clear_on_close": bool(body.get("clear_on_close")),
        "notify_on_close": bool(body.get("notify_on_close")),
    }
    return whole


def _exchange(world: World, trigger_id: str) -> Trigger:
    trigger = world.triggers.get(trigger_id)
    if trigger is None:
        raise ApiRefused("invalid_trigger_id")
    if world.clock() - trigger.at > TRIGGER_LIFETIME:
        raise ApiRefused("expired_trigger_id")
    if trigger.used:
        raise ApiRefused("exchanged_trigger_id")
    trigger.used = True
    return trigger


def _put(world: World, person: str, body: dict[str, Any], below: View | None) -> View:
    view = _new(world, person, body, below)
    world.views[view.id] = view
    world.stacks.setdefault(person, []).append(view.id)
    world.changed("views", person=person)
    return view


def _new(world: World, person: str, body: dict[str, Any], below: View | None) -> View:
    id_ = world.new_id("V")
    return View(
        id=id_,
        person=person,
        body=body,
        hash=_new_hash(world),
        root=below.root if below else id_,
        previous=below.id if below else None,
        values=initial_values(body["blocks"]),
    )


def _new_hash(world: World) -> str:
    return f"{world.now()}.{secrets.token_hex(4)}"
