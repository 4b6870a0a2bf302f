"""The Activity Log of a contact as a file, for the person who asks."""

from __future__ import annotations

from slack_sdk import WebClient

from bot.consent.model import Actor
from bot.consent.use_cases import Service
from handlers.slack import ids
from handlers.slack.blocks.formatting import inert
from handlers.slack.file_export import ExportedFile, ExportKind
from handlers.slack.log_file import log_file


def _made(client: WebClient, consent: Service, id: str, actor: Actor) -> ExportedFile:
    contact, text = log_file(consent, id, actor)
    return ExportedFile(
        name="activity-log.csv",
        content=text.encode(),
        title="Activity Log",
        comment=f"The Activity Log of {inert(contact.name) or 'an erased contact'}",
    )


LOG = ExportKind(
    title="Export",
    file="The log",
    again="export the log again",
    again_id=ids.LOG_EXPORT_AGAIN,
    key="export",
    make=_made,
)
