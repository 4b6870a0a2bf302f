"""`/optin import`: the modal, and the buttons of its message. The worker does the rest."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Any

from slack_bolt import Ack
from slack_sdk import WebClient

from bot.consent.errors import Invalid, StorageFailed
from bot.consent.model import Actor
from bot.consent.permissions import Action, authorize
from bot.consent.use_cases import Service
from bot.consent.use_cases.imports.import_jobs import decide_job, job_redrawn, start_job
from bot.consent.use_cases.imports.stored_jobs import ImportJob, JobState
from handlers.contacts_file import ListKind
from handlers.slack import ids
from handlers.slack.blocks.formatting import Block
from handlers.slack.blocks.modal_frame import View
from handlers.slack.blocks.small_modals import message_modal
from handlers.slack.imports import import_blocks
from handlers.slack.imports.import_blocks import FILE, KIND, LEAVE_OUT, PROVIDER
from handlers.slack.interaction import Body, states, value
from handlers.slack.response_url import SLACK_FAILED
from handlers.slack.uploaded_file import uploaded_id, uploaded_name

logger = logging.getLogger(__name__)

_STARTED = (
    "The file is being read. What it would bring comes to your direct messages with Optin, and "
    "nothing changes before you press Import there."
)


def opened(consent: Service, actor: Actor) -> View:
    """The modal. Raises `NotAllowed` for whoever is no manager."""
    authorize(actor, Action.IMPORT)
    return import_blocks.import_modal(consent.providers)


def submitted(ack: Ack, view: dict[str, Any], consent: Service, actor: Actor) -> None:
    """Keeps the job for the worker."""
    fields = states(view)
    file = uploaded_id(fields, FILE)
    if file is None:
        raise Invalid("Upload a file.", field=FILE)
    kind, provider = _option(fields, KIND) or ListKind.CONTACTS, _option(fields, PROVIDER)
    if provider and kind == ListKind.CONTACTS:
        said = "Contacts are nobody's suppression list. Say above which list the file is."
        raise Invalid(said, field=PROVIDER)
    name = uploaded_name(fields, FILE)
    start_job(consent, actor, file=file, name=name, kind=kind, provider=provider)
    ack(response_action="update", view=message_modal("Import", _STARTED))


def went(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """*Import*, confirmed."""
    job = _decided(consent, actor, body, {JobState.READY}, JobState.IMPORTING)
    _redraw(client, consent, job, import_blocks.importing(job))
    ack()


def cancelled(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """*Cancel*, before anything was imported."""
    job = _decided(consent, actor, body, {JobState.READY, JobState.ASKING}, JobState.CANCELLED)
    _redraw(client, consent, job, import_blocks.ended(job, "Cancelled. Nothing was imported."))
    ack()


def explained(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """*Go on*, once every column has a meaning: the file is read again with them."""
    chosen = _meanings(body)
    job = _decided(consent, actor, body, {JobState.ASKING}, JobState.READING, chosen)
    _redraw(client, consent, job, import_blocks.being_read(job))
    ack()


def chose(ack: Ack) -> None:
    """A meaning was chosen. It counts when *Go on* is pressed."""
    ack()


def took_back(ack: Ack, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
    """*Undo this import*, confirmed."""
    job = _decided(consent, actor, body, {JobState.DONE, JobState.FAILED}, JobState.UNDOING)
    _redraw(client, consent, job, import_blocks.undoing(job))
    ack()


def _meanings(body: Body) -> list[str]:
    """What was chosen for each column, in the message's order. Raises `Invalid` while one has
    nothing."""
    state = body.get("state")
    values = state.get("values") if isinstance(state, dict) else None
    found: dict[int, str] = {}
    for fields in (values or {}).values():
        for action, field in fields.items():
            option = field.get("selected_option") if isinstance(field, dict) else None
            if action.startswith(ids.IMPORT_MEANING) and option:
                found[int(action.removeprefix(ids.IMPORT_MEANING))] = str(option["value"])
    asked = [
        block
        for block in (body.get("message") or {}).get("blocks", ())
        if str(block.get("block_id", "")).startswith("column.")
    ]
    if len(found) < len(asked) or not asked:
        raise Invalid("Choose for each column what it means, or leave it out. Then go on.")
    return ["" if found[n] == LEAVE_OUT else found[n] for n in sorted(found)]


def _option(fields: dict[str, dict[str, Any]], block: str) -> str:
    chosen = fields.get(block, {}).get(block, {}).get("selected_option")
    return str(chosen.get("value") or "") if isinstance(chosen, dict) else ""


def _decided(
    consent: Service,
    actor: Actor,
    body: Body,
    asked_in: Collection[JobState],
    state: JobState,
    meanings: Sequence[str] = (),
) -> ImportJob:
    """The job of the button, in its next state."""
    return decide_job(
        consent,
        actor,
        value(body),
        asked_in=asked_in,
        state=state,
        meanings=meanings,
        redraws=True,
    )


def _redraw(client: WebClient, consent: Service, job: ImportJob, blocks: list[Block]) -> None:
    """At once, so that nobody presses twice. The worker begins after it: a late redraw must not
    cover what the worker says."""
    try:
        client.chat_update(channel=job.slack_channel, ts=job.ts, text="Import", blocks=blocks)
    except SLACK_FAILED as failed:
        logger.info("an import's message waits for the worker: %s", type(failed).__name__)
    try:
        job_redrawn(consent, job)
    except StorageFailed:  # what was pressed is stored, and the worker begins in a moment
        logger.warning("an import begins a little later: the storage failed")
