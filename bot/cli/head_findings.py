"""What `optin doctor` says of a storage that went back, and of the file that would notice it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from bot.cli.finding import Finding
from bot.cli.terminal import when
from bot.config.settings import Settings
from bot.consent.storage_behind import read_mark
from bot.consent.store import Store
from bot.consent.use_cases.rollback import find_behind, read_accepted

_CURE = (
    "Stop Optin and put the newest copy of the storage back. If it is lost for good, run `optin "
    "verify --accept-rollback`. Until then no answer is yes, and opt-outs are taken."
)


def head_file_findings(settings: Settings) -> Iterator[Finding]:
    """Whether it can be used, whatever the storage is. Writes nothing."""
    file = settings.heads()
    if file is None:
        return
    try:
        file.require_usable()
    except OSError as error:
        yield _unusable(str(file.path), error.strerror or "it can't be opened")


def head_findings(settings: Settings, store: Store) -> Iterator[Finding]:
    """Writes nothing. Raises `StorageFailed`."""
    file = settings.heads()
    if file is None:
        return
    try:
        head = file.read()
    except OSError:
        return  # another line says so
    with store.reading() as records:
        accepted = read_accepted(records.key_value)
        heads = [head] if head else []
        behind = read_mark(records.key_value) or find_behind(
            records.log, heads, accepted, datetime.now(UTC)
        )
    if behind is not None:
        yield Finding(
            what=f"The storage went back to an older copy, or lost its end: {behind.where} "
            f"remembers entry {behind.size:,} of {when(behind.at)}, and the storage ended with "
            f"entry {behind.present:,}.",
            cure=_CURE,
        )
    elif head is not None:
        yield Finding(what=f"The storage has entry {head.size:,}, as {file.path.name} remembers.")
    elif not list(head_file_findings(settings)):
        yield Finding(what=f"{file.path.name} remembers nothing of this storage yet.", off=True)


def _unusable(path: str, why: str) -> Finding:
    return Finding(
        what=f"The head file {path} can't be used: {why}.",
        cure="Set OPTIN_HEAD_FILE to a new file in a folder that Optin may write, which is not "
        "restored together with the storage. Without it, Optin does not notice an older copy.",
        advice=True,
    )
