"""The providers' list APIs at /lists/<provider>/…, and what tests ask of them at /sandbox/lists."""

import asyncio
import time
from typing import Final
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.injected_faults import LISTS, Fault, FaultKind
from sandbox.sandbox_errors import Impossible
from sandbox.simulated_lists.all_lists import in_full, summary
from sandbox.simulated_lists.list_api import SimulatedListApi
from sandbox.simulated_lists.list_call import CallKind, ListAnswer, ListCall, ListRefusal
from sandbox.workspace_context import Room

_WRITES: Final = (CallKind.ADD, CallKind.REMOVE, CallKind.EMPTY)


async def call_lists(request: Request) -> Response:
    """A call of the app."""
    room = _room(request)
    name = request.path_params["provider"]
    try:
        api = room.lists.named(name)
    except Impossible:
        return Response(status_code=404)
    call = await _call(request, name)
    fault = room.faults.take(f"{LISTS}/{name} {call.method}", f"{LISTS}/{name}", LISTS)
    began = time.perf_counter()
    answer = _answer(api, call, fault)
    line = room.journal.begin(
        at=call.now,
        direction="in",
        method=f"{name} {call.method}",
        args={"path": "/" + "/".join(call.segments), "query": call.query},
    )
    line.ms = round((time.perf_counter() - began) * 1000, 1)
    line.outcome = f"fault: {fault.kind}" if fault else str(answer.status)
    room.world.changed("journal")
    if answer.kind in _WRITES:
        room.lists.changed()
        if api.delay:
            asyncio.get_running_loop().call_later(api.delay, room.lists.changed)
    return await _sent(request, answer, fault)


def _answer(api: SimulatedListApi, call: ListCall, fault: Fault | None) -> ListAnswer:
    match fault.kind if fault else None:
        case FaultKind.RATELIMITED:
            answer = api.slow_down(fault.retry_after if fault else 1)
        case FaultKind.SERVER_ERROR | FaultKind.DOWN:
            answer = ListAnswer(status=500, body="<html>Internal Server Error</html>")
        case FaultKind.ERROR:
            assert fault is not None
            answer = api.refuse(ListRefusal(fault.status, fault.error))
        case FaultKind.ANOTHER_ACCOUNT:
            answer = api.foreign(call.now).answer(call)
        case _:
            return api.answer(call)
    api.count(answer)
    return answer


async def _sent(request: Request, answer: ListAnswer, fault: Fault | None) -> Response:
    """The answer over the wire, spoilt as the fault wants it."""
    kind = fault.kind if fault else None
    if kind in (FaultKind.CLOSE, FaultKind.DOWN):
        request.scope["state"]["transport"].abort()
    elif fault and kind is FaultKind.SLOW:
        await asyncio.sleep(fault.seconds)
    if isinstance(answer.body, str):
        response = Response(answer.body, answer.status, media_type="text/html")
    elif answer.body is None:
        response = Response(status_code=answer.status)
    else:
        response = JSONResponse(answer.body, answer.status)
    if kind is FaultKind.GARBAGE:
        response = Response(b"\x00\xff<<not json", 200, media_type="application/json")
    elif kind is FaultKind.HALF:
        body = bytes(response.body)[: len(response.body) // 2]
        response = Response(body, answer.status, media_type="application/json")
    response.headers.update(answer.headers)
    return response


async def overview(request: Request) -> Response:
    """Each provider's lists and calls, in numbers."""
    return JSONResponse({api.name: summary(api) for api in _room(request).lists})


async def one_provider(request: Request) -> Response:
    """GET tells what stands on the lists (`?address=` of one address alone) and who was asked for;
    POST changes it, as `SimulatedLists.settle` has it."""
    lists = _room(request).lists
    name = request.path_params["provider"]
    if request.method == "POST":
        lists.settle(name, await request.json())
        return JSONResponse(summary(lists.named(name)))
    api = lists.named(name)
    api.settle(lists.now())
    return JSONResponse(in_full(api, request.query_params.get("address", "")))


async def _call(request: Request, name: str) -> ListCall:
    room = _room(request)
    path = request.scope["raw_path"].decode("ascii")
    behind = path.removeprefix(f"/lists/{name}/")
    return ListCall(
        method=request.method,
        path=path,
        segments=tuple(unquote(part) for part in behind.split("/")),
        query=request.scope["query_string"].decode("ascii"),
        headers={key.lower(): value for key, value in request.headers.items()},
        body=await request.body(),
        now=room.lists.now(),
        base_url=f"{room.base_url}/lists/{name}",
    )


def _room(request: Request) -> Room:
    room: Room = request.app.state.room
    return room


ROUTES = [
    Route(
        "/lists/{provider}/{path:path}",
        call_lists,
        methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
    ),
    Route("/sandbox/lists", overview),
    Route("/sandbox/lists/{provider}", one_provider, methods=["GET", "POST"]),
]
