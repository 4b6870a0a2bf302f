"""The gate in front of Bolt in HTTP mode: nothing that Slack did not sign gets past it.

Bolt parses a body before it verifies it, writes unsigned bodies to the log, and takes the same
signed request again and again. Here the order is size (`handlers.web` caps it), signature, replay,
shape; and a request that fails leaves no trace but a status and a reason.
https://docs.slack.dev/authentication/verifying-requests-from-slack/
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any

from handlers.slack.payload import read_payload

#: Seconds by which a request's time may differ from ours, either way.
WINDOW = 300
#: A signature made at the far end of the window holds until the near end has passed.
_REMEMBERED_FOR = 2 * WINDOW

_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)
_SSL_CHECK = re.compile(rb"(?:.*&)?ssl_check=1(?:&.*)?", re.DOTALL)
_LONGEST_SSL_CHECK = 1024


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

    def judge(self, headers: Mapping[str, str], body: bytes, at: datetime) -> SignatureVerdict:
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
        return SignatureVerdict(status=200, payload=payload, signature=digest)

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
