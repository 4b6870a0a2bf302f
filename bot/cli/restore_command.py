"""`optin restore`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.backup_command import BackupFile
from bot.cli.command_session import read_settings
from bot.cli.copy_command import hand_over, say_copied
from bot.cli.head_findings import behind_of_files
from bot.cli.terminal import progress_of_many, say, when
from bot.cli.usage_errors import WrongUsage
from bot.config import hash_key
from bot.config.settings import Settings
from bot.consent.errors import StorageFailed
from bot.consent.store import Store
from bot.consent.use_cases.backup import BackupContents, ChainCheck, restore_backup
from bot.consent.use_cases.copy_storage import Progress
from storage import open_store
from storage.backup_encryption import AGE, decrypting
from storage.backup_file import BackupHead, BackupReader


def restore(
    file: BackupFile,
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="An empty storage.", show_default=False)
    ],
    identity: Annotated[
        Path | None,
        typer.Option(
            "--identity",
            metavar="FILE",
            help="The age identity of a recipient, as age-keygen writes it. For a backup with a "
            "passphrase, set OPTIN_BACKUP_PASSPHRASE.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Restores a backup into an empty storage, of whatever kind, and verifies it. The backup is
    read and verified first. What was interrupted is done by the same command again.

    \b
      optin restore /backups/optin-2026-11-30.gz --to sqlite:///data/optin.db

    Then set OPTIN_STORAGE to the new storage.
    """
    new = read_settings().moved(to)
    with progress_of_many() as done:
        keys = _identities(identity) if identity else []
        head, contents = _checked(file, keys, new, done)
        key = _key(new, head)
        with closing(open_store(to)) as target, _opened(file, keys, new) as reader:
            copied = restore_backup(
                reader.values(),
                contents,
                target,
                but=[hash_key.MARK],
                begun=lambda: _hand_over(key, new, target),
                progress=done,
            )
    say_copied("Restored and verified", copied, "in the storage as in the backup")
    for line in _what_is_missing(new):
        say(line)


def _what_is_missing(new: Settings) -> Iterator[str]:
    """How far the restored storage is behind what is remembered of its log, and what to do."""
    with closing(open_store(new.storage)) as store:
        behind = behind_of_files(new, store)
    if behind is None:
        yield "The head file and the files of witnesses remember nothing newer of this log."
        return
    yield (
        f"The storage is behind: {behind.where} remembers entry {behind.size:,} of "
        f"{when(behind.at)}, and the restored storage ends with entry {behind.present:,}."
    )
    yield (
        "If there is a newer copy, use that one. If not, run `optin verify --accept-rollback` with "
        "the new storage, and record again what happened since, opt-outs first. Until then no "
        "answer is yes."
    )
    yield "If you only try the backup, set OPTIN_HEAD_FILE to another file for it."


def _checked(
    file: BackupFile, keys: Sequence[str], new: Settings, progress: Progress
) -> tuple[BackupHead, BackupContents]:
    """Reads all of it once, before anything is written. Raises `Corrupt`."""
    chain = ChainCheck("the backup is damaged")
    with _opened(file, keys, new) as reader:
        for done, (kind, value) in enumerate(reader.values(), 1):
            if kind == "log":
                chain.take(value)
            if done % 1_000 == 0:
                progress("Reading the backup", done, None)
        chain.end(reader.head.entries, reader.head.head)
        assert reader.end is not None
        head, end = reader.head, reader.end
    contents = BackupContents(id=end.sha256, seq=head.entries, head=head.head, counts=end.counts)
    return head, contents


@contextmanager
def _opened(file: BackupFile, keys: Sequence[str], new: Settings) -> Iterator[BackupReader]:
    try:
        with file.open("rb") as source:
            encrypted = source.read(len(AGE)) == AGE
            source.seek(0)
            if not encrypted:
                yield BackupReader(source)
                return
            if not keys and not new.backup_passphrase:
                raise WrongUsage(
                    "The backup is encrypted. Name the identity of a recipient with --identity, or "
                    "set OPTIN_BACKUP_PASSPHRASE."
                )
            with decrypting(source, identities=keys, passphrase=new.backup_passphrase) as plain:
                yield BackupReader(plain)
    except OSError as error:
        raise StorageFailed(f"{file} can't be read ({error.strerror}).") from error


def _identities(file: Path) -> list[str]:
    """The keys in an identity file, where `#` begins a comment."""
    try:
        lines = [line.strip() for line in file.read_text().splitlines()]
    except (OSError, UnicodeDecodeError):
        raise WrongUsage(f"{file} can't be read as an identity file.") from None
    keys = [line for line in lines if line and not line.startswith("#")]
    if not keys:
        raise WrongUsage(f"{file} holds no key that begins with AGE-SECRET-KEY-1.")
    return keys


def _key(new: Settings, head: BackupHead) -> bytes | None:
    """The hash key for the new storage; None where the settings give it. Raises `WrongUsage` where
    they give another one."""
    if head.hash_key is None:
        if new.given_hash_key is None:
            raise WrongUsage("OPTIN_HASH_KEY was set when the backup was made: set it to that key.")
        return None
    key = head.hash_key.encode()
    if new.given_hash_key not in (None, key):
        raise WrongUsage("OPTIN_HASH_KEY is another key than the one in the backup. Remove it.")
    return key


def _hand_over(key: bytes | None, new: Settings, target: Store) -> None:
    if key is not None:
        hand_over(key, new, target)
