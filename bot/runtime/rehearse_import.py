"""An import's dry run in a process of its own: a rehearsal has the storage to itself for as long as
the file takes, and the bot has to answer meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from bot.config.settings import Settings
from bot.consent.errors import Invalid, OptinError, StorageFailed
from bot.consent.model import Actor, Role
from bot.consent.use_cases import Row, import_rows
from bot.runtime.open_service import open_service
from handlers.contacts_file import Asked, open_contacts
from handlers.slack.imports.import_worker import Rehearsed

#: It writes nothing, so that it does not matter in whose name.
_NOBODY = Actor(id="system", role=Role.OPERATOR, source="slack")
#: Seconds between two beats.
_BEAT = 1.0


def rehearse_import(
    settings: Settings, path: Path, asked: Asked, provider: str | None, beat: Callable[[], None]
) -> Rehearsed:
    """What the file would bring. `beat` is called once a second meanwhile; what it raises ends the
    process. Raises `Invalid` where the file can't be imported, `StorageFailed`
    where another attempt may go well, and `ChildProcessError`."""
    spawned = get_context("spawn")
    answers, answering = spawned.Pipe(duplex=False)
    process = spawned.Process(
        target=_answer, args=(answering, settings, path, asked, provider), daemon=True
    )
    process.start()
    answering.close()
    try:
        while not answers.poll(_BEAT):
            beat()
        answer: Rehearsed | OptinError | str = answers.recv()
    except EOFError:
        raise ChildProcessError("the dry run ended without an answer") from None
    finally:
        process.kill()
        process.join()
        answers.close()
    if isinstance(answer, OptinError):
        raise answer
    if isinstance(answer, str):
        raise ChildProcessError(answer)
    return answer


def _answer(
    answering: Connection, settings: Settings, path: Path, asked: Asked, provider: str | None
) -> None:
    try:
        answering.send(_rehearsed(settings, path, asked, provider))
    except StorageFailed as error:
        answering.send(StorageFailed(error.sentence))
    except OptinError as error:
        answering.send(Invalid(error.sentence))
    except Exception as error:  # noqa: BLE001 - its text and place may hold what the file says
        answering.send(f"the dry run failed: {type(error).__name__}")


def _rehearsed(settings: Settings, path: Path, asked: Asked, provider: str | None) -> Rehearsed:
    rejected: dict[int, str] = {}

    def reject(row: Row, reason: str) -> None:
        rejected[row.line] = reason

    with open_contacts(path, asked) as contacts, open_service(settings) as service:
        report = import_rows(
            service,
            contacts.read(service.now()),
            file=path.name,
            actor=_NOBODY,
            provider=provider,
            titles=contacts.columns.titles,
            dry_run=True,
            reject=reject,
        )
    return Rehearsed(report=report, rejected=rejected)
