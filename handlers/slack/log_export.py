"""The Activity Log as a file in one's own direct messages, sent in the background, once.

Slack's third step shares the file and can't be taken back. Where its answer is lost, nobody knows
whether the file is there: so its id is kept before that step, and looked for at Slack before
anything is sent again.
https://docs.slack.dev/messaging/working-with-files/#upload
"""

from __future__ import annotations

import json
import logging
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.request import Request, urlopen

from slack_sdk import WebClient

from bot.consent.errors import OptinError, StorageFailed
from bot.consent.model import Actor
from bot.consent.use_cases import Service, read_value, write_value
from handlers.slack import ids
from handlers.slack.alerts.slack_errors import CALL_FAILED, ErrorKind, slack_failure
from handlers.slack.blocks.card import button
from handlers.slack.blocks.formatting import Block, date, escape, inert, section
from handlers.slack.blocks.modal_frame import Metadata, View, modal
from handlers.slack.blocks.small_modals import message_modal
from handlers.slack.log_file import log_file
from handlers.slack.response_url import SLACK_FAILED
from handlers.slack.slack_faults import lasting

logger = logging.getLogger(__name__)

TITLE = "Export"
#: Seconds for one of Slack's answers: nobody waits for it.
_PATIENCE = 10
#: Seconds that a click waits for the file; most are there by then.
_MOSTLY_WITHIN = 1.0
#: A file that nobody knows about is looked for so long.
_LOOKED_FOR = timedelta(days=1)

#: Exports that are being sent by this process: one at a time of a log for a person.
_RUNNING: set[str] = set()
_LOCK = threading.Lock()

_UNDER_WAY = "The log is still on its way to your direct messages with Optin."
_SENT = "The log is in your direct messages with Optin, as a file."
_UNKNOWN = (
    "Slack's answer was lost, so Optin can't tell whether the file arrived. Look in your direct "
    "messages with Optin. If it is not there, send it again."
)

#: Nobody knows at which step.
_BROKEN = (
    "Something broke on our side. Look in your direct messages with Optin. If the file is not "
    "there, export the log again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One log for one person."""

    client: WebClient
    consent: Service
    actor: Actor
    user: str
    contact: str
    #: The modal that says how it goes.
    view_id: str
    #: Sent although an earlier one may have arrived.
    anyway: bool = False

    def start(self) -> None:
        """In a thread of its own. Returns when it is done, or a second later."""
        thread = threading.Thread(target=self._run, name="export", daemon=True)
        thread.start()
        thread.join(_MOSTLY_WITHIN)

    def _run(self) -> None:
        with _LOCK:
            running = self._mark in _RUNNING
            _RUNNING.add(self._mark)
        if running:
            self._show(message_modal(TITLE, _UNDER_WAY))
            return
        try:
            view = self._outcome()
        finally:
            with _LOCK:
                _RUNNING.discard(self._mark)
        self._show(view)

    def _outcome(self) -> View:
        try:
            return self._send()
        except OptinError as error:
            return message_modal(TITLE, error.sentence)
        except CALL_FAILED as error:
            logger.warning("a log could not be exported: %s", slack_failure(error).word)
            fault = lasting(error) or "Try again in a minute."
            said = f"Slack did not take the file, so nothing was sent. {fault}"
            return message_modal(TITLE, said)
        except Exception as error:  # noqa: BLE001 - a thread has nobody above it
            logger.error("a log could not be exported: %s", type(error).__name__)
            return message_modal(TITLE, _BROKEN)

    def _send(self) -> View:
        """What the modal says then. Raises where nothing was sent."""
        client = self._client()
        kept = self._kept()
        if kept is not None and not self.anyway:
            file, at = kept
            arrived = _has_arrived(client, file)
            if arrived:
                self._forget()
                return message_modal(TITLE, f"{_SENT} It was sent {date(at)}.", markup=True)
            if arrived is None:
                return self._unknown()
        contact, text = log_file(self.consent, self.contact, self.actor)
        channel = client.conversations_open(users=self.user)["channel"]["id"]
        file = _uploaded(client, text.encode())
        self._keep(file)
        try:
            client.files_completeUploadExternal(
                files=[{"id": file, "title": "Activity Log"}],
                channel_id=str(channel),
                initial_comment=f"The Activity Log of {inert(contact.name) or 'an erased contact'}",
            )
        except CALL_FAILED as error:
            if slack_failure(error).trouble is not ErrorKind.UNKNOWN:
                self._forget()
                raise
            logger.warning("whether a log was exported is unknown: %s", slack_failure(error).word)
            if not _has_arrived(client, file):
                return self._unknown()
        self._forget()
        return message_modal(TITLE, _SENT)

    def _unknown(self) -> View:
        blocks: list[Block] = [
            section(escape(_UNKNOWN)),
            {"type": "actions", "elements": [button("Send it again", ids.LOG_EXPORT_AGAIN, "x")]},
        ]
        return modal(ids.WHY_MODAL, TITLE, blocks, Metadata(contact=self.contact))

    def _show(self, view: View) -> None:
        try:
            self.client.views_update(view_id=self.view_id, view=view)
        except SLACK_FAILED as failed:  # it was closed meanwhile
            logger.info("an export's modal could not be updated: %s", type(failed).__name__)

    def _client(self) -> WebClient:
        """With time, and without the SDK's repeating: the last step is made once."""
        given = self.client
        return WebClient(
            token=given.token,
            base_url=given.base_url,
            timeout=_PATIENCE,
            ssl=given.ssl,
            proxy=given.proxy,
            retry_handlers=[],
        )

    # The file whose arrival nobody knows of yet, for every replica

    @property
    def _mark(self) -> str:
        return f"export:{self.user}:{self.contact}"

    def _kept(self) -> tuple[str, datetime] | None:
        kept = json.loads(read_value(self.consent, self._mark) or "null")
        if kept is None:
            return None
        at = datetime.fromisoformat(kept["at"])
        return (kept["file"], at) if abs(self.consent.now() - at) < _LOOKED_FOR else None

    def _keep(self, file: str) -> None:
        kept = json.dumps({"file": file, "at": self.consent.now().isoformat()})
        write_value(self.consent, self._mark, kept)

    def _forget(self) -> None:
        # Where the storage does not take it, the next export finds that this one has arrived.
        with suppress(StorageFailed):
            write_value(self.consent, self._mark, None)


def _uploaded(client: WebClient, content: bytes) -> str:
    """Slack's id of a file that nobody sees yet."""
    place = client.files_getUploadURLExternal(filename="activity-log.csv", length=len(content))
    request = Request(str(place["upload_url"]), data=content, method="POST")  # noqa: S310 - Slack's own
    request.add_header("Content-Type", "application/octet-stream")
    with urlopen(request, timeout=_PATIENCE, context=client.ssl) as answer:  # noqa: S310 - the same
        answer.read()
    return str(place["file_id"])


def _has_arrived(client: WebClient, file: str) -> bool | None:
    """Whether Slack shows the file to somebody; None where it does not say."""
    try:
        found = client.files_info(file=file)["file"]
    except CALL_FAILED as error:
        word = slack_failure(error).word
        return False if word in ("file_not_found", "file_deleted") else None
    return any(found.get(name) for name in ("ims", "channels", "groups", "shares"))
