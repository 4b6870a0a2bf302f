"""One HTTP call to an endpoint: signed, within its time, to a judged address, without redirects.

Nothing is taken from the environment, such as a proxy, and nothing out of the answer is kept but
its status and `Retry-After`.
"""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from urllib.parse import SplitResult, urlsplit

from bot.consent.use_cases.webhooks.retry_schedule import AttemptResult
from handlers.outbound.address_guard import AddressGuard, ForbiddenAddress, UnknownHost
from handlers.outbound.call_results import failure_of, result_of, timed_out
from handlers.timed_connection import CALL_FAILED, TimedConnection
from handlers.timed_sockets import Deadline, timed_tls

#: Seconds to connect, and for the whole call.
CONNECT_WITHIN = 5.0
ANSWER_WITHIN = 15.0
#: Bytes of an answer that are read, so that the connection can be used again.
_READ = 4_096
#: Connections kept for an endpoint, and for how many seconds.
_KEPT, _KEPT_FOR = 2, 30.0
_AGENT = "Optin-Webhooks/1"


class DeliveryClient:
    """Keeps connections alive between calls. Safe across threads."""

    def __init__(
        self,
        guard: AddressGuard,
        *,
        tls: ssl.SSLContext | None = None,
        connect_within: float = CONNECT_WITHIN,
        answer_within: float = ANSWER_WITHIN,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._guard = guard
        self._given_tls = tls
        self._connect_within = connect_within
        self._answer_within = answer_within
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._idle: dict[str, list[_EndpointConnection]] = defaultdict(list)
        self._closed = False

    def post(
        self, url: str, headers: Mapping[str, str], body: bytes, *, now: datetime
    ) -> AttemptResult:
        """What came of the call. `now` is for a `Retry-After` that is a date."""
        deadline = Deadline(self._answer_within, self._monotonic)
        connection = self._taken(url)
        if connection is not None:
            try:
                return self._exchange(connection, headers, body, deadline, now)
            except CALL_FAILED:
                # The endpoint may have closed it meanwhile. With a new connection, the same event
                # may arrive twice: it has the same id.
                connection.close()
                if deadline.is_over():
                    return timed_out(self._answer_within)
        parts = urlsplit(url)
        tls = self._tls if parts.scheme == "https" else None
        connection = _EndpointConnection(url, parts, tls)
        try:
            judged = self._guard.judged(connection.name, connection.port, plain=tls is None)
            connection.open(judged, deadline.at_most(self._connect_within))
            return self._exchange(connection, headers, body, deadline, now)
        except (*CALL_FAILED, ForbiddenAddress, UnknownHost) as error:
            connection.close()
            return failure_of(error, self._answer_within)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        # Reading the certificates takes longer than starting without a webhook should.
        return timed_tls(self._given_tls or ssl.create_default_context())

    def close(self) -> None:
        """Keeps no connection from now on."""
        with self._lock:
            self._closed = True
            idle = [connection for kept in self._idle.values() for connection in kept]
            self._idle.clear()
        for connection in idle:
            connection.close()

    def _exchange(
        self,
        connection: _EndpointConnection,
        headers: Mapping[str, str],
        body: bytes,
        deadline: Deadline,
        now: datetime,
    ) -> AttemptResult:
        """Raises OSError and HTTPException."""
        answer = connection.post(headers, body, deadline)
        result = result_of(answer.status, answer.headers.get("Retry-After"), now)
        try:
            answer.read(_READ)
            whole = answer.isclosed()
        except CALL_FAILED:
            whole = False  # The status counts, whatever becomes of the rest.
        if whole and not answer.will_close:
            self._keep(connection)
        else:
            answer.close()
            connection.close()
        return result

    def _taken(self, url: str) -> _EndpointConnection | None:
        """A connection to use again, unless the endpoint closed it or said something on it."""
        while True:
            with self._lock:
                kept = self._idle[url]
                connection = kept.pop() if kept else None
            if connection is None:
                return None
            if connection.is_fresh(self._monotonic()):
                return connection
            connection.close()

    def _keep(self, connection: _EndpointConnection) -> None:
        connection.kept_until = self._monotonic() + _KEPT_FOR
        with self._lock:
            idle = self._idle[connection.url]
            if len(idle) < _KEPT and not self._closed:
                idle.append(connection)
                return
        connection.close()


class _EndpointConnection(TimedConnection):
    """To one endpoint. The Host header has the name, whichever address was judged."""

    def __init__(self, url: str, parts: SplitResult, tls: ssl.SSLContext | None) -> None:
        """Without TLS where there is no context."""
        super().__init__(parts.hostname or "", tls)
        self.url = url
        self.name = parts.hostname or ""
        self.port = parts.port or (443 if tls else 80)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._head = (
            f"POST {target} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Content-Type: application/json\r\nUser-Agent: {_AGENT}\r\n"
        )

    def post(
        self, headers: Mapping[str, str], body: bytes, deadline: Deadline
    ) -> http.client.HTTPResponse:
        """Posts, and reads the head of the answer. Raises `CALL_FAILED`."""
        more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"{self._head}{more}Content-Length: {len(body)}\r\n\r\n"
        return self.send("POST", head.encode("ascii") + body, deadline)
