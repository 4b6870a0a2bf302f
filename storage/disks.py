"""The disk below a storage's files: what kind of file system it has, and how much room is left."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bot.consent.errors import StorageRefused

#: As Linux names them. Locks and syncs there depend on the server and on how it was mounted, and
#: SQLite's write-ahead log needs memory that all processes share (sqlite.org/wal.html).
_NETWORK = frozenset(
    {
        "afs",
        "ceph",
        "cifs",
        "davfs",
        "fuse.ceph",
        "fuse.davfs",
        "fuse.glusterfs",
        "fuse.s3fs",
        "fuse.sshfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
    }
)
#: Linux alone has it.
_MOUNTS = Path("/proc/self/mountinfo")


def refuse_network(path: Path) -> None:
    """Raises `StorageRefused` for a storage on a network file system."""
    kind = _file_system(_existing(path))
    if kind in _NETWORK:
        raise StorageRefused(
            f"{path} is on a network file system ({kind}), where locks and syncs are not reliable. "
            "Keep the storage on a local disk, or use PostgreSQL."
        )


def free_bytes(path: Path) -> int:
    """How many more bytes Optin may write on this disk."""
    return shutil.disk_usage(_existing(path)).free


def _file_system(path: Path) -> str:
    """Its kind, by the number of its device (proc_pid_mountinfo(5)); "" where nobody says."""
    if not _MOUNTS.exists():
        return ""
    device = path.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    for line in _MOUNTS.read_text("utf-8", "replace").splitlines():
        mount, _, source = line.partition(" - ")
        if mount.split(" ")[2] == wanted:
            return source.split(" ")[0]
    return ""


def _existing(path: Path) -> Path:
    """The file, or the nearest folder above it that exists."""
    while not path.exists():
        path = path.parent
    return path
