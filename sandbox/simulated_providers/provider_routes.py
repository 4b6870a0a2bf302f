"""The page's own API to what is outside: /sandbox/outside…. The test client acts through it too."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.sandbox_errors import Impossible
from sandbox.simulated_providers import serialize_providers
from sandbox.simulated_providers.config import SimulatedContact, read_given
from sandbox.simulated_providers.simulation import Simulation
from sandbox.simulated_providers.webhook_sender import Sent


async def settle(request: Request) -> Response:
    """POST puts people there, as in `sandbox.simulated_providers.config`; GET lists them."""
    outside = _outside(request)
    if request.method == "POST":
        await outside.settle(read_given(await request.json()))
    return JSONResponse(serialize_providers.everybody(outside))


async def contact(request: Request) -> Response:
    outside = _outside(request)
    one = outside.given.contact(request.query_params.get("name", ""))
    return JSONResponse(serialize_providers.contact(outside, one))


async def do(request: Request) -> Response:
    """POST {"contact": …, "do": "text" | "deliver" | …}: answers when the app has answered."""
    outside = _outside(request)
    body = await request.json()
    one = outside.given.contact(str(body["contact"]))
    return JSONResponse({"sent": serialize_providers.sent(await _do(outside, one, body))})


async def switch(request: Request) -> Response:
    """Turns Twilio's Advanced Opt-Out on or off: POST {"advanced_opt_out": true}."""
    _outside(request).switch(bool((await request.json())["advanced_opt_out"]))
    return JSONResponse({"ok": True})


async def flood(request: Request) -> Response:
    """POST {"count": 500}: answers at once. GET /sandbox/outside tells how it goes."""
    body = await request.json()
    _outside(request).start_flood(int(body["count"]), bool(body.get("confirms", True)))
    return JSONResponse({"ok": True})


async def _do(  # noqa: PLR0911 - a table of what a contact or the company may do
    outside: Simulation, one: SimulatedContact, body: dict[str, Any]
) -> Sent | None:
    sender = str(body.get("sender") or "")
    code = str(body.get("code") or "")
    match body.get("do"), body.get("by", "sms"):
        case "text", _:
            text = str(body["text"])
            return await outside.phones.text(_phone(one), outside.given.sender(sender), text)
        case "send", "sms":
            return await outside.phones.send(_phone(one), outside.given.sender(sender), code)
        case "send", "email":
            return await outside.mailboxes.send(one, code)
        case "complain", _:
            return await outside.mailboxes.complain(one)
        case "unsubscribe", "sendgrid":
            return await outside.mailboxes.opt_out_at_sendgrid(one)
        case "unsubscribe", _:
            return await outside.mailboxes.unsubscribe(one)
        case "relieve", _:
            outside.mailboxes.relieve(one)
            return None
        case other:
            raise Impossible(f"There is no such thing to do as {' by '.join(map(str, other))}.")


def _phone(one: SimulatedContact) -> str:
    if not one.phone:
        raise Impossible(f"{one.name} has no phone.")
    return one.phone


def _outside(request: Request) -> Simulation:
    outside: Simulation = request.app.state.room.outside
    return outside


ROUTES = [
    Route("/sandbox/outside", settle, methods=["GET", "POST"]),
    Route("/sandbox/outside/contact", contact),
    Route("/sandbox/outside/do", do, methods=["POST"]),
    Route("/sandbox/outside/switch", switch, methods=["POST"]),
    Route("/sandbox/outside/flood", flood, methods=["POST"]),
]
