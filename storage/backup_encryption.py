"""Encryption of backups with age (https://age-encryption.org/v1): for recipients, who decrypt with
their identity, or with a passphrase.

For recipients, a backup is encrypted as it is written. With a passphrase, it is in memory first:
use recipients for a storage that is larger than memory.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any, BinaryIO

import pyrage  # type: ignore[import-untyped]  # it brings no types

from bot.consent.errors import Corrupt, Invalid

#: How each such file begins, unless it is armored.
AGE = b"age-encryption.org/v1\n"
_UNREADABLE = "The backup can't be decrypted: the key is another one, or the file is damaged."


@contextmanager
def encrypting(
    out: BinaryIO, *, recipients: Sequence[str] = (), passphrase: str | None = None
) -> Iterator[BinaryIO]:
    """A file whose content goes into `out` encrypted; `out` itself without recipients and without
    a passphrase. Raises `Invalid` for what is no recipient."""
    if recipients:
        keys = [_recipient(text) for text in recipients]
        with _piped(lambda source: pyrage.encrypt_io(source, out, keys), writes=True) as plain:
            yield plain
    elif passphrase:
        content = io.BytesIO()
        yield content
        out.write(pyrage.passphrase.encrypt(content.getvalue(), passphrase))
    else:
        yield out


@contextmanager
def decrypting(
    source: BinaryIO, *, identities: Sequence[str] = (), passphrase: str | None = None
) -> Iterator[BinaryIO]:
    """The content of a file that `encrypting` wrote. Raises `Invalid` for what is no identity, and
    `Corrupt` where the file can't be decrypted."""
    try:
        if identities:
            keys = [_identity(text) for text in identities]
            with _piped(lambda out: pyrage.decrypt_io(source, out, keys), writes=False) as plain:
                yield plain
        else:
            yield io.BytesIO(pyrage.passphrase.decrypt(source.read(), passphrase or ""))
    except pyrage.DecryptError:
        raise Corrupt(_UNREADABLE) from None
    except OSError as error:
        # pyrage reports so that a part of the file does not authenticate, or is missing.
        if error.errno is not None:
            raise
        raise Corrupt(_UNREADABLE) from None


def _recipient(text: str) -> Any:
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise Invalid("A recipient begins with age1, as `age-keygen` prints it.") from None


def _identity(text: str) -> Any:
    try:
        return pyrage.x25519.Identity.from_str(text)
    except pyrage.IdentityError:
        raise Invalid("The identity file holds no key that begins with AGE-SECRET-KEY-1.") from None


@contextmanager
def _piped(work: Callable[[BinaryIO], None], *, writes: bool) -> Iterator[BinaryIO]:
    """One end of a pipe, while `work` has the other end in a thread. `writes` says whether the
    block writes. Raises what `work` raised, rather than what followed from it."""
    read, write = os.pipe()
    ours, theirs = (write, read) if writes else (read, write)
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with os.fdopen(theirs, "rb" if writes else "wb") as end:
                work(end)
        except BrokenPipeError:
            pass  # The block reads no further.
        except BaseException as error:  # noqa: BLE001 - raised below, in the thread that waits
            failed.append(error)

    thread = Thread(target=run, name="optin-age")
    thread.start()
    try:
        with os.fdopen(ours, "wb" if writes else "rb") as end:
            yield end
    except BaseException:
        thread.join()
        if failed:
            raise failed[0] from None
        raise
    thread.join()
    if failed:
        raise failed[0]
