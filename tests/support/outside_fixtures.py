"""A receiver of webhooks beside a sandbox workspace: it checks each as the provider documents it,
on its own, and keeps what held."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from sandbox.client import Workspace

PUBLIC_URL = "https://optin.example"
AUTH_TOKEN = "00112233445566778899aabbccddeeff"
UNSUBSCRIBE_KEY = "unsubscribe-key-of-the-tests"
PRIVATE_KEY = ec.generate_private_key(ec.SECP256R1())
LINE, OFFERS = "+18885550199", "+14155550150"
GRACE = {"id": "c7", "name": "Grace Lee", "phone": "+14155550106", "email": "grace@example.com"}
ROSA = {"id": "c18", "name": "Rosa Jiménez", "email": "rosa@example.com"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    path: str
    headers: dict[str, str] = field(repr=False)
    #: The form, or the batch.
    said: Any


class Receiver(ThreadingHTTPServer):
    """Answers 204 to what is really the provider's, and 401 to anything else. `answers` are
    given first, one each."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.got: list[Got] = []
        self.refused: list[str] = []
        self.answers: list[int] = []
        self.connections = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def said(self, path: str) -> list[Any]:
        return [got.said for got in self.got if got.path == path]

    @property
    def statuses(self) -> list[tuple[str, str | None]]:
        """Twilio's word and error of each status callback."""
        forms = self.said("/webhooks/twilio/status")
        return [(form["MessageStatus"], form.get("ErrorCode")) for form in forms]

    @property
    def events(self) -> list[dict[str, Any]]:
        """SendGrid's, out of their batches."""
        return [event for batch in self.said("/webhooks/sendgrid/events") for event in batch]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_GET(self) -> None:
        self._answer(200, b"<p>Unsubscribe?</p>")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = urlsplit(self.path).path
        said = _CHECKS[path](self.path, headers, body)
        if said is None:
            self.server.refused.append(self.path)
            self._answer(401)
        elif self.server.answers:
            self._answer(self.server.answers.pop(0))
        else:
            self.server.got.append(Got(path=path, headers=headers, said=said))
            self._answer(204)

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def _twilio(path: str, headers: dict[str, str], body: bytes) -> dict[str, str] | None:
    """The form, if Twilio's signature holds.

    https://www.twilio.com/docs/usage/webhooks/webhooks-security
    """
    form = parse_qs(body.decode(), keep_blank_values=True, strict_parsing=True)
    text = PUBLIC_URL + path
    for name in sorted(form):
        for value in sorted(set(form[name])):
            text += name + value
    digest = hmac.new(AUTH_TOKEN.encode(), text.encode(), hashlib.sha1).digest()
    holds = hmac.compare_digest(base64.b64encode(digest).decode(), headers["x-twilio-signature"])
    return {name: values[0] for name, values in form.items()} if holds else None


def _sendgrid(path: str, headers: dict[str, str], body: bytes) -> list[Any] | None:
    """The events, if SendGrid's signature holds.

    https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
    """
    stamp = headers["x-twilio-email-event-webhook-timestamp"]
    signature = base64.b64decode(headers["x-twilio-email-event-webhook-signature"])
    try:
        PRIVATE_KEY.public_key().verify(signature, stamp.encode() + body, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return None
    events: list[Any] = json.loads(body)
    return events


def _one_click(path: str, headers: dict[str, str], body: bytes) -> dict[str, str] | None:
    """https://www.rfc-editor.org/rfc/rfc8058, and the token that the app documents."""
    link = dict(parse_qsl(urlsplit(path).query))
    email = {one["id"]: one["email"] for one in (GRACE, ROSA)}[link["c"]]
    digest = hmac.new(UNSUBSCRIBE_KEY.encode(), f"{email}|{link['l']}".encode(), hashlib.sha256)
    token = base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")
    return link if body == b"List-Unsubscribe=One-Click" and link["t"] == token else None


_CHECKS: dict[str, Callable[[str, dict[str, str], bytes], Any]] = {
    "/webhooks/twilio/inbound": _twilio,
    "/webhooks/twilio/status": _twilio,
    "/webhooks/sendgrid/events": _sendgrid,
    "/u/one-click": _one_click,
}


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    with Receiver(port) as receiver:
        thread = threading.Thread(
            target=receiver.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()


def settle(ws: Workspace, webhooks: str, **more: Any) -> None:
    """Grace and Rosa, two senders, and the secrets above. What is slow in life is quick here."""
    pem = PRIVATE_KEY.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    given = {
        "webhooks": webhooks,
        "public_url": PUBLIC_URL,
        "twilio": {"auth_token": AUTH_TOKEN},
        "sendgrid": {"private_key": pem.decode()},
        "unsubscribe": {"key": UNSUBSCRIBE_KEY},
        "senders": [
            {"id": LINE, "name": "Support line", "toll_free": True},
            {"id": OFFERS, "name": "Offers"},
        ],
        "people": [GRACE, ROSA],
        "confirms_after": 0.05,
        "twilio_within": 0.1,
        "sendgrid_within": 1.2,
    }
    ws.outside(**(given | more))
