"""`/optin check`: a list of addresses, each with its answer; and the same as a file."""

from __future__ import annotations

import logging
import threading
from itertools import islice
from typing import Any

from slack_bolt import Ack
from slack_sdk import WebClient

from bot.consent.errors import Invalid, OptinError
from bot.consent.model import Actor
from bot.consent.permissions import Action, authorize
from bot.consent.use_cases import CheckedAddress, Service, check_addresses
from handlers.address_list import counts, read_addresses, read_list, write_answers
from handlers.slack.alerts.slack_errors import CALL_FAILED, ErrorKind, slack_failure
from handlers.slack.blocks.check_modals import (
    ADDRESSES,
    FILE,
    MOST_PASTED,
    check_modal,
    checked_modal,
)
from handlers.slack.blocks.modal_frame import View
from handlers.slack.blocks.small_modals import message_modal
from handlers.slack.direct_file import direct_messages, patient, share, uploaded
from handlers.slack.interaction import states
from handlers.slack.response_url import SLACK_FAILED
from handlers.slack.rich_text import lines
from handlers.slack.slack_faults import lasting
from handlers.slack.uploaded_file import fetch, temporary_folder, uploaded_id

logger = logging.getLogger(__name__)

TITLE = "Check a list"
#: Addresses and bytes of a file.
MOST_UPLOADED = 20_000
_MOST_BYTES = 10 * 1024 * 1024
#: Seconds that the answers wait for their file; most files are there by then.
_MOSTLY_WITHIN = 1.0

_SENDING = "The same as a file, with the next step of each, is on its way to your direct messages."
_SENT = "The same as a file, with the next step of each, is in your direct messages with Optin."
_UNKNOWN = (
    "Slack's answer was lost, so Optin can't tell whether the file with the next steps arrived. "
    "Look in your direct messages with Optin. If it is not there, check the list again."
)
_READING = "The file is being read. The answers come here, and as a file by direct message."
_BROKEN = "Something broke on our side, and nothing was checked. Upload the file again."
_NOT_SENT = "Slack did not take the file with the next steps. {fault}"


def opened(consent: Service, actor: Actor) -> View:
    """The modal for a list."""
    authorize(actor, Action.LOOK)
    return check_modal()


def submitted(
    ack: Ack, view: dict[str, Any], client: WebClient, consent: Service, actor: Actor
) -> None:
    """The answers take the place of the list, and go as a file to whoever asked."""
    fields = states(view)
    typed = fields.get(ADDRESSES, {}).get(ADDRESSES, {}).get("rich_text_value")
    addresses = list(read_addresses(lines(typed)))
    file = uploaded_id(fields, FILE)
    if not addresses and file is None:
        raise Invalid("Paste at least one phone number or e-mail address.", field=ADDRESSES)
    if len(addresses) > MOST_PASTED:
        said = f"These are {len(addresses):,} addresses, and {MOST_PASTED} fit. Upload a file."
        raise Invalid(said, field=ADDRESSES)
    answers = list(check_addresses(consent, addresses, actor))
    check = _Check(
        client=client,
        consent=consent,
        actor=actor,
        view_id=str(view.get("id")),
        file=file,
        answers=answers,
    )
    ack(response_action="update", view=check.started())


class _Check:
    """One list of one person: the uploaded file is read, and the answers are sent as a file, in a
    thread of its own."""

    def __init__(
        self,
        *,
        client: WebClient,
        consent: Service,
        actor: Actor,
        view_id: str,
        file: str | None,
        answers: list[CheckedAddress],
    ) -> None:
        self._client = client
        self._consent = consent
        self._actor = actor
        self._user = actor.id.removeprefix("slack:")
        self._view_id = view_id
        self._file = file
        self._answers = answers
        self._outcome: View | None = None
        #: The modal shows already that the rest is on its way.
        self._is_late = False
        self._lock = threading.Lock()

    def started(self) -> View:
        """The outcome, if it is there within a second; else the modal gets it later."""
        answers = list(self._answers)
        thread = threading.Thread(target=self._run, name="check", daemon=True)
        thread.start()
        thread.join(_MOSTLY_WITHIN)
        with self._lock:
            self._is_late = self._outcome is None
            return self._outcome or (
                message_modal(TITLE, _READING) if self._file else checked_modal(answers, _SENDING)
            )

    def _run(self) -> None:
        outcome = self._found()
        with self._lock:
            self._outcome = outcome
            if not self._is_late:
                return
        try:
            self._client.views_update(view_id=self._view_id, view=outcome)
        except SLACK_FAILED as failed:  # it was closed meanwhile
            logger.info("a checked list could not be updated: %s", type(failed).__name__)

    def _found(self) -> View:
        """What the modal shows in the end."""
        try:
            if self._file:
                addresses = self._uploaded(self._file)
                self._answers += check_addresses(self._consent, addresses, self._actor)
        except OptinError as error:
            return message_modal(TITLE, error.public_sentence)
        except CALL_FAILED as error:
            logger.warning("a list could not be fetched: %s", slack_failure(error).word)
            fault = lasting(error) or "Upload it again in a minute."
            return message_modal(TITLE, f"Slack did not give the file. {fault}")
        except Exception as error:  # noqa: BLE001 - a thread has nobody above it
            logger.error("a list could not be checked: %s", type(error).__name__)
            return message_modal(TITLE, _BROKEN)
        try:
            return checked_modal(self._answers, self._send())
        except CALL_FAILED as error:
            logger.warning("a checked list could not be sent: %s", slack_failure(error).word)
            fault = lasting(error) or "Check the list again in a minute."
            return checked_modal(self._answers, _NOT_SENT.format(fault=fault))

    def _uploaded(self, id: str) -> list[str]:
        """The addresses in the file. It is kept nowhere but in a temporary file meanwhile."""
        with temporary_folder() as folder:
            path = folder / "list"
            with path.open("wb") as file:
                now = self._consent.now()
                fetch(patient(self._client), id, self._user, file, most=_MOST_BYTES, now=now)
            addresses = list(islice(read_list(path), MOST_UPLOADED + 1))
        if not addresses:
            raise Invalid("There is no phone number and no e-mail address in this file.")
        if len(addresses) > MOST_UPLOADED:
            raise Invalid(f"More than {MOST_UPLOADED:,} addresses: split the file.")
        return addresses

    def _send(self) -> str:
        """What the modal says then. Raises where nothing was sent."""
        client = patient(self._client)
        channel = direct_messages(client, self._user)
        content = "".join(write_answers(self._answers)).encode()
        file = uploaded(client, "checked-addresses.csv", content)
        try:
            comment = f"The list that you checked: {counts(self._answers)}"
            share(client, file, channel, title="Checked addresses", comment=comment)
        except CALL_FAILED as error:
            if slack_failure(error).trouble is not ErrorKind.UNKNOWN:
                raise
            logger.warning("whether a list was sent is unknown: %s", slack_failure(error).word)
            return _UNKNOWN
        return _SENT
