"""Files: a lock between processes, writes that are on the disk when they return, lines by offset.

One process writes at a time, and none waits for ever. What goes wrong is said plainly.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bot.consent.errors import Corrupt, StorageFailed, StorageRefused

#: Only the owner reads what is personal.
MODE = 0o600

#: Ends the sentence about a damaged file.
ADVICE = (
    "It was left untouched: restore all files of the storage from one backup, with Optin stopped."
)

#: Bytes that are read at a time when looking through a file.
_BLOCK = 1 << 16
#: Longer than nearly all lines.
_LINE = 1 << 10

_SENTENCES = {
    errno.ENOSPC: "The disk is full, so nothing was changed. Make room on it, then try again.",
    errno.EDQUOT: "The disk quota is used up, so nothing was changed. Make room, then try again.",
    errno.EFBIG: "The storage may not grow any further here, so nothing was changed.",
    errno.EROFS: "The storage is on a read-only disk, so nothing was changed.",
    errno.EACCES: "The storage may not be written by this user, so nothing was changed.",
    errno.EPERM: "The storage may not be written by this user, so nothing was changed.",
    errno.EMFILE: "Too many files are open, so nothing was changed. Try again in a minute.",
}

#: Seconds. A process that writes lets go after 50 ms; only a stopped one holds on for longer.
_PATIENCE = 10.0
_PAUSE = 0.0005


def failed(error: OSError) -> StorageFailed:
    """What the person reads."""
    sentence = _SENTENCES.get(error.errno or 0)
    return StorageFailed(
        sentence or f"The disk reports an error ({error.strerror}), so nothing was changed."
    )


def open_file(path: Path, flags: int) -> int:
    """A descriptor for reading and writing; what is created is for the owner alone."""
    return os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, MODE)


def refuse_links(path: Path) -> None:
    """Raises `StorageRefused` for a symbolic link in place of one of the storage's files, in a
    folder where everybody may put one: personal data would go wherever it leads."""
    folder = path.parent
    if not folder.is_dir() or not folder.stat().st_mode & stat.S_IWOTH:
        return
    for file in folder.iterdir():
        if file.name.startswith(path.name) and file.is_symlink():
            raise StorageRefused(
                f"{file} is a symbolic link in a folder that everybody may write to, so it was not "
                "followed. Keep the storage in a folder of its own."
            )


def write(descriptor: int, data: bytes, offset: int) -> None:
    """All of it, or OSError."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        offset += written
        view = view[written:]


def read(descriptor: int, size: int, offset: int) -> bytes:
    """So many bytes, fewer only at the end of the file."""
    found = os.pread(descriptor, size, offset)
    while len(found) < size and (
        more := os.pread(descriptor, size - len(found), offset + len(found))
    ):
        found += more
    return found


def inode(path: str) -> int:
    """Which file stands under this name now. Its number is not used again while it is open."""
    return os.stat(path).st_ino  # noqa: PTH116 - at each commit, and a Path takes twice as long


def identity(path: str) -> tuple[int, int]:
    """Another one when the file was replaced or changed, open or not."""
    found = os.stat(path)  # noqa: PTH116 - as above
    return found.st_ino, found.st_ctime_ns


def size(descriptor: int) -> int:
    return os.lseek(descriptor, 0, os.SEEK_END)


class SyncFailed(OSError):
    """It was written, and nobody knows whether it is on the disk. A second try may lie: the
    kernel reports such an error once, and may have dropped what it could not write."""


#: macOS has no fdatasync.
_sync = getattr(os, "fdatasync", os.fsync)


def sync(descriptor: int) -> None:
    """Raises `SyncFailed`."""
    try:
        _sync(descriptor)
    except OSError as error:
        raise SyncFailed(error.errno, error.strerror) from error


