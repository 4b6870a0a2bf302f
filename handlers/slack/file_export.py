"""Send a file about a contact by direct message, in the background and only once.

The third step of an upload to Slack shares the file and can't be undone. If its answer is lost, the
result is unknown. So Optin stores the file's id before that step, and looks for the file in Slack
before it sends another.
https://docs.slack.dev/messaging/working-with-files/#upload
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slack_sdk import WebClient

from bot.consent.errors import OptinError, StorageFailed
from bot.consent.model import Actor
from bot.consent.use_cases import Service, read_value, write_value
from handlers.slack import ids
from handlers.slack.alerts.slack_errors import CALL_FAILED, ErrorKind, slack_failure
from handlers.slack.blocks.elements import button
from handlers.slack.blocks.formatting import Block, date, escape, section
from handlers.slack.blocks.modal_frame import Metadata, View, modal
from handlers.slack.blocks.small_modals import message_modal
from handlers.slack.direct_file import direct_messages, has_arrived, patient, share, uploaded
from handlers.slack.noted_view import noted
from handlers.slack.response_url import SLACK_FAILED
from handlers.slack.slack_faults import lasting

logger = logging.getLogger(__name__)

#: Seconds that a click waits for the file. Most files arrive within them.
_MOSTLY_WITHIN = 1.0
#: How long Optin looks for a file whose arrival is unknown.
_LOOKED_FOR = timedelta(days=1)

#: Exports that this process is sending: one at a time for each person, contact and kind.
_RUNNING: set[str] = set()
_LOCK = threading.Lock()

_UNDER_WAY = "{file} is still on its way to your direct messages with Optin."
_SENT = "{file} is in your direct messages with Optin, as a file."
_UNKNOWN = (
    "Slack's answer was lost, so Optin can't tell whether the file arrived. Look in your direct "
    "messages with Optin. If it is not there, send it again."
)
#: For an unexpected error: it is unknown which step failed.
_BROKEN = (
    "Something broke on our side. Look in your direct messages with Optin. If the file is not "
    "there, {again}."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFile:
    """What is sent."""

    name: str
    content: bytes
    title: str
    #: In mrkdwn.
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportKind:
    """One kind of file about a contact."""

    #: Of the modal.
    title: str
    #: As a sentence begins with it, such as "The log".
    file: str
    #: How a sentence ends that says what to do once more.
    again: str
    #: The action of the button that sends it again.
    again_id: str
    #: How the name begins under which a file is stored whose arrival is unknown.
    key: str
    #: Makes the file of a contact, by id. Raises `OptinError`.
    make: Callable[[WebClient, Service, str, Actor], ExportedFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One file for one person."""

    kind: ExportKind
    client: WebClient
    consent: Service
    actor: Actor
    user: str
    contact: str
    #: The modal that shows the progress.
    view_id: str
    #: The modal below, where no other one fits on top: the progress is a note in it, below that
    #: block.
    under: dict[str, Any] | None = None
    below: str = ""
    #: Send the file even if an earlier one may have arrived.
    anyway: bool = False

    def start(self) -> None:
        """Export in a thread of its own. Return when that is done, or after a second."""
        thread = threading.Thread(target=self._run, name="export", daemon=True)
        thread.start()
        thread.join(_MOSTLY_WITHIN)

    def _run(self) -> None:
        with _LOCK:
            running = self._key in _RUNNING
            _RUNNING.add(self._key)
        if running:
            self._show(self._said(_UNDER_WAY))
            return
        try:
            view = self._outcome()
        finally:
            with _LOCK:
                _RUNNING.discard(self._key)
        self._show(view)

    def _outcome(self) -> View:
        try:
            return self._send()
        except OptinError as error:
            return message_modal(self.kind.title, error.public_sentence)
        except CALL_FAILED as error:
            logger.warning("a file could not be exported: %s", slack_failure(error).word)
            fault = lasting(error) or "Try again in a minute."
            said = f"Slack did not take the file, so nothing was sent. {fault}"
            return message_modal(self.kind.title, said)
        except Exception as error:  # noqa: BLE001 - nothing above a thread catches it
            logger.error("a file could not be exported: %s", type(error).__name__)
            return self._said(_BROKEN)

    def _send(self) -> View:
        """Send the file, and return the modal with the result. Raises if nothing was sent."""
        client = patient(self.client)
        kept = self._stored()
        if kept is not None and not self.anyway:
            file, at = kept
            arrived = has_arrived(client, file)
            if arrived:
                self._clear()
                return self._said(_SENT, f" It was sent {date(at)}.", markup=True)
            if arrived is None:
                return self._unknown()
        made = self.kind.make(client, self.consent, self.contact, self.actor)
        channel = direct_messages(client, self.user)
        file = uploaded(client, made.name, made.content)
        self._store(file)
        try:
            share(client, file, channel, title=made.title, comment=made.comment)
        except CALL_FAILED as error:
            if slack_failure(error).trouble is not ErrorKind.UNKNOWN:
                self._clear()
                raise
            logger.warning("whether a file was exported is unknown: %s", slack_failure(error).word)
            if not has_arrived(client, file):
                return self._unknown()
        self._clear()
        return self._said(_SENT)

    def _unknown(self) -> View:
        pointer = str(ids.Pointer(contact=self.contact, version=0))
        again = button("Send it again", self.kind.again_id, pointer)
        blocks: list[Block] = [
            section(escape(_UNKNOWN)),
            {"type": "actions", "elements": [again]},
        ]
        return modal(ids.WHY_MODAL, self.kind.title, blocks, Metadata(contact=self.contact))

    def _said(self, sentence: str, more: str = "", *, markup: bool = False) -> View:
        said = sentence.format(file=self.kind.file, again=self.kind.again) + more
        return message_modal(self.kind.title, said, markup=markup)

    def _show(self, view: View) -> None:
        if self.under is not None:
            note: Any = view["blocks"]
            view = noted(self.under, note, below=self.below)
        try:
            self.client.views_update(view_id=self.view_id, view=view)
        except SLACK_FAILED as failed:  # the person closed it meanwhile
            logger.info("an export's modal could not be updated: %s", type(failed).__name__)

    # The file whose arrival is still unknown, stored for all replicas

    @property
    def _key(self) -> str:
        return f"{self.kind.key}:{self.user}:{self.contact}"

    def _stored(self) -> tuple[str, datetime] | None:
        kept = json.loads(read_value(self.consent, self._key) or "null")
        if kept is None:
            return None
        at = datetime.fromisoformat(kept["at"])
        return (kept["file"], at) if abs(self.consent.now() - at) < _LOOKED_FOR else None

    def _store(self, file: str) -> None:
        kept = json.dumps({"file": file, "at": self.consent.now().isoformat()})
        write_value(self.consent, self._key, kept)

    def _clear(self) -> None:
        # If the storage fails, the next export finds out that this one has arrived.
        with suppress(StorageFailed):
            write_value(self.consent, self._key, None)
