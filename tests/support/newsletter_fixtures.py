"""An API that answers the newsletter as Optin's would, or as a broken one does; and webhooks as
Optin signs them, made by the reference library."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from standardwebhooks import Webhook

from sandbox.client import Workspace
from tests.support.outside_fixtures import GRACE, ROSA

KEY = "optin_key_of_the_tests"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STOPPED = {
    "answer": "no",
    "gates": [
        {"code": "carrier_block", "owner": "contact", "remedy": "The contact texts UNSTOP."},
        {"code": "opted_out", "owner": "manager", "remedy": "A manager approves."},
    ],
    "contact": GRACE["id"],
    "version": 3,
}
MAY_SEND = {"answer": "yes", "gates": [], "contact": "c18", "version": 1}


class CheckApi(ThreadingHTTPServer):
    """`results` are by address. `status` and `body`, where set, are the answer to everything."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []
        self.results: dict[str, dict[str, Any]] = {}
        self.status = 200
        self.body: bytes | None = None
        #: The `seq` of the last event that the answers know of.
        self.as_of = 5
        #: What happens while the newsletter waits for the answer.
        self.meanwhile: Callable[[], object] = lambda: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: CheckApi

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        authorized = self.headers["Authorization"] == f"Bearer {KEY}"
        assert self.path == "/api/v1/check"
        self.server.asked.append(question)
        asked = [one["to"] for one in question["recipients"]]
        results = [{"to": address, **self.server.results[address]} for address in asked]
        body = self.server.body
        if body is None:
            body = json.dumps({"results": results, "as_of": self.server.as_of}).encode()
        self.server.meanwhile()
        self.send_response(self.server.status if authorized else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def answering() -> Iterator[CheckApi]:
    """Grace's phone is blocked; everything else may be sent."""
    with CheckApi() as api:
        api.results = {
            GRACE["phone"]: STOPPED,
            GRACE["email"]: MAY_SEND,
            ROSA["email"]: MAY_SEND,
        }
        thread = threading.Thread(
            target=api.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        thread.start()
        try:
            yield api
        finally:
            api.shutdown()
            thread.join()


def subscribe(ws: Workspace, optin: str, **more: Any) -> None:
    """Grace and Rosa are on the newsletter's list."""
    settings = {
        "optin": optin,
        "api_key": KEY,
        "webhook_secret": SECRET,
        "subscribers": [GRACE, ROSA],
    }
    ws.newsletter.settle(**(settings | more))


def event(seq: int, answer: str, contact: str = GRACE["id"], channel: str = "sms") -> bytes:
    """The body of a webhook. The other channel's answer stays as it was."""
    before = "no" if answer == "yes" else "yes"
    data = {
        "id": f"e{seq}",
        "seq": seq,
        "contact": contact,
        "channel": channel,
        "before": {"answer": before, "sms": "no", "email": "yes", channel: before},
        "after": {"answer": answer, "sms": "no", "email": "yes", channel: answer},
        "version": seq,
    }
    said = {"type": "consent.changed", "timestamp": datetime.now(UTC).isoformat(), "data": data}
    return json.dumps(said).encode()


def deliver(
    ws: Workspace,
    body: bytes,
    *,
    id_: str = "msg_1",
    secret: str = SECRET,
    age: timedelta = timedelta(0),
    sent: bytes | None = None,
) -> int:
    """Posts a webhook as if it had been signed that long ago; with `sent`, another body than the
    signed one. The receiver's status."""
    at = datetime.now(UTC) - age
    headers = {
        "Content-Type": "application/json",
        "webhook-id": id_,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(id_, at, body.decode()),
    }
    return post_webhook(ws, body if sent is None else sent, headers)


def post_webhook(ws: Workspace, body: bytes, headers: dict[str, str]) -> int:
    parts = urlsplit(ws.newsletter.webhook_url)
    connection = HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request("POST", parts.path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()
