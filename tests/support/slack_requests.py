"""Requests to the bot's own web server that no workspace of Slack's would send."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from copy import deepcopy
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from sandbox.first_workspace import SIGNING_SECRET
from tests.support.slack_fixtures import Slack

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def post(
    slack: Slack,
    payload: dict[str, Any],
    *,
    secret: str = SIGNING_SECRET,
    at: float | None = None,
    signature: str | None = None,
) -> tuple[int, str]:
    """Status and body of what the bot answers to a request that is signed as Slack signs it."""
    return _posted(slack, _form(payload), dict(_FORM), secret=secret, at=at, signature=signature)


def signed_form(payload: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of such a request."""
    body = _form(payload)
    return body, _FORM | _signature(body, SIGNING_SECRET, None)


def _form(payload: dict[str, Any]) -> bytes:
    fields = payload if "command" in payload else {"payload": json.dumps(payload)}
    return urlencode(fields, errors="surrogatepass").encode()


def post_event(slack: Slack, payload: dict[str, Any], *, retry: int = 0) -> tuple[int, str]:
    """The same of an event; with `retry` as Slack repeats it."""
    headers = {"Content-Type": "application/json"}
    if retry:
        headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "http_timeout"}
    # A space more, since the same bytes within one second have the same signature.
    body = (json.dumps(payload) + " " * retry).encode()
    return _posted(slack, body, headers, secret=SIGNING_SECRET, at=None, signature=None)


def _posted(
    slack: Slack,
    body: bytes,
    headers: dict[str, str],
    *,
    secret: str,
    at: float | None,
    signature: str | None,
) -> tuple[int, str]:
    headers |= _signature(body, secret, at)
    if signature is not None:
        headers["X-Slack-Signature"] = signature
    address = urlsplit(slack.url)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=20)
    connection.request("POST", "/slack/events", body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def _signature(body: bytes, secret: str, at: float | None) -> dict[str, str]:
    stamp = str(int(at or time.time()))
    made = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256)
    return {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={made.hexdigest()}",
    }


def last_sent(slack: Slack, method: str) -> dict[str, Any]:
    """The newest delivery of this name, as Slack sent it."""
    payload: dict[str, Any] = deepcopy(slack.workspace.journal(method)[-1]["args"])
    return payload


def command(slack: Slack) -> dict[str, Any]:
    if not slack.workspace.journal("/optin"):
        slack.person("Ana").command("/optin help")
    return last_sent(slack, "/optin")
