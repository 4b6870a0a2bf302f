"""The newsletter over HTTP: its settings, what its page shows, and the receiver of webhooks."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.newsletter.consent_api import ConsentApi
from sandbox.newsletter.event_receiver import EventReceiver
from sandbox.newsletter.mailing_list import Medium, Subscriber
from sandbox.newsletter.newsletter import Newsletter, NewsletterSettings
from sandbox.newsletter.serialize_newsletter import everything
from sandbox.sandbox_errors import Impossible
from sandbox.simulated_providers.config import on_this_machine

#: Optin's events are far below: their bodies are thin.
_LARGEST: Final = 64 * 1024


async def settle(request: Request) -> Response:
    """POST {"optin": "http://127.0.0.1:…", "api_key": …, "webhook_secret": "whsec_…",
    "subscribers": [{"id", "name", "phone"?, "email"?}]}; GET tells what the page shows."""
    newsletter = _newsletter(request)
    if request.method == "POST":
        newsletter.settle(_settings(await request.json()))
    return JSONResponse(everything(newsletter))


async def send(request: Request) -> Response:
    """POST {"medium": "sms" | "email"}: answers at once, and the campaign goes on by itself."""
    word = (await request.json()).get("medium")
    if word not in {*Medium}:
        raise Impossible(f"There is no medium {word}.")
    _newsletter(request).start(Medium(word))
    return JSONResponse({"ok": True})


async def receive(request: Request) -> Response:
    """A webhook of Optin's: 204 where its signature holds, and 401 otherwise."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST:
            return Response(status_code=413)
    newsletter: Newsletter = request.app.state.room.newsletter
    event = newsletter.receive(body, request.headers)
    return Response(status_code=204 if event.verified else 401)


def _settings(body: Any) -> NewsletterSettings:
    """Raises Impossible where they can't be understood, or Optin is not on this machine."""
    try:
        secret = str(body["webhook_secret"])
        optin = on_this_machine(body["optin"], "optin")
        EventReceiver(secret)
        return NewsletterSettings(
            api=ConsentApi(url=f"http://{optin.netloc}", key=str(body["api_key"])),
            webhook_secret=secret,
            subscribers=tuple(_subscriber(one) for one in body["subscribers"]),
        )
    except KeyError as missing:
        raise Impossible(f"The newsletter needs {missing}.") from None
    except (AttributeError, TypeError, ValueError) as wrong:
        raise Impossible(f"The newsletter's settings can't be read: {wrong}.") from None


def _subscriber(body: Mapping[str, Any]) -> Subscriber:
    return Subscriber(
        id=str(body["id"]),
        name=str(body["name"]),
        phone=body.get("phone") or "",
        email=body.get("email") or "",
    )


def _newsletter(request: Request) -> Newsletter:
    newsletter: Newsletter = request.app.state.room.newsletter
    return newsletter


ROUTES = [
    Route("/sandbox/newsletter", settle, methods=["GET", "POST"]),
    Route("/sandbox/newsletter/send", send, methods=["POST"]),
    Route("/newsletter/optin-events", receive, methods=["POST"]),
]
