"""The key of the hashes that erasure leaves: made on first use, and kept beside the storage. Beside
a file that is another file; in a database, which many machines share, it is a mark.

The storage has a check value of the key. With another key Optin would look for other hashes than
those that it has, and an import would revive whoever was erased after an opt-out (rules.md §8.15).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from bot.consent.store import Store

#: The mark that holds it.
MARK = "hash-key"
#: The mark that holds its check value. It goes along in a copy.
CHECK = "hash-key-check"


def read_or_make(path: Path) -> bytes:
    """The key in this file, which is made if there is none: complete, synced to the disk and
    readable by its owner alone before any process can see it. Two processes get the same key.

    Raises OSError where the folder can't be written, ValueError where the file holds no key.
    """
    try:
        return _read(path)
    except FileNotFoundError:
        return _make(path, _new())


def read(path: Path) -> bytes | None:
    """The key in this file; None where there is no file. Raises OSError, and ValueError where the
    file holds no key."""
    try:
        return _read(path)
    except FileNotFoundError:
        return None


def kept(store: Store) -> bytes | None:
    """The key in this storage, if it has one."""
    with store.reading() as records:
        key = records.key_value.get(MARK)
    return key.encode() if key else None


def check_value(key: bytes) -> str:
    """What tells this key from another, and tells nothing of it."""
    return hmac.digest(key, b"the check value of Optin's hash key", hashlib.sha256).hex()


def checked(store: Store) -> str | None:
    """The check value that this storage has; None where it has none yet."""
    with store.reading() as records:
        return records.key_value.get(CHECK)


def keep_check(store: Store, key: bytes) -> str:
    """Gives the storage the check value of this key, unless another process was quicker: the one
    that it has then. Raises `StorageFailed`."""
    with store.transaction() as records:
        value = records.key_value.get(CHECK)
        if value is None:
            value = check_value(key)
            records.key_value.put(CHECK, value)
    return value


def replace_check(store: Store, key: bytes) -> None:
    """Gives the storage the check value of this key, whatever it has. Raises `StorageFailed`."""
    with store.transaction() as records:
        records.key_value.put(CHECK, check_value(key))


def has_hashes(store: Store) -> bool:
    """Whether the storage has hashed addresses, which only their own key finds again."""
    with store.reading() as records:
        return any(facts.address.startswith("hash:") for facts in records.addresses.all())


def read_or_keep(store: Store) -> bytes:
    """The key in this storage, which is made if there is none. Raises `StorageFailed`."""
    with store.reading() as records:
        if key := records.key_value.get(MARK):
            return key.encode()
    with store.transaction() as records:
        key = records.key_value.get(MARK) or _new()
        records.key_value.put(MARK, key)
    return key.encode()


def write(path: Path, key: bytes) -> None:
    """Keeps this key where there is none yet. Raises OSError, and ValueError where there is
    another."""
    try:
        kept = _read(path)
    except FileNotFoundError:
        kept = _make(path, key.decode())
    if kept != key:
        raise ValueError(f"{path} holds another key")


def _new() -> str:
    return secrets.token_hex(32)


def _read(path: Path) -> bytes:
    key = path.read_bytes().strip()
    if not key:
        raise ValueError(f"{path} is empty")
    return key


def _make(path: Path, key: str) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        # Unlike a rename, a link never replaces the key that another process was quicker to make.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    _sync_folder(path.parent)
    return _read(path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
