"""The snapshot: all documents of one moment, as TinyDB itself writes them, with a checksum."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from zlib import crc32

import msgspec

from bot.consent.errors import Corrupt
from storage import files
from storage.tinydb.journal import Head, Title

#: 2 since addresses have keys: version 0.1 refuses it with a sentence.
SCHEMA = 2
#: What can be read, and brought to `SCHEMA` by a migration.
_READABLE = (1, SCHEMA)

#: The table that tells what the snapshot is. The checksum is over all that follows it.
ABOUT = "optin"
_BEGINNING = re.compile(
    rb'\{"optin":\{"1":\{"schema":(\d{1,9}),"checksum":"([0-9a-f]{8})"'
    rb'(?:,"store":"([0-9a-f]{32})","generation":(\d{1,18}),)?'
)
_AT_ONCE = 500
_SYNC_EVERY = 1 << 20


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot as read. `size` is in bytes; `identity` tells this file from a newer one."""

    title: Title
    schema: int
    #: Where the log ended.
    head: Head
    #: By contact, the offset of its newest line in the log.
    newest: dict[str, int]
    #: As JSON, by table and id.
    documents: dict[str, dict[str, bytes]]
    size: int
    identity: tuple[int, int]


class _About(msgspec.Struct, frozen=True):
    store: str
    generation: int
    log: Head
    newest: dict[str, int]


_tables = msgspec.json.Decoder(dict[str, dict[str, msgspec.Raw]])
_about = msgspec.json.Decoder(_About)


def read(path: Path) -> Snapshot:
    """Raises FileNotFoundError, or `Corrupt` for anything that we did not write."""
    with path.open("rb") as file:
        data = file.read()
        stat = os.fstat(file.fileno())
    begins = _begins(path, data)
    if b"%08x" % crc32(memoryview(data)[begins.end(2) :]) != begins[2]:
        raise Corrupt(f"{path} is damaged or was changed by another program. {files.ADVICE}")
    try:
        tables = _tables.decode(data)
        about = _about.decode(tables.pop(ABOUT)["1"])
    except (msgspec.MsgspecError, KeyError):
        raise Corrupt(f"{path} was not written by Optin. {files.ADVICE}") from None
    return Snapshot(
        title=Title(store=about.store, generation=about.generation),
        schema=int(begins[1]),
        head=about.log,
        newest=about.newest,
        documents={
            name: dict(zip(table, map(bytes, table.values()), strict=True))
            for name, table in tables.items()
        },
        size=len(data),
        identity=(stat.st_ino, stat.st_ctime_ns),
    )


def title(path: Path) -> Title:
    """Whose snapshot it is, without reading it. Raises as `read` does."""
    with path.open("rb") as file:
        begins = _begins(path, file.read(200))
    if begins[3] is None:
        raise Corrupt(f"{path} was not written by Optin. {files.ADVICE}")
    return Title(store=begins[3].decode(), generation=int(begins[4]))


def write(
    descriptor: int,
    title: Title,
    head: Head,
    newest: Mapping[str, int],
    documents: Mapping[str, Mapping[str, bytes]],
    *,
    schema: int = SCHEMA,
) -> int:
    """Into an empty file; synced little by little, so that nobody's commit waits behind one large
    sync. Returns its size."""
    about = _About(store=title.store, generation=title.generation, log=head, newest=dict(newest))
    beginning = b'{"%s":{"1":{"schema":%d,"checksum":"' % (ABOUT.encode(), schema)
    rest = b'",' + msgspec.json.encode(about)[1:]
    offset = len(beginning) + 8
    files.write(descriptor, beginning, 0)
    checksum = 0
    synced = 0
    for chunk in _chunks(rest, documents):
        files.write(descriptor, chunk, offset)
        checksum = crc32(chunk, checksum)
        offset += len(chunk)
        if offset - synced > _SYNC_EVERY:
            files.sync(descriptor)
            synced = offset
    files.write(descriptor, b"%08x" % checksum, len(beginning))
    os.fsync(descriptor)
    return offset


def _chunks(about: bytes, documents: Mapping[str, Mapping[str, bytes]]) -> Iterator[bytes]:
    """In pieces, so that other threads are never kept waiting."""
    yield about + b"}"
    for name, table in documents.items():
        yield b",\n%s:{" % msgspec.json.encode(name)
        ids = map(str.encode, table)
        lines = map(b'\n"%s":%s'.__mod__, zip(ids, table.values(), strict=True))
        between = b""
        while some := b",".join(islice(lines, _AT_ONCE)):
            yield between + some
            between = b","
        yield b"}"
    yield b"}\n"


def _begins(path: Path, data: bytes) -> re.Match[bytes]:
    begins = _BEGINNING.match(data)
    if begins is None:
        raise Corrupt(f"{path} is damaged or was not written by Optin. {files.ADVICE}")
    if int(begins[1]) not in _READABLE:
        raise Corrupt(
            f"{path} was written by another version of Optin (schema {int(begins[1])}; this one "
            f"reads {SCHEMA}). It was left untouched: use that version."
        )
    return begins
