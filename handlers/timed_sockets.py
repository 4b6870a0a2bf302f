"""Sockets whose every step ends by one deadline: an endpoint that sends a byte now and then holds
no call open."""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable
from typing import Any, cast


class Deadline:
    """The end of a call."""

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._end = monotonic() + seconds

    def at_most(self, seconds: float) -> Deadline:
        """A deadline that is no later than this one."""
        return Deadline(min(seconds, self._left()), self._monotonic)

    def is_over(self) -> bool:
        return self._left() <= 0

    def seconds(self) -> float:
        """What is left. Raises TimeoutError if nothing is."""
        left = self._left()
        if left <= 0:
            raise TimeoutError
        return left

    def _left(self) -> float:
        return self._end - self._monotonic()


class _PlainSocket(socket.socket):
    """Without TLS."""

    deadline: Deadline

    def recv_into(self, *args: Any, **options: Any) -> int:
        """Reads within what is left."""
        self.settimeout(self.deadline.seconds())
        return super().recv_into(*args, **options)

    def sendall(self, *args: Any) -> None:
        """Sends within what is left."""
        self.settimeout(self.deadline.seconds())
        super().sendall(*args)


class _TLSSocket(ssl.SSLSocket):
    """With TLS."""

    deadline: Deadline

    def recv_into(self, *args: Any, **options: Any) -> int:
        """Reads within what is left."""
        self.settimeout(self.deadline.seconds())
        return super().recv_into(*args, **options)

    def send(self, *args: Any) -> int:
        """Sends within what is left; `sendall` calls it."""
        self.settimeout(self.deadline.seconds())
        return super().send(*args)


TimedSocket = _PlainSocket | _TLSSocket


def plain_socket(family: int, where: tuple[Any, ...], deadline: Deadline) -> _PlainSocket:
    """Connected to this address. Raises OSError."""
    made = _PlainSocket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.settimeout(deadline.seconds())
        made.connect(where)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        made.close()
        raise
    made.deadline = deadline
    return made


def can_read(connected: socket.socket) -> bool:
    """Whether the other side sent something, or closed. Waits for nothing."""
    # `select.select` raises ValueError for the 1,025th open file of a process and those after it.
    poll = select.poll()
    poll.register(connected, select.POLLIN)
    return bool(poll.poll(0))


def timed_tls(context: ssl.SSLContext) -> ssl.SSLContext:
    """The context, which makes sockets with a deadline from now on."""
    context.sslsocket_class = _TLSSocket
    return context


def tls_socket(
    raw: _PlainSocket, context: ssl.SSLContext, name: str, deadline: Deadline
) -> _TLSSocket:
    """The same connection with TLS of a `timed_tls`, for this host. Raises OSError."""
    try:
        raw.settimeout(deadline.seconds())
        made = context.wrap_socket(raw, server_hostname=name)
    except BaseException:
        raw.close()
        raise
    return cast(_TLSSocket, made)
