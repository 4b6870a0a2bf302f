"""Deliveries to the request URL, signed as Slack signs them.

https://docs.slack.dev/authentication/verifying-requests-from-slack/
"""

import asyncio
import hashlib
import hmac
import json
import time
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp

from sandbox.delivery.answer import FAILED, TIMEOUT, AppResponse

_FORM: Final = "application/x-www-form-urlencoded"
_AGENT: Final = "Slackbot 1.0 (+https://api.slack.com/robots)"


class HttpDelivery:
    """Posts to one address; a connection is kept open between requests, as Slack does."""

    def __init__(self, url: str, signing_secret: str) -> None:
        self.url = url
        self.signing_secret = signing_secret
        self._session: aiohttp.ClientSession | None = None

    async def send(
        self, kind: str, payload: dict[str, Any], timeout: float, retry: tuple[int, str] | None
    ) -> AppResponse:
        body, content_type = _encoded(kind, payload)
        # The real time, whatever the workspace's clock says: the app checks it against its own.
        headers = signed(body, self.signing_secret, int(time.time()))
        headers |= {"Content-Type": content_type, "User-Agent": _AGENT, "Accept": "*/*"}
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry[0]), "X-Slack-Retry-Reason": retry[1]}
        began = time.perf_counter()
        try:
            async with asyncio.timeout(timeout):
                return await self._post(body, headers, began)
        except TimeoutError:
            return AppResponse(ms=_since(began), error=TIMEOUT, reason="http_timeout")
        except aiohttp.ClientError:
            return AppResponse(ms=_since(began), error=FAILED, reason="connection_failed")

    async def _post(self, body: bytes, headers: dict[str, str], began: float) -> AppResponse:
        if not self.url:
            return AppResponse(ms=0.0, error=FAILED, reason="connection_failed")
        self._session = self._session or aiohttp.ClientSession()
        async with self._session.post(
            self.url, data=body, headers=headers, allow_redirects=False
        ) as response:
            text = await response.text()
            final = response.headers.get("X-Slack-No-Retry") == "1"
            if response.status != 200:
                return AppResponse(ms=_since(began), error=FAILED, reason="http_error", final=final)
            return AppResponse(ms=_since(began), body=_body(text), final=final)

    async def close(self) -> None:
        if self._session:
            await self._session.close()


def signed(body: bytes, secret: str, stamp: int) -> dict[str, str]:
    base = f"v0:{stamp}:".encode() + body
    digest = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(stamp), "X-Slack-Signature": f"v0={digest}"}


def _encoded(kind: str, payload: dict[str, Any]) -> tuple[bytes, str]:
    if kind == "slash_commands":
        return urlencode(payload).encode(), _FORM
    if kind == "interactive":
        return urlencode({"payload": json.dumps(payload)}).encode(), _FORM
    return json.dumps(payload).encode(), "application/json"


def _body(text: str) -> Any:
    """JSON where it is JSON; a plain text is a message of that text."""
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except ValueError:
        return {"text": text}


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
