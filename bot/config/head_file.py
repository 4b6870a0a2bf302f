"""The head file: the end of each storage's log, remembered beside the settings.

It does not lie beside the storage, since it must not go back with it. A record is one line of 256
bytes for each storage. It is written after each commit that added entries, without fsync: after a
power cut it may remember less than the storage has, never more.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit
from zlib import crc32

from bot.consent.storage_behind import RememberedHead

logger = logging.getLogger(__name__)

#: Its name in the folder of the settings.
NAME = "optin.heads"
#: Bytes of a record, with the end of its line.
_RECORD = 256
#: Records that are read at most: a folder has few storages.
_MOST = 1_000


def storage_key(url: str, folder: Path) -> str:
    """Tells one storage from another: the SHA-256 of its address without user and password, 16
    digits of it. A file below `folder` has its path from there, so that both can be moved."""
    parts = urlsplit(url)
    if parts.scheme in ("tinydb", "sqlite"):
        path = Path(os.path.normpath(Path(unquote(parts.path)[1:]).absolute()))
        home = folder.absolute()
        address = str(path.relative_to(home) if path.is_relative_to(home) else path)
    else:
        _, _, host = parts.netloc.rpartition("@")
        address = f"{host.lower()}{parts.path}?{parts.query}"
    return hashlib.sha256(f"{parts.scheme}:{address}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Open:
    """The open file, and where this storage's record is in it."""

    descriptor: int
    inode: int
    slot: int


class HeadFile:
    """One storage's record. Methods raise OSError where the file can't be used; the caller goes on
    without it."""

    def __init__(self, path: Path, storage: str) -> None:
        """`storage` as `storage_key` gives it."""
        self.path = path
        self._storage = storage
        self._open: _Open | None = None

    def read(self) -> RememberedHead | None:
        """What is remembered of the storage. None where there is no file, or no record of it."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return None
        for line in _lines(data):
            if (head := self._parsed(line)) is not None:
                return head
        return None

    def remember(self, head: RememberedHead) -> bool:
        """Writes a head that is larger than the present one. False where another process is
        writing into the file: try again later."""
        return self._write(head, least=head.size)

    def replace(self, head: RememberedHead) -> bool:
        """Writes this head, whatever is remembered. False as `remember`."""
        return self._write(head, least=None)

    def close(self) -> None:
        if self._open is not None:
            os.close(self._open.descriptor)
            self._open = None

    def _write(self, head: RememberedHead, *, least: int | None) -> bool:
        opened = self._opened()
        with _locked(opened.descriptor) as mine:
            if not mine:
                return False
            slot = opened.slot
            if slot < 0:
                slot = self._find(opened.descriptor)
                self._open = _Open(opened.descriptor, opened.inode, slot)
            known = self._parsed(os.pread(opened.descriptor, _RECORD, slot))
            if known is None or least is None or known.size < least:
                os.pwrite(opened.descriptor, self._record(head), slot)
        return True

    def _opened(self) -> _Open:
        """The file under its name now, which is made where there is none."""
        if self._open is not None:
            try:
                if os.stat(self.path).st_ino == self._open.inode:  # noqa: PTH116 - at each commit
                    return self._open
            except FileNotFoundError:
                pass
            self.close()
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._open = _Open(descriptor, os.fstat(descriptor).st_ino, -1)
        return self._open

    def _find(self, descriptor: int) -> int:
        """Where the record is, or where a new one goes."""
        data = os.pread(descriptor, _RECORD * _MOST, 0)
        if data and not data.startswith((b"{", b"\0")):
            raise OSError(errno.EINVAL, "it is not a file of heads that Optin wrote")
        for number, line in enumerate(_lines(data)):
            if self._parsed(line) is not None:
                return number * _RECORD
        return len(data) // _RECORD * _RECORD

    def _parsed(self, line: bytes) -> RememberedHead | None:
        """The record, where it is whole and about this storage."""
        text, _, checksum = line.rstrip().rpartition(b" ")
        if not text or checksum != b"%08x" % crc32(text):
            return None
        try:
            kept = json.loads(text)
            if kept["storage"] != self._storage:
                return None
            return RememberedHead(
                log=kept["log"],
                size=kept["size"],
                chain=kept["chain"],
                at=datetime.fromisoformat(kept["at"]),
                where=self.path.name,
            )
        except (ValueError, KeyError, TypeError):
            return None

    def _record(self, head: RememberedHead) -> bytes:
        text = json.dumps(
            {
                "storage": self._storage,
                "log": head.log,
                "size": head.size,
                "chain": head.chain,
                "at": head.at.isoformat(timespec="milliseconds"),
            },
            separators=(",", ":"),
        ).encode()
        line = b"%s %08x" % (text.ljust(_RECORD - 10), crc32(text.ljust(_RECORD - 10)))
        return line + b"\n"


def _lines(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data) - _RECORD + 1, _RECORD):
        yield data[start : start + _RECORD]


@contextmanager
def _locked(descriptor: int) -> Iterator[bool]:
    """Whether no other process writes now. Never waits: a process may be stopped while it holds
    the lock."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
        return
    try:
        yield True
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
