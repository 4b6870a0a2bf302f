"""A connection to one host over HTTP/1.1, which may be kept for the next call.

`http.client.HTTPConnection` looks the name up itself, and sends head and body one by one.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterable
from typing import Any

from handlers.timed_sockets import (
    Deadline,
    TimedSocket,
    can_read,
    plain_socket,
    tls_socket,
)

#: What a call raises.
CALL_FAILED = (OSError, http.client.HTTPException)


class TimedConnection:
    """One call at a time. TLS has the name of the host, whichever address it is connected to."""

    def __init__(self, name: str, tls: ssl.SSLContext | None) -> None:
        """Without TLS where there is no context, which is a `timed_tls`."""
        #: By a monotonic clock, in seconds.
        self.kept_until = 0.0
        self._name, self._tls = name, tls
        self._socket: TimedSocket | None = None

    def open(self, addresses: Iterable[tuple[int, tuple[Any, ...]]], deadline: Deadline) -> None:
        """Connects to the first that answers, of families and addresses. Raises OSError, and
        whatever `addresses` raises."""
        failure: OSError | None = None
        for family, where in addresses:
            try:
                raw = plain_socket(family, where, deadline)
            except OSError as error:
                failure = error
                continue
            self._socket = raw
            if self._tls is not None:
                self._socket = tls_socket(raw, self._tls, self._name, deadline)
            return
        raise failure or OSError("no address")

    def send(self, method: str, request: bytes, deadline: Deadline) -> http.client.HTTPResponse:
        """Sends a whole request, and reads the head of its answer. Raises `CALL_FAILED`."""
        assert self._socket is not None
        self._socket.deadline = deadline
        self._socket.sendall(request)
        answer = http.client.HTTPResponse(self._socket, method=method)
        try:
            answer.begin()
        except BaseException:
            answer.close()
            raise
        return answer

    def is_fresh(self, at: float) -> bool:
        """Whether it may be used again: what can be read now is its end, or no answer of ours."""
        if at > self.kept_until or self._socket is None:
            return False
        return not can_read(self._socket)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
