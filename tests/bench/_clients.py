"""Clients of a server, each with a connection that is kept busy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from itertools import cycle, islice


async def measure(ports: Sequence[int], at_once: int, made: Sequence[bytes]) -> list[float]:
    """Seconds of each request, from so many connections, each to the next port. Raises
    `AssertionError` where one is not answered with 200."""
    waiting = list(reversed(made))
    streams = [
        await asyncio.open_connection("127.0.0.1", port) for port in islice(cycle(ports), at_once)
    ]
    taken: list[float] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while waiting:
            request = waiting.pop()
            begun = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
            taken.append(time.perf_counter() - begun)
            assert head.startswith(b"HTTP/1.1 200"), head

    await asyncio.gather(*(talk(*stream) for stream in streams))
    for _, writer in streams:
        writer.close()
        await writer.wait_closed()
    return taken
