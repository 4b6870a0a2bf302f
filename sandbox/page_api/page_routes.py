"""The page's own API: /sandbox/… The test client acts through it too."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.first_workspace import SlackChannel, SlackPerson
from sandbox.page_api import control, modals, person_actions, serialize
from sandbox.page_api.outcome import ActionOutcome
from sandbox.sandbox_errors import Impossible
from sandbox.view_stack import stack
from sandbox.web_api.file_methods import add_file
from sandbox.workspace_context import Room
from sandbox.workspace_state import Message, View

LONGEST_WAIT = 30.0


async def state(request: Request) -> Response:
    room = _room(request)
    person = _person(room, request.query_params.get("person", ""))
    return JSONResponse(serialize.everything(room, person))


async def do(request: Request) -> Response:
    """POST {"do": "command" | "say" | "act" | …}: answers when the app has acknowledged."""
    room = _room(request)
    person = _person(room, request.path_params["person"])
    body = await request.json()
    if person.deleted:
        raise Impossible("This account is deactivated.")
    before = max((one.number for one in room.world.visible(person.id)), default=0)
    outcome = await _do(room, person, body)
    if isinstance(outcome, list):
        return JSONResponse({"options": outcome})
    fresh = [one for one in room.world.visible(person.id) if one.number > before]
    own = {"messages": [serialize.message(room, person, one) for one in fresh]}
    top = stack(room.world, person.id)
    modal = serialize.view(room, person, top[-1]) if top else None
    return JSONResponse(outcome.as_dict() | own | {"modal": modal, "before": before})


async def upload(request: Request) -> Response:
    """A file for a file_input: the bytes as the body, the name in the query."""
    room = _room(request)
    person = _person(room, request.path_params["person"])
    name = request.query_params.get("name", "file")
    content = await request.body()
    return JSONResponse(add_file(room.world, person.id, name, content, room.base_url))


async def changes(request: Request) -> Response:
    """Answers once the workspace has changed since version `after`, or after `wait` seconds."""
    room = _room(request)
    after = int(request.query_params.get("after", "0"))
    wait = min(float(request.query_params.get("wait", "10")), LONGEST_WAIT)
    if room.world.version <= after:
        changed = asyncio.Event()

        def listen(_: dict[str, Any]) -> None:
            changed.set()

        room.world.listeners.add(listen)
        try:
            async with asyncio.timeout(wait):
                await changed.wait()
        except TimeoutError:
            pass
        finally:
            room.world.listeners.discard(listen)
    return JSONResponse({"version": room.world.version})


async def journal(request: Request) -> Response:
    room = _room(request)
    return JSONResponse(serialize.lines(room, int(request.query_params.get("after", "0"))))


async def pings(request: Request) -> Response:
    """Everybody whom the app has pinged, ephemerals included."""
    return JSONResponse(_room(request).world.pinged)


async def live(socket: WebSocket) -> None:
    """Tells the page of `person` what has changed; it then asks for what it shows."""
    room: Room = socket.app.state.room
    person = socket.query_params.get("person", "")
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    await socket.accept()

    def listen(change: dict[str, Any]) -> None:
        if change.get("person") in (None, person):
            queue.put_nowait(change)

    room.world.listeners.add(listen)
    forward = asyncio.create_task(_forward(socket, queue))
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        pass
    finally:
        room.world.listeners.discard(listen)
        forward.cancel()


async def _forward(socket: WebSocket, queue: asyncio.Queue[dict[str, Any]]) -> None:
    while True:
        await socket.send_json(await queue.get())


async def _do(  # noqa: C901, PLR0911, PLR0912 - a table of what a page may ask for
    room: Room, person: SlackPerson, body: dict[str, Any]
) -> ActionOutcome | list[dict[str, Any]]:
    match body.get("do"):
        case "command":
            return await person_actions.run_command(
                room, person, _channel(room, body), body["text"]
            )
        case "say":
            is_direct = body["channel"] == "directmessage"
            channel = room.world.direct(person.id) if is_direct else _channel(room, body)
            return await person_actions.say(
                room, person, channel, body["text"], body.get("thread_ts")
            )
        case "write":
            return await person_actions.write(room, person, _channel(room, body), body["text"])
        case "act":
            place = _place(room, person, body)
            return await person_actions.act(
                room, person, place, body["block_id"], body["action_id"], body.get("value")
            )
        case "suggest":
            place = _place(room, person, body)
            return await person_actions.suggest(
                room, person, place, body["block_id"], body["action_id"], body.get("value", "")
            )
        case "submit":
            view = _view(room, person, body["view"])
            return await modals.submit(room, person, view, body.get("values") or {})
        case "close":
            view = _view(room, person, body["view"])
            return await modals.close(room, person, view, bool(body.get("whole")))
        case "home":
            return await person_actions.open_home(room, person, body.get("tab", "home"))
        case "shortcut":
            message = _message(room, person, body) if body.get("ts") else None
            return await person_actions.use_shortcut(room, person, body["callback_id"], message)
        case "step":
            inputs = body.get("inputs") or {}
            return await person_actions.run_step(room, person, body["callback_id"], inputs)
        case "read":
            _read(room, person, _channel(room, body))
            return ActionOutcome()
        case "nothing":
            return ActionOutcome()
        case other:
            raise Impossible(f"There is no such thing to do as {other}.")


def _read(room: Room, person: SlackPerson, channel: SlackChannel) -> None:
    numbers = [one.number for one in room.world.messages[channel.id].values()]
    room.world.read[(person.id, channel.id)] = max(numbers, default=0)


def _place(room: Room, person: SlackPerson, body: dict[str, Any]) -> View | Message:
    in_view = "view" in body
    place = _view(room, person, body["view"]) if in_view else _message(room, person, body)
    for block_id, entered in (body.get("values") or {}).items():
        place.values.setdefault(block_id, {}).update(entered)
    return place


def _view(room: Room, person: SlackPerson, id_: str) -> View:
    home = room.world.homes.get(person.id)
    found = home if home and home.id == id_ else room.world.views.get(id_)
    if found is None or found.person != person.id:
        raise Impossible("This view is not open any more.")
    return found


def _message(room: Room, person: SlackPerson, body: dict[str, Any]) -> Message:
    channel = _channel(room, body)
    found = room.world.messages[channel.id].get(body["ts"])
    if found is None or not found.seen_by(person.id) or person.id not in channel.members:
        raise Impossible("This message is not there any more.")
    return found


def _channel(room: Room, body: dict[str, Any]) -> SlackChannel:
    channel = room.world.channel(body["channel"])
    if channel is None:
        raise Impossible(f"There is no channel {body['channel']}.")
    return channel


def _person(room: Room, name: str) -> SlackPerson:
    person = room.world.person(name)
    if person is None or person.is_bot:
        raise Impossible(f"There is nobody called {name}.")
    return person


def _room(request: Request) -> Room:
    room: Room = request.app.state.room
    return room


ROUTES = [
    Route("/sandbox/state", state),
    Route("/sandbox/people/{person}/do", do, methods=["POST"]),
    Route("/sandbox/people/{person}/files", upload, methods=["POST"]),
    Route("/sandbox/changes", changes),
    Route("/sandbox/journal", journal),
    Route("/sandbox/pings", pings),
    Route("/sandbox/faults", control.faults, methods=["POST", "DELETE"]),
    Route("/sandbox/control", control.control, methods=["POST"]),
    WebSocketRoute("/sandbox/live", live),
]
