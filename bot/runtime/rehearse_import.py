"""An import's dry run in a process of its own: a rehearsal has the storage to itself for as long as
the file takes, and the bot has to answer meanwhile.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from bot.config.settings import Settings
from bot.consent.model import Actor, Role
from bot.consent.use_cases import Report, Row, import_rows
from bot.runtime.open_service import open_service
from handlers.contacts_file import Asked, open_contacts
from handlers.slack.imports.import_worker import Rehearsed

#: It writes nothing, so that it does not matter in whose name.
_NOBODY = Actor(id="system", role=Role.OPERATOR, source="slack")


def rehearse_import(
    settings: Settings, path: Path, asked: Asked, provider: str | None
) -> Rehearsed:
    """What the file would bring. Raises what `import_rows` and `open_contacts` raise."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        report, rejected = pool.submit(_rehearse, settings, path, asked, provider).result()
    return Rehearsed(report=report, rejected=rejected)


def _rehearse(
    settings: Settings, path: Path, asked: Asked, provider: str | None
) -> tuple[Report, dict[int, str]]:
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
    return report, rejected
