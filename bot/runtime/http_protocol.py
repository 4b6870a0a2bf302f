"""HTTP for a server that anybody can reach: uvicorn lets connections sit, and grow.

Each head of a request has to be whole in time, the first and every later one. Of one request, only
so much is kept. When there are too many connections, the one that has waited longest without a
request gives way, so that idle ones never keep a provider's webhook out.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import sys
import time
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bot.runtime.source_limit import SourceLimit, source_of

logger = logging.getLogger(__name__)

#: Bytes of a head that come after the first block of them.
_LARGEST_HEAD = 64 * 1024
#: Bytes around the body: what chunks say of themselves, and trailers. As many again as the body has
#: are taken, for chunks of a few bytes.
_LARGEST_FRAMING = 64 * 1024
#: Connections, however many files may be open. Each has some buffers.
_MOST_CONNECTIONS = 1024
_FEWEST_CONNECTIONS = 16
#: Seconds between two lines in the log about one problem.
_SAY_AGAIN = 60.0
#: Bytes of a refused body that are passed over.
_MOST_PASSED_OVER = 1024 * 1024
_TOO_MANY = (
    b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\n"
    b"connection: %b\r\n\r\n"
)
_NO_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Connections:
    """The open connections of a server, those without a request under way first in line to go."""

    def __init__(self, most: int | None = None) -> None:
        self.most = most or _most_connections()
        #: In the order in which they began to wait for a head.
        self.waiting: dict[BoundedProtocol, None] = {}
        #: In the order in which they began to send a body.
        self.sending: dict[BoundedProtocol, None] = {}
        #: Those of sources over the limit that wait for their answer.
        self.resting: dict[BoundedProtocol, None] = {}
        self.open = 0
        self._said: dict[str, float] = {}

    def make_room(self) -> None:
        """Closes one connection, if there are too many."""
        if self.open > self.most:
            self.warn("Optin has %s connections. It closes those that have no request.", self.most)
            self.close_oldest()

    def close_oldest(self) -> None:
        """Of a source over the limit first, then the one that has waited longest."""
        oldest = next(iter(self.resting or self.waiting or self.sending), None)
        if oldest is not None:
            oldest.leave_line()
            oldest.transport.abort()

    def loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """The loop's handler of errors. asyncio reports a thousand times a second that it can't
        accept a connection."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in _NO_DESCRIPTORS:
            self.warn("No connection could be accepted: %s.", error.strerror)
            self.close_oldest()
        else:
            loop.default_exception_handler(context)

    def warn(self, message: str, *values: object) -> None:
        """Logs a problem, but not again within a minute."""
        now = time.monotonic()
        if now - self._said.get(message, float("-inf")) >= _SAY_AGAIN:
            self._said[message] = now
            logger.warning(message, *values)


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    #: Set by `bounded_protocol`.
    all_connections: Connections
    head_within: float
    limit: SourceLimit

    #: Bytes of the head that is being read; none while it is whole.
    head: int | None = None
    _message = 0
    _body, _framing = 0, 0
    _deadline: asyncio.TimerHandle | None = None
    #: The rest of this request is passed over: it was answered from its head.
    _refusing = False
    _rest: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        self.all_connections.open += 1
        self._await_head()
        self.all_connections.make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self.all_connections.open -= 1
        self.leave_line()
        if self._rest is not None:
            self._rest.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        message, body = self._message, self._body
        super().data_received(data)
        if message != self._message:
            return
        if self.head is not None:
            self.head += len(data)
        else:
            self._framing += len(data) - (self._body - body)
        if (self.head or 0) > _LARGEST_HEAD or self._framing > _LARGEST_FRAMING + self._body:
            self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """The parser says that a request is wrong, too, where we had no memory for it: then the
        sender has to come again."""
        error = sys.exc_info()[1]
        if error is None or not isinstance(error.__context__, MemoryError):
            super().send_400_response(msg)
            return
        self.transport.write(b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n")
        self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.head = self._body = self._framing = 0
        self._message += 1
        if self._deadline is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        self.head = None
        self.leave_line()
        if self._rest is not None or self.limit.is_over(source_of(self.client, self.headers)):
            self._refuse()
            return
        self.all_connections.sending[self] = None
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        if not self._refusing:
            super().on_body(body)
        elif self._body > _MOST_PASSED_OVER:
            self.transport.abort()

    def on_message_complete(self) -> None:
        if self._refusing:
            self._refusing = False
            return
        self.all_connections.sending.pop(self, None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not (self.pipeline or self._deadline or self.transport.is_closing()):
            self._await_head()

    def _refuse(self) -> None:
        """Answers from the head alone, after a rest. The rest of the request and the next head have
        the time of one head."""
        self._refusing = True
        busy = self.cycle is not None and not self.cycle.response_complete
        if busy or self._rest is not None:  # it did not wait for the answer
            self.transport.abort()
            return
        self._await_head()
        self.all_connections.resting[self] = None
        self.flow.pause_reading()
        stays = self.parser.should_keep_alive()
        self._rest = self.loop.call_later(self.limit.rest, self._answer_refused, stays)

    def _answer_refused(self, stays: bool) -> None:
        self._rest = None
        self.all_connections.resting.pop(self, None)
        self.transport.write(_TOO_MANY % (b"keep-alive" if stays else b"close"))
        self.flow.resume_reading()
        if not stays:
            self.transport.close()

    def leave_line(self) -> None:
        """It waits no longer."""
        self.all_connections.waiting.pop(self, None)
        self.all_connections.sending.pop(self, None)
        self.all_connections.resting.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _await_head(self) -> None:
        self.all_connections.waiting[self] = None
        self._deadline = self.loop.call_later(self.head_within, self._too_late)

    def _too_late(self) -> None:
        self._deadline = None
        self.transport.abort()


def bounded_protocol(
    connections: Connections, head_within: float, limit: SourceLimit
) -> type[HttpToolsProtocol]:
    """For uvicorn, which makes one for each connection."""

    class Bounded(BoundedProtocol):
        pass

    Bounded.all_connections = connections
    Bounded.head_within = head_within
    Bounded.limit = limit
    return Bounded


def _most_connections() -> int:
    """Half of the files that may be open: the others are for the storage and for Slack."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(_FEWEST_CONNECTIONS, min(_MOST_CONNECTIONS, files // 2))
