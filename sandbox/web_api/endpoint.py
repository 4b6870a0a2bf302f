"""POST /api/<method>: token, scope, faults, journal, and then the method itself."""

import asyncio
import json
import time
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from sandbox.injected_faults import Fault, FaultKind
from sandbox.sandbox_errors import ApiRefused
from sandbox.traffic import TrafficLine
from sandbox.web_api import file_methods
from sandbox.web_api.call import ApiCall
from sandbox.web_api.methods import METHODS, Known
from sandbox.workspace_context import Room

_SECRETS: Final = ("token",)


async def call_method(request: Request) -> Response:
    room: Room = request.app.state.room
    name = request.path_params["method"]
    args = await _args(request)
    shown = {key: value for key, value in args.items() if key not in _SECRETS}
    line = _begin(room, name, shown)
    began = time.perf_counter()
    fault = room.faults.take(name, "*")
    if fault and fault.kind not in (FaultKind.SLOW, FaultKind.CLOSE):
        response = _refusal(fault)
        _end(room, line, began, f"fault: {fault.kind}", [])
        return response
    token = request.headers.get("authorization", "").removeprefix("Bearer ") or args.get("token")
    body = _answer(room, name, str(token or ""), args)
    _end(room, line, began, body.get("error", "ok"), _messages(body))
    if fault:
        return await _spoilt(request, fault, body)
    headers = {"x-oauth-scopes": ",".join(sorted(room.manifest.scopes))}
    if name in METHODS:
        headers["x-accepted-oauth-scopes"] = ",".join(METHODS[name].scopes)
    return JSONResponse(body, headers=headers)


async def respond(request: Request) -> Response:
    """A response_url."""
    room: Room = request.app.state.room
    raw = await request.body()
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    line = _begin(room, "response_url", body if isinstance(body, dict) else {})
    began = time.perf_counter()
    fault = room.faults.take("response_url", "*")
    if fault and fault.kind not in (FaultKind.SLOW, FaultKind.CLOSE):
        _end(room, line, began, f"fault: {fault.kind}", [])
        return _refusal(fault)
    try:
        room.replies.use(request.path_params["key"], body)
    except ApiRefused as refused:
        _end(room, line, began, refused.error, refused.messages)
        status = 404 if refused.error in ("expired_url", "used_url") else 400
        return JSONResponse(_refused(refused), status_code=status)
    _end(room, line, began, "ok", [])
    if fault:
        return await _spoilt(request, fault, {"ok": True})
    return PlainTextResponse("ok")


async def upload(request: Request) -> Response:
    """The second step of an upload: the bytes, raw or as a form's file."""
    room: Room = request.app.state.room
    id_ = request.path_params["id"]
    line = _begin(room, "upload", {"file": id_})
    began = time.perf_counter()
    if "multipart/form-data" in request.headers.get("content-type", ""):
        async with request.form() as form:
            content = b"".join([await one.read() for one in form.values() if hasattr(one, "read")])
    else:
        content = await request.body()
    try:
        file_methods.store(room.world, id_, content)
    except ApiRefused as refused:
        _end(room, line, began, refused.error, [])
        return PlainTextResponse(refused.error, status_code=400)
    _end(room, line, began, "ok", [])
    return PlainTextResponse(f"OK - {len(content)}")


async def download(request: Request) -> Response:
    """For the app with its token, for people (`?person=`) as if by their cookie. Anybody else gets
    a page to sign in with, and status 200, as from Slack."""
    room: Room = request.app.state.room
    id_ = request.path_params["id"]
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    is_app = token == room.tokens.bot and "files:read" in room.manifest.scopes
    if not is_app and request.query_params.get("person") not in room.world.people:
        return Response("<html>Sign in</html>", media_type="text/html")
    if id_ not in room.world.contents:
        return PlainTextResponse("file_not_found", status_code=404)
    return Response(
        room.world.contents[id_],
        media_type="application/octet-stream",
        headers={"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"},
    )


def _answer(room: Room, name: str, token: str, args: dict[str, Any]) -> dict[str, Any]:
    call = ApiCall(
        world=room.world,
        args=args,
        base_url=room.base_url,
        scopes=room.manifest.scopes,
        home=room.manifest.home,
        socket=room.socket,
        links=room.links,
        steps=room.steps,
        token=token,
    )
    try:
        known = METHODS.get(name)
        if known is None:
            raise ApiRefused("unknown_method", req_method=name)
        _authorise(room, known, token)
        return {"ok": True, **known.do(call)}
    except ApiRefused as refused:
        return _refused(refused)


def _authorise(room: Room, known: Known, token: str) -> None:
    kinds = {room.tokens.bot: "bot", room.tokens.app: "app"}
    if known.token == "any":
        return
    if not token:
        raise ApiRefused("not_authed")
    if room.steps.by_token(token):
        kinds[token] = "bot"
    if token not in kinds:
        raise ApiRefused("invalid_auth")
    if kinds[token] != known.token:
        raise ApiRefused("not_allowed_token_type")
    scopes = room.manifest.scopes
    if known.scopes and not scopes & set(known.scopes):
        raise ApiRefused(
            "missing_scope", needed=",".join(known.scopes), provided=",".join(sorted(scopes))
        )


def _refused(refused: ApiRefused) -> dict[str, Any]:
    body: dict[str, Any] = {"ok": False, "error": refused.error, **refused.more}
    if refused.messages:
        body["response_metadata"] = {"messages": refused.messages}
        if refused.error == "invalid_blocks":
            body["errors"] = [text.removeprefix("[ERROR] ") for text in refused.messages]
    return body


def _refusal(fault: Fault) -> Response:
    if fault.kind is FaultKind.RATELIMITED:
        return JSONResponse(
            {"ok": False, "error": "ratelimited"},
            status_code=429,
            headers={"Retry-After": str(fault.retry_after)},
        )
    if fault.kind is FaultKind.ERROR:
        more = {"response_metadata": {"messages": fault.messages}} if fault.messages else {}
        return JSONResponse({"ok": False, "error": fault.error} | more)
    return Response("<html>Internal Server Error</html>", status_code=500, media_type="text/html")


async def _spoilt(request: Request, fault: Fault, body: dict[str, Any]) -> Response:
    """It was done, but the answer comes too late, or not at all."""
    if fault.kind is FaultKind.CLOSE:
        request.scope["state"]["transport"].abort()
    else:
        await asyncio.sleep(fault.seconds)
    return JSONResponse(body)


async def _args(request: Request) -> dict[str, Any]:
    args: dict[str, Any] = dict(request.query_params)
    content_type = request.headers.get("content-type", "")
    if content_type.startswith("application/json"):
        try:
            body = json.loads(await request.body() or b"{}")
        except ValueError:
            body = {}
        return args | body if isinstance(body, dict) else args
    async with request.form() as form:
        return args | {key: value for key, value in form.items() if isinstance(value, str)}


def _begin(room: Room, method: str, args: dict[str, Any]) -> TrafficLine:
    at = room.world.clock().timestamp()
    return room.journal.begin(at=at, direction="in", method=method, args=args)


def _end(room: Room, line: TrafficLine, began: float, outcome: str, messages: list[str]) -> None:
    line.ms = round((time.perf_counter() - began) * 1000, 1)
    line.outcome, line.messages = outcome, messages
    room.world.changed("journal")


def _messages(body: dict[str, Any]) -> list[str]:
    metadata = body.get("response_metadata")
    messages = metadata.get("messages", []) if isinstance(metadata, dict) else []
    return [str(message) for message in messages]
