"""The web application: Slack's doors, the page, and the page's own API."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from sandbox.delivery.app_link import RETRY_DELAYS, AppLink, DeliveryMode
from sandbox.delivery.http_delivery import HttpDelivery
from sandbox.delivery.socket_delivery import SocketDelivery
from sandbox.first_workspace import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from sandbox.injected_faults import Faults
from sandbox.manifest import Manifest
from sandbox.newsletter import newsletter_routes
from sandbox.newsletter.newsletter import Newsletter
from sandbox.page_api.page_routes import ROUTES
from sandbox.responses import Replies
from sandbox.sandbox_errors import Impossible
from sandbox.shared_links import SharedLinks
from sandbox.simulated_lists import list_routes
from sandbox.simulated_lists.all_lists import SimulatedLists
from sandbox.simulated_providers import provider_routes as outside_routes
from sandbox.simulated_providers.simulation import Simulation
from sandbox.traffic import TrafficJournal
from sandbox.web_api import endpoint
from sandbox.workflows.step_runs import StepRuns
from sandbox.workspace_context import Room, WorkspaceTokens
from sandbox.workspace_state import Clock, World, system_clock

PAGE: Final = Path(__file__).parent / "page"


def build_room(  # noqa: PLR0913 - each parameter is a choice of a test or of the command line
    *,
    mode: str,
    request_url: str = "",
    bot_token: str = BOT_TOKEN,
    app_token: str = APP_TOKEN,
    signing_secret: str = SIGNING_SECRET,
    manifest: Manifest | None = None,
    tour: dict[str, Any] | None = None,
    clock: Clock = system_clock,
    ack_timeout: float = 3.0,
    retry_delays: Sequence[float] = RETRY_DELAYS,
) -> Room:
    """A new workspace. `mode` is "http" or "socket"; times are in seconds."""
    world, journal = World(clock), TrafficJournal()
    socket = SocketDelivery() if mode == "socket" else None
    lists = SimulatedLists(world)
    outside = Simulation(world, journal, lists.sendgrid)
    way: DeliveryMode = socket or HttpDelivery(request_url, signing_secret)
    return Room(
        world=world,
        journal=journal,
        faults=Faults(),
        replies=Replies(world),
        links=SharedLinks(world),
        link=AppLink(world, journal, way, ack_timeout, retry_delays),
        tokens=WorkspaceTokens(bot=bot_token, app=app_token, signing_secret=signing_secret),
        manifest=manifest or Manifest(),
        socket=socket,
        outside=outside,
        newsletter=Newsletter(world, journal, outside),
        lists=lists,
        steps=StepRuns(world),
        tour=tour or {},
    )


def build_app(room: Room) -> Starlette:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await room.outside.close()
        await room.link.close()

    app = Starlette(
        routes=[
            Route("/api/{method}", endpoint.call_method, methods=["GET", "POST"]),
            Route("/commands/{team}/{key:path}", endpoint.respond, methods=["POST"]),
            Route("/actions/{team}/{key:path}", endpoint.respond, methods=["POST"]),
            Route("/upload/{id}", endpoint.upload, methods=["POST"]),
            Route("/files/{id}/{name:path}", endpoint.download),
            WebSocketRoute("/link/", _link),
            *ROUTES,
            *outside_routes.ROUTES,
            *newsletter_routes.ROUTES,
            *list_routes.ROUTES,
            Route("/", _page),
            Route("/newsletter", _newsletter_page),
            Mount("/page", StaticFiles(directory=PAGE, check_dir=False)),
        ],
        middleware=[Middleware(SameOrigin)],
        exception_handlers={Impossible: _impossible},
        lifespan=lifespan,
    )
    app.state.room = room
    return app


def set_base_url(room: Room, url: str) -> None:
    """The address at which the workspace is reached, known once it listens."""
    room.base_url = room.replies.base = url


class SameOrigin:
    """Refuses what pages of other sites send from a browser that can reach this one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] in ("http", "websocket") else Headers()
        origin = headers.get("origin")
        if headers and not _is_ours(headers.get("host", "")):
            await _refuse(scope, receive, send, "another host")
        elif origin is None or urlsplit(origin).netloc == headers.get("host"):
            await self.app(scope, receive, send)
        else:
            await _refuse(scope, receive, send, "another origin")


async def _refuse(scope: Scope, receive: Receive, send: Send, why: str) -> None:
    if scope["type"] == "http":
        await PlainTextResponse(why, status_code=403)(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": 1008})


def _is_ours(host: str) -> bool:
    """Whether a browser that names this host means this machine. A page of another site may have
    its own name lead here (DNS rebinding), and is of the same origin then."""
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


async def _link(websocket: WebSocket) -> None:
    room: Room = websocket.app.state.room
    if room.socket is None:
        await websocket.close(code=1008)
    else:
        await room.socket.serve(websocket, websocket.query_params.get("ticket", ""))


async def _page(_: Request) -> Response:
    return _html("index.html")


async def _newsletter_page(_: Request) -> Response:
    return _html("newsletter.html")


def _html(name: str) -> Response:
    policy = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'"
    return FileResponse(PAGE / name, headers={"Content-Security-Policy": policy})


async def _impossible(_: Request, refused: Exception) -> Response:
    return JSONResponse({"error": "impossible", "notice": str(refused)}, status_code=409)
