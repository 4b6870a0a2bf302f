"""A way to PostgreSQL that counts how often a client waits for an answer."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

_SOCKET = ".s.PGSQL.5432"
#: The one message after which nobody waits.
_UNDONE = b"Q\0\0\0\rROLLBACK\0"


class RoundTrips:
    """Between a client and a server's socket. Connections are forwarded as they are."""

    def __init__(self, url: str) -> None:
        self._theirs = Path(parse_qs(urlsplit(url).query)["host"][0]) / _SOCKET
        self._folder = tempfile.TemporaryDirectory(prefix="optin-trips-", dir="/tmp")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(Path(self._folder.name) / _SOCKET))
        self._listener.listen(64)
        #: The same database by this way.
        self.url = urlunsplit(urlsplit(url)._replace(query=f"host={quote(self._folder.name)}"))
        self._lock = threading.Lock()
        self._sent = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def counted(self) -> Iterator[list[int]]:
        """How many there were in the block, once it has ended."""
        result: list[int] = []
        before = self._sent
        yield result
        result.append(self._sent - before)

    def close(self) -> None:
        """Takes no more connections; those there are live on."""
        self._listener.close()
        self._folder.cleanup()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._theirs))
            answered = threading.Event()
            answered.set()
            for source, sink, from_client in ((client, server, True), (server, client, False)):
                threading.Thread(
                    target=self._forward, args=(source, sink, from_client, answered), daemon=True
                ).start()

    def _forward(
        self,
        source: socket.socket,
        sink: socket.socket,
        from_client: bool,
        answered: threading.Event,
    ) -> None:
        try:
            while data := source.recv(1 << 20):
                if from_client and data != _UNDONE and answered.is_set():
                    answered.clear()
                    with self._lock:
                        self._sent += 1
                elif not from_client:
                    answered.set()
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    end.close()
