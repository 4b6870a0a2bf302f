"""HTTP mode: the route that Slack posts to, and the signature check in front of Bolt.

Bolt parses a body before it verifies it, writes unsigned bodies to the log, and takes the same
signed request again and again. Here the order is size (`handlers.web` caps it), signature, replay,
shape; and a request that fails leaves no trace but a status and a reason.
https://docs.slack.dev/authentication/verifying-requests-from-slack/
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from slack_bolt import App, BoltRequest, BoltResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.consent.use_cases.wrapped_store import RequestToken
from handlers.slack.hand_over import HANDED_OVER, REQUEST, Begin
from handlers.slack.payload import read_payload
from handlers.web import BODY_WITHIN, GENUINE, read_body

logger = logging.getLogger(__name__)

#: Seconds by which a request's time may differ from ours, either way.
WINDOW = 300
#: A signature made at the far end of the window holds until the near end has passed.
_REMEMBERED_FOR = 2 * WINDOW

_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)
_SSL_CHECK = re.compile(rb"(?:.*&)?ssl_check=1(?:&.*)?", re.DOTALL)
_LONGEST_SSL_CHECK = 1024

#: Headers are not signed. Only these reach Bolt.
_FOR_BOLT = ("x-slack-retry-num", "x-slack-retry-reason")


def slack_route(
    bolt: App,
    gate: SignatureCheck,
    *,
    pool: Executor,
    now: Callable[[], datetime],
    body_within: float = BODY_WITHIN,
) -> Route:
    """`POST /slack/events`: commands, clicks, forms, typeahead and events, all of it.

    Bolt runs in a thread of the pool, so its size is how many listeners run at a time.
    """

    async def slack_events(request: Request) -> Response:
        body = await read_body(request, body_within)
        verdict = gate.judge(request.headers, body, now())
        if verdict.payload is None:
            logger.info(
                "Answered a request to Slack's door: %d, %s", verdict.status, verdict.reason
            )
            return Response(status_code=verdict.status)
        request.scope[GENUINE] = True
        headers = {name: value for name in _FOR_BOLT if (value := request.headers.get(name))}
        answer, work = await asyncio.get_running_loop().run_in_executor(
            pool, _dispatch, bolt, verdict, headers
        )
        if answer.status >= 500:
            gate.forget(verdict)
        return _Acknowledgement(answer, work)

    return Route("/slack/events", slack_events, methods=["POST"])


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureVerdict:
    """What becomes of a request."""

    #: What to answer at once; for 200 with a payload, what Bolt answers.
    status: int
    #: For the log: never holds a word of the request.
    reason: str = ""
    #: What Bolt gets. None: it gets nothing.
    payload: Mapping[str, Any] | None = field(default=None, repr=False)
    #: For `SignatureCheck.forget`.
    signature: bytes = field(default=b"", repr=False)
    #: For the storage, which other replicas share.
    token: RequestToken | None = None


class SignatureCheck:
    """Judges requests by one signing secret, or by several while one replaces another.

    Safe across threads.
    """

    def __init__(self, secrets: Sequence[str], *, remembered: int = 20_000) -> None:
        """Remembers so many requests against replay, by default 33 of Slack's in every second
        that one could be replayed in; the oldest is forgotten for one more.

        Raises ValueError without a secret: that gate would let nobody in, or everybody.
        """
        if not secrets or not all(secrets):
            raise ValueError("a gate needs a signing secret")
        self._secrets = [secret.encode() for secret in secrets]
        self._seen = _Memory(remembered)

    def judge(  # noqa: PLR0911 - one return for each reason to refuse
        self, headers: Mapping[str, str], body: bytes, at: datetime
    ) -> SignatureVerdict:
        """The verdict on a request that came at this time. `headers` are asked for in lower
        case, and have to answer regardless of case."""
        if len(body) <= _LONGEST_SSL_CHECK and _SSL_CHECK.fullmatch(body):
            return SignatureVerdict(status=200, reason="certificate check")
        timestamp = headers.get("x-slack-request-timestamp", "")
        signature = headers.get("x-slack-signature", "")
        if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
            return SignatureVerdict(status=401, reason="no signature")
        if abs(at.timestamp() - int(timestamp)) > WINDOW:
            return SignatureVerdict(status=401, reason="a time outside the window")
        digest = bytes.fromhex(signature.removeprefix("v0="))
        if not self._signed(timestamp, body, digest):
            return SignatureVerdict(status=401, reason="a signature that does not hold")
        if not self._seen.add(digest, at.timestamp()):
            return SignatureVerdict(status=401, reason="a request that was here before")
        if headers.get("content-encoding", "identity") != "identity":
            return SignatureVerdict(status=400, reason="an encoded body")
        payload = read_payload(headers.get("content-type", ""), body)
        if payload is None:
            return SignatureVerdict(status=400, reason="a body that is not of Slack's shape")
        until = at + timedelta(seconds=_REMEMBERED_FOR)
        token = RequestToken(key=digest.hex(), until=until)
        return SignatureVerdict(status=200, payload=payload, signature=digest, token=token)

    def forget(self, verdict: SignatureVerdict) -> None:
        """Lets the same request in again, since it failed here and Slack may repeat it within
        the second, with the same signature."""
        self._seen.remove(verdict.signature)

    def _signed(self, timestamp: str, body: bytes, digest: bytes) -> bool:
        signed = b"v0:" + timestamp.encode() + b":" + body
        # Every secret is tried, so that the time taken does not tell which one held.
        held = [
            hmac.compare_digest(hmac.digest(secret, signed, hashlib.sha256), digest)
            for secret in self._secrets
        ]
        return any(held)


class _Acknowledgement(Response):
    """Bolt's answer, and then what was handed over, whether Slack heard the answer or not."""

    def __init__(self, answer: BoltResponse, work: list[Begin]) -> None:
        super().__init__(
            answer.body,
            status_code=answer.status,
            headers=answer.first_headers_without_set_cookie(),
        )
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            for begin in self._work:
                begin()


def _dispatch(
    bolt: App, verdict: SignatureVerdict, headers: Mapping[str, str]
) -> tuple[BoltResponse, list[Begin]]:
    # As from Socket Mode, which brings what is verified and read: Bolt would do both again, with
    # one secret only, and with faults of its own (see `handlers.slack.payload`).
    assert verdict.payload is not None
    request = BoltRequest(body=dict(verdict.payload), headers=dict(headers), mode="socket_mode")
    work: list[Begin] = []
    HANDED_OVER.work = work
    running = REQUEST.set(verdict.token)
    try:
        return bolt.dispatch(request), work
    except BaseException:
        for begin in work:
            begin()
        raise
    finally:
        HANDED_OVER.work = None
        REQUEST.reset(running)


class _Memory:
    """The signatures of the last ten minutes: bounded, and the oldest first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._until: OrderedDict[bytes, float] = OrderedDict()
        self._lock = Lock()

    def add(self, digest: bytes, at: float) -> bool:
        """False where it is here already. `at` is in seconds since 1970."""
        with self._lock:
            while self._until and next(iter(self._until.values())) <= at:
                self._until.popitem(last=False)
            if digest in self._until:
                return False
            if len(self._until) >= self._most:
                self._until.popitem(last=False)
            self._until[digest] = at + _REMEMBERED_FOR
            return True

    def remove(self, digest: bytes) -> None:
        with self._lock:
            self._until.pop(digest, None)
