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
from handlers.slack.direct_file import direct_messages, has_arrived, patient, share, uploaded
from handlers.slack.log_file import log_file
from handlers.slack.response_url import SLACK_FAILED
from handlers.slack.slack_faults import lasting

logger = logging.getLogger(__name__)

TITLE = "Export"
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
        client = patient(self.client)
        kept = self._kept()
        if kept is not None and not self.anyway:
            file, at = kept
            arrived = has_arrived(client, file)
            if arrived:
                self._forget()
                return message_modal(TITLE, f"{_SENT} It was sent {date(at)}.", markup=True)
            if arrived is None:
                return self._unknown()
        contact, text = log_file(self.consent, self.contact, self.actor)
        channel = direct_messages(client, self.user)
        file = uploaded(client, "activity-log.csv", text.encode())
        self._keep(file)
        try:
            comment = f"The Activity Log of {inert(contact.name) or 'an erased contact'}"
            share(client, file, channel, title="Activity Log", comment=comment)
        except CALL_FAILED as error:
            if slack_failure(error).trouble is not ErrorKind.UNKNOWN:
                self._forget()
                raise
            logger.warning("whether a log was exported is unknown: %s", slack_failure(error).word)
            if not has_arrived(client, file):
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