def sync_folder(folder: Path) -> None:
    """Makes created, renamed and removed files durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy_all(path: Path, folder: Path) -> Path:
    """Copies every file of the storage at `path` into a new folder, on the disk when this returns.
    Where that folder is there already, into one with a number. Whoever calls sees to it that nobody
    writes."""
    number = 1
    target = folder
    while target.exists():
        number += 1
        target = folder.with_name(f"{folder.name}-{number}")
    target.mkdir(mode=0o700)
    for file in path.parent.iterdir():
        if file.is_file() and file.name.startswith(path.name):
            copy = target / file.name
            shutil.copy2(file, copy)
            with copy.open("rb") as written:
                os.fsync(written.fileno())
    sync_folder(target)
    sync_folder(target.parent)
    return target


class Lines:
    """A file of lines, read by offset, forwards or backwards. Reads only what stands between
    `first`, where a line begins, and the `end` that is given."""

    def __init__(self, descriptor: int, first: int) -> None:
        self._descriptor = descriptor
        self._first = first

    def line(self, offset: int) -> bytes:
        """The line that begins here. Raises `Corrupt` where the file ends within it."""
        size = _LINE
        while True:
            found = read(self._descriptor, size, offset)
            end = found.find(b"\n")
            if end >= 0:
                return found[:end]
            if len(found) < size:
                raise Corrupt(f"The Activity Log ends too early, at byte {offset}. {ADVICE}")
            size *= 8

    def forwards(self, end: int, start: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Each line from `start` on, where one begins, with its offset; without one, all of them.
        Raises `Corrupt` where the file is shorter."""
        offset = at = self._first if start is None else start
        rest = b""
        while at < end:
            block = read(self._descriptor, min(_BLOCK, end - at), at)
            if not block:
                raise Corrupt(f"The Activity Log ends too early, at byte {at}. {ADVICE}")
            at += len(block)
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                yield offset, line
                offset += len(line) + 1

    def backwards(
        self, end: int, part: bytes, *, any_case: bool = False
    ) -> Iterator[tuple[int, bytes]]:
        """Each line that holds the part, with its offset. Skips whole blocks without it. With
        `any_case`, capital letters of ASCII count as small ones; the part has small ones only."""
        fold = bytes.lower if any_case else _as_it_is
        rest = b""
        while end > self._first:
            begin = max(end - _BLOCK, self._first)
            data = read(self._descriptor, end - begin, begin) + rest
            # The first of these lines began in the block before.
            cut = data.find(b"\n") + 1 if begin > self._first else 0
            end, rest = begin, data[:cut]
            if cut == len(data) or part not in fold(data):
                continue
            offset = begin + len(data)
            for line in reversed(data[cut:-1].split(b"\n")):
                offset -= len(line) + 1
                if part in fold(line):
                    yield offset, line

    def first_from(self, least: int, end: int, number: Callable[[int, bytes], int]) -> int:
        """Where the first line begins whose number is not below `least`; they only grow."""
        low, high = self._first, end
        while low < high:
            middle = (low + high) // 2
            offset = self._begin(middle)
            if offset >= high or number(offset, self.line(offset)) >= least:
                high = middle
            else:
                low = offset + 1
        return min(self._begin(low), end)

    def _begin(self, offset: int) -> int:
        """Where the next line begins from here on."""
        return offset if offset == self._first else offset + len(self.line(offset - 1))


def _as_it_is(data: bytes) -> bytes:
    return data


class Lock:
    """Two locks on two files: who waits for the first holds the second, the turnstile. So a
    process that has just let go can't be back before those who wait."""

    def __init__(self, lock: int, turnstile: int, *, patience: float = _PATIENCE) -> None:
        self._lock = lock
        self._turnstile = turnstile
        self._patience = patience

    def acquire(self, within: float | None = None) -> None:
        """Raises `StorageFailed` after so many seconds, or when patience is over."""
        deadline = time.monotonic() + (self._patience if within is None else within)
        _wait_for(self._turnstile, deadline)
        try:
            _wait_for(self._lock, deadline)
        finally:
            fcntl.flock(self._turnstile, fcntl.LOCK_UN)

    def release(self) -> None:
        fcntl.flock(self._lock, fcntl.LOCK_UN)


def try_lock(descriptor: int) -> bool:
    """Takes the lock if nobody has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait_for(descriptor: int, deadline: float) -> None:
    while not try_lock(descriptor):
        if time.monotonic() > deadline:
            raise StorageFailed(
                "Another process holds the storage and does not let go, so nothing was changed."
            )
        time.sleep(_PAUSE)
