"""A plain Bolt app beside a sandbox workspace, for the tests of the sandbox itself."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from slack_bolt import App
from slack_bolt.request import BoltRequest
from slack_sdk import WebClient

from sandbox.client import Workspace


class _Handler(BaseHTTPRequestHandler):
    """Hands each request to Bolt, and keeps it for tests that look at the wire."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.seen.append((dict(self.headers), body))
        request = BoltRequest(body=body, headers={k: [v] for k, v in self.headers.items()})
        answer = self.server.bolt.dispatch(request)
        content = answer.body.encode()
        self.send_response(answer.status)
        for name, value in answer.first_headers_without_set_cookie().items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


class AppServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, bolt: App) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bolt = bolt
        self.seen: list[tuple[dict[str, str], str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/slack/events"


def web_client(ws: Workspace, token: str | None = None) -> WebClient:
    return WebClient(token=token or ws.bot_token, base_url=ws.api_url, retry_handlers=[])


def bolt_app(ws: Workspace) -> App:
    return App(
        signing_secret=ws.signing_secret, client=web_client(ws), process_before_response=True
    )


@contextmanager
def serving(bolt: App) -> Iterator[AppServer]:
    with AppServer(bolt) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def workspace_with(listen: Callable[[App], None], **options: Any) -> Iterator[Workspace]:
    """A workspace in HTTP mode whose app has the listeners that `listen` adds."""
    with Workspace.start(mode="http", **options) as ws:
        bolt = bolt_app(ws)
        listen(bolt)
        with serving(bolt) as server:
            ws.set_request_url(server.url)
            yield ws


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": mrkdwn(text), **more}


def option(text: str, value: str | None = None) -> dict[str, Any]:
    return {"text": plain(text), "value": text if value is None else value}


def button(text: str, action_id: str, **more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "text": plain(text), **more}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "block_id": "buttons", "elements": list(elements)}


def field(label: str, element: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An input block whose block_id is its label and whose action_id is "value"."""
    element = {"action_id": "value", **element}
    return {"type": "input", "block_id": label, "label": plain(label), "element": element, **more}


def modal(*blocks: dict[str, Any], title: str = "Edit", **more: Any) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": "edit",
        "title": plain(title),
        "submit": plain("Save"),
        "blocks": list(blocks),
        **more,
    }
