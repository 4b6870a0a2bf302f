"""A provider's API that answers as a test says: also wrongly, slowly, or not at all."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request."""

    method: str
    #: As it stood in the request line, percent-encoded.
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One answer. `content` is JSON, unless it is bytes already."""

    status: int = 200
    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        return (
            self.content if isinstance(self.content, bytes) else json.dumps(self.content).encode()
        )


#: Answers a request, or does what it likes with the connection and returns None.
Answering = Callable[[Asked, BaseHTTPRequestHandler], Told | None]


@dataclass(slots=True)
class Api:
    """What it was asked, and how it answers."""

    url: str
    answer: Answering
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    @property
    def lines(self) -> list[str]:
        return [f"{one.method} {one.path}" for one in self.asked]


@contextmanager
def answering(answer: Answering | Mapping[str, Told]) -> Iterator[Api]:
    """Listens on a port of 127.0.0.1 until the block ends. A mapping answers by "GET /path"; what
    is not in it is 404."""
    if isinstance(answer, Mapping):
        table = answer
        api = Api(
            url="",
            answer=lambda asked, _: table.get(f"{asked.method} {asked.path}", Told(status=404)),
        )
    else:
        api = Api(url="", answer=answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            api.connections += 1

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            one = Asked(
                method=self.command,
                path=path,
                query=dict(parse_qsl(query, keep_blank_values=True)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(int(self.headers.get("Content-Length", 0))),
            )
            api.asked.append(one)
            told = api.answer(one, self)
            if told is None:
                self.close_connection = True
                return
            body = b"" if told.status == 204 else told.body
            head = [f"HTTP/1.1 {told.status} X", f"Content-Length: {len(body)}"]
            head += [f"{name}: {value}" for name, value in told.headers.items()]
            self.wfile.write("\r\n".join([*head, "", ""]).encode() + body)

        do_POST = do_PUT = do_DELETE = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass

    server = Quiet(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def dripping(asked: Asked, handler: BaseHTTPRequestHandler) -> None:
    """An answer of one byte now and then, without an end."""
    handler.wfile.write(b"HTTP/1.1 200 X\r\nContent-Length: 1000000\r\n\r\n")
    try:
        while True:
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.05)
    except OSError:
        return
