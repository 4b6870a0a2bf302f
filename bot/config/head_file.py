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
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
        return self._records().get(self._storage)

    def others(self) -> list[RememberedHead]:
        """What is remembered of storages at other addresses, as far as it is known which log each
        of them has. One of them may be this one's log: a storage that was copied or restored."""
        where = f"{self.path.name} (the same log at another address)"
        return [
            replace(head, where=where)
            for storage, head in self._records().items()
            if storage != self._storage and head.log
        ]

    def require_usable(self) -> None:
        """Raises OSError where this user can't write the file, or may not make it, and where it is
        something else. Writes nothing."""
        try:
            descriptor = self._descriptor(os.O_RDWR)
        except FileNotFoundError:
            if not os.access(self.path.parent, os.W_OK | os.X_OK):
                reason = errno.EACCES if self.path.parent.is_dir() else errno.ENOENT
                raise OSError(reason, os.strerror(reason)) from None
            return
        try:
            _require_heads(os.pread(descriptor, _RECORD, 0))
        finally:
            os.close(descriptor)

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
            known = self._own(os.pread(opened.descriptor, _RECORD, slot))
            if known is None or least is None:
                os.pwrite(opened.descriptor, self._record(head), slot)
            elif known.size < least or (known.size == least and not known.log):
                # Whoever opened a storage with no entries does not know its log yet.
                named = replace(head, log=head.log or known.log)
                os.pwrite(opened.descriptor, self._record(named), slot)
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
        descriptor = self._descriptor(os.O_RDWR | os.O_CREAT)
        self._open = _Open(descriptor, os.fstat(descriptor).st_ino, -1)
        return self._open

    def _find(self, descriptor: int) -> int:
        """Where the record is, or where a new one goes."""
        data = os.pread(descriptor, _RECORD * _MOST, 0)
        _require_heads(data)
        for number, line in enumerate(_lines(data)):
            if self._own(line) is not None:
                return number * _RECORD
        return len(data) // _RECORD * _RECORD

    def _descriptor(self, flags: int) -> int:
        """Of the file, opened. A pipe would block whoever opens it, and a device remembers
        nothing."""
        descriptor = os.open(self.path, flags | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "it is not a regular file")
        return descriptor

    def _records(self) -> dict[str, RememberedHead]:
        """Those that are whole, the first of each storage, by its key."""
        try:
            descriptor = self._descriptor(os.O_RDONLY)
        except FileNotFoundError:
            return {}
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(_RECORD * _MOST)
        found: dict[str, RememberedHead] = {}
        for line in _lines(data):
            if (record := self._parsed(line)) is not None:
                found.setdefault(*record)
        return found

    def _own(self, line: bytes) -> RememberedHead | None:
        """The record, where it is whole and about this storage."""
        storage, head = self._parsed(line) or ("", None)
        return head if storage == self._storage else None

    def _parsed(self, line: bytes) -> tuple[str, RememberedHead] | None:
        """The record and the key of its storage, where it is whole."""
        text, _, checksum = line.rstrip().rpartition(b" ")
        if not text or checksum != b"%08x" % crc32(text):
            return None
        try:
            kept = json.loads(text)
            return str(kept["storage"]), RememberedHead(
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


def _require_heads(data: bytes) -> None:
    if data and not data.startswith((b"{", b"\0")):
        raise OSError(errno.EINVAL, "it is not a file of heads that Optin wrote")


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
