"""Connections to one provider's host, kept alive between calls."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from handlers.timed_connection import CALL_FAILED, TimedConnection
from handlers.timed_sockets import Deadline, timed_tls

#: Seconds to connect.
CONNECT_WITHIN = 5.0
#: Connections kept, and for how many seconds.
_KEPT, _KEPT_FOR = 2, 30.0
_CHUNK = 64 * 1024


class AnswerTooLarge(Exception):
    """The answer is larger than what may be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderCall:
    """One call, as it goes over the wire."""

    method: str
    host: str
    #: Percent-encoded, without the query.
    path: str
    query: str
    body: bytes = field(default=b"", repr=False)


class KeptConnections:
    """Safe across threads."""

    def __init__(self, api_url: str) -> None:
        parts = urlsplit(api_url)
        self._name, self._secure = parts.hostname or "", parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        self._lock = threading.Lock()
        self._idle: list[TimedConnection] = []
        # Nobody has to close it.
        weakref.finalize(self, _close_all, self._idle)

    def exchange(
        self, call: ProviderCall, headers: Mapping[str, str], deadline: Deadline, largest: int
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Status, headers and the whole body, of so many bytes at most. A call that fails on a kept
        connection is made once more on a new one. Raises `CALL_FAILED` and `AnswerTooLarge`."""
        kept = self._taken()
        if kept is not None:
            try:
                return self._over(kept, call, headers, deadline, largest)
            except CALL_FAILED:
                # The provider may have closed it meanwhile.
                if deadline.is_over():
                    raise TimeoutError from None
        connection = TimedConnection(self._name, self._tls if self._secure else None)
        try:
            connection.open(self._addresses(), deadline.at_most(CONNECT_WITHIN))
        except OSError:
            connection.close()
            raise
        return self._over(connection, call, headers, deadline, largest)

    def _over(
        self,
        connection: TimedConnection,
        call: ProviderCall,
        headers: Mapping[str, str],
        deadline: Deadline,
        largest: int,
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Closes the connection unless it can be used again."""
        whole = False
        try:
            answer = connection.send(call.method, _request(call, headers), deadline)
            parts: list[bytes] = []
            size = 0
            while part := answer.read(_CHUNK):
                size += len(part)
                if size > largest:
                    raise AnswerTooLarge
                parts.append(part)
            if answer.length:
                raise http.client.IncompleteRead(b"")
            whole = not answer.will_close
            return answer.status, answer.headers, b"".join(parts)
        finally:
            if whole:
                self._keep(connection)
            else:
                connection.close()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        # Reading the certificates takes longer than starting without a call should.
        return timed_tls(ssl.create_default_context())

    def _addresses(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        found = socket.getaddrinfo(self._name, self._port, type=socket.SOCK_STREAM)
        return ((family, where) for family, _, _, _, where in found)

    def _taken(self) -> TimedConnection | None:
        """A connection to use again, unless the provider closed it."""
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None or connection.is_fresh(time.monotonic()):
                return connection
            connection.close()

    def _keep(self, connection: TimedConnection) -> None:
        connection.kept_until = time.monotonic() + _KEPT_FOR
        with self._lock:
            if len(self._idle) < _KEPT:
                self._idle.append(connection)
                return
        connection.close()


def _request(call: ProviderCall, headers: Mapping[str, str]) -> bytes:
    target = f"{call.path}?{call.query}" if call.query else call.path
    lines = [f"{call.method} {target} HTTP/1.1", f"Host: {call.host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if call.body or call.method != "GET":
        lines.append(f"Content-Length: {len(call.body)}")
    return "\r\n".join([*lines, "", ""]).encode("ascii") + call.body


def _close_all(connections: list[TimedConnection]) -> None:
    for connection in connections:
        connection.close()
