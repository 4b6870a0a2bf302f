"""`optin backup`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from bot.cli.command_session import read_settings
from bot.cli.terminal import complain, progress_of_many, say
from bot.cli.usage_errors import WrongUsage
from bot.config import hash_key
from bot.config.settings import Settings
from bot.consent.errors import StorageFailed
from bot.consent.store import Store
from bot.consent.use_cases.backup import ErasedMeanwhile, Put, back_up
from bot.consent.use_cases.copy_storage import Copied, is_half_a_copy
from bot.consent.use_cases.migrate import is_outdated
from bot.runtime.open_service import OUTDATED
from storage import files, open_store
from storage.backup_encryption import encrypting
from storage.backup_file import FORMAT, BackupHead, BackupWriter

#: An erasure in the middle of a backup begins it anew, so often.
_TRIES = 5
_BLOCK = 1 << 20

BackupFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The file of the backup.", show_default=False)
]


def backup(
    file: BackupFile,
    recipient: Annotated[
        list[str] | None,
        typer.Option(
            "--recipient",
            metavar="age1…",
            help="Encrypt with age for this recipient. May be given several times. Without one, "
            "OPTIN_BACKUP_PASSPHRASE encrypts, where it is set.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Backs up everything into a new compressed file, while Optin runs: contacts, the Activity Log
    as it is, what is still to be told, and the hash key. The file is the same for every kind of
    storage.

    \b
      optin backup /backups/optin-2026-11-30.gz
      optin backup /backups/optin-2026-11-30.gz.age --recipient age1…
    """
    if file.exists():
        raise WrongUsage(f"{file} is there already. Name a new file.")
    settings = read_settings()
    with closing(open_store(settings.storage)) as store:
        if is_outdated(store):
            raise WrongUsage(OUTDATED)
        if is_half_a_copy(store):
            raise WrongUsage("OPTIN_STORAGE is half a copy.")
        copied = _again_if_erased(settings, store, file, recipient or [])
    say(f"Backed up {copied.contacts:,} contacts and {copied.entries:,} log entries to {file}.")
    say(f"The newest entry's hash is {copied.head}.")


def _again_if_erased(settings: Settings, store: Store, file: Path, recipients: list[str]) -> Copied:
    key = settings.hash_key(store).decode() if not settings.given_hash_key else None
    for left in range(_TRIES, 0, -1):
        try:
            with (
                _whole_or_nothing(file) as out,
                encrypting(
                    out, recipients=recipients, passphrase=settings.backup_passphrase
                ) as plain,
                progress_of_many() as done,
            ):
                return _write(store, plain, key, done)
        except ErasedMeanwhile:
            if left == 1:
                raise
            complain("Somebody was erased meanwhile. The backup begins again.")
    raise AssertionError("the last try returns or raises")


def _write(store: Store, out: BinaryIO, key: str | None, done: Any) -> Copied:
    writers: list[BackupWriter] = []

    def begun(seq: int, head: str) -> Put:
        about = BackupHead(
            format=FORMAT, made_at=datetime.now(UTC), entries=seq, head=head, hash_key=key
        )
        writers.append(BackupWriter(out, about))
        return writers[0].put

    copied = back_up(store, begun, but=[hash_key.MARK], progress=done)
    writers[0].end()
    return copied


class _Hashed:
    """A file that is written, and the hash of what was."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.hash = hashlib.sha256()

    def write(self, data: Any) -> int:
        self.hash.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


@contextmanager
def _whole_or_nothing(file: Path) -> Iterator[BinaryIO]:
    """A file that gets its name once it is on the disk, and reads as it was written. Raises
    `StorageFailed`."""
    draft = file.with_name(f"{file.name}.part")
    try:
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, files.MODE)
        with os.fdopen(descriptor, "w+b") as opened:
            out = _Hashed(opened)
            yield out  # type: ignore[misc]  # gzip only writes and flushes
            opened.flush()
            os.fsync(opened.fileno())
            opened.seek(0)
            written = hashlib.sha256()
            while block := opened.read(_BLOCK):
                written.update(block)
            if written.digest() != out.hash.digest():
                raise StorageFailed(f"{file} does not read as it was written. Use another disk.")
        os.link(draft, file)
        files.sync_folder(file.absolute().parent)
    except FileExistsError:
        raise WrongUsage(f"{file} is there already. Name a new file.") from None
    except OSError as error:
        raise StorageFailed(f"{file} can't be written ({error.strerror}).") from error
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()
