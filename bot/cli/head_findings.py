"""What `optin doctor` says of a storage that went back, and of the file that would notice it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from bot.cli.finding import Finding
from bot.cli.terminal import when
from bot.config.head_file import HeadFile
from bot.config.settings import Settings
from bot.consent.storage_behind import MAY_BE_NEW, RememberedHead, StorageBehind, read_mark
from bot.consent.store import Store
from bot.consent.use_cases.log_tree import log_id
from bot.consent.use_cases.rollback import find_behind
from bot.runtime.heads_of_witnesses import heads_in_files

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
    behind = behind_of_files(settings, store)
    if behind is not None:
        new = f" {MAY_BE_NEW}" if behind.may_be_new else ""
        yield Finding(
            what=f"The storage went back to an older copy, or lost its end: {behind.where} "
            f"remembers entry {behind.size:,} of {when(behind.at)}, and the storage ended with "
            f"entry {behind.present:,}.",
            cure=f"{_CURE}{new}",
        )
    elif (head := _own(file)) is not None:
        yield Finding(what=f"The storage has entry {head.size:,}, as {file.path.name} remembers.")
    elif not list(head_file_findings(settings)):
        yield Finding(what=f"{file.path.name} remembers nothing of this storage yet.", off=True)


def behind_of_files(settings: Settings, store: Store) -> StorageBehind | None:
    """What the storage lacks of what the head file and the files of witnesses remember. A file that
    can't be read remembers nothing. Raises `StorageFailed`."""
    with store.reading() as records:
        log = log_id(records.log)
    file = settings.heads()
    own = _own(file) if file else None
    others = _others(file) if file else []
    witnessed = list(heads_in_files(settings, log, {head.log for head in others}))
    # The log is read after what is remembered of it, since it may grow meanwhile.
    with store.reading() as records:
        size, _ = records.log.head()
        ahead = [head for head in others if head.log == log and head.size > size]
        heads = [*([own] if own else []), *ahead, *witnessed]
        return read_mark(records.key_value) or find_behind(records, heads, datetime.now(UTC))


def _own(file: HeadFile) -> RememberedHead | None:
    try:
        return file.read()
    except OSError:
        return None


def _others(file: HeadFile) -> list[RememberedHead]:
    try:
        return file.others()
    except OSError:
        return []


def _unusable(path: str, why: str) -> Finding:
    return Finding(
        what=f"The head file {path} can't be used: {why}.",
        cure="Set OPTIN_HEAD_FILE to a new file in a folder that Optin may write, which is not "
        "restored together with the storage. Without it, Optin does not notice an older copy.",
        advice=True,
    )
