"""The one error handler: a sentence for the person, and for what nobody expected a reference.

What a rule refuses is answered where it was asked: at the field of the modal, in the message, or in
a modal on top. Decided before the ack, so that Slack never shows a timeout instead
(reliability.md §1.4).
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from slack_bolt import BoltResponse
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.consent.errors import OptinError, StorageFailed
from handlers.slack.blocks.modals import message_modal
from handlers.slack.blocks.text import SENTENCE, escape, shown
from handlers.slack.reply import SLACK_FAILED, reply

logger = logging.getLogger(__name__)

_AGAIN = "Slack waited too long for that. Press it again."
_MOVED_ON = "This window has moved on meanwhile. Close it and open it again."
#: Slack's words for what a person can mend.
_MENDABLE = {
    "expired_trigger_id": _AGAIN,
    "exchanged_trigger_id": _AGAIN,
    "trigger_expired": _AGAIN,
    "trigger_exchanged": _AGAIN,
    "hash_conflict": _MOVED_ON,
    "not_found": _MOVED_ON,
    "view_not_found": _MOVED_ON,
    "push_limit_reached": "Three windows are open, which is as many as Slack allows. Close one.",
}
#: Slack's words for trouble of its own.
_BUSY = frozenset({"ratelimited", "service_unavailable", "internal_error", "fatal_error", ""})
_WORD = re.compile(r"[a-z_]+")


class NotShown(Exception):
    """The change was saved, but Slack could not show it here. Look the contact up again."""


@contextmanager
def saved() -> Iterator[None]:
    """For what is drawn after a change was stored: whatever fails in here, nobody reads that
    nothing was changed."""
    try:
        yield
    except Exception as error:
        raise NotShown from error


def answer(error: Exception, body: dict[str, Any], client: WebClient) -> BoltResponse:
    """What Slack is told; never an error status, which a person would see as a timeout."""
    field, sentence = _say(error)
    match body.get("type"):
        case "view_submission":
            return _at_the_field(body["view"], field, sentence)
        case "block_suggestion":
            return BoltResponse(status=200, body={"options": []})
        case "block_actions":
            _tell(body, client, sentence)
            return BoltResponse(status=200, body="")
    if "command" in body:
        said = {"response_type": "ephemeral", "text": escape(sentence)}
        return BoltResponse(status=200, body=said)
    return BoltResponse(status=200, body="")


def _say(error: Exception) -> tuple[str | None, str]:
    """The field that is wrong, if it is one, and the sentence."""
    match error:
        case StorageFailed():
            logger.error("the storage failed: %s", error.sentence)
            return None, error.sentence
        case OptinError():
            return error.field, shown(error.sentence, SENTENCE)
        case NotShown(__cause__=Exception() as cause):
            _log(cause)
            return None, " ".join(str(NotShown.__doc__).split())
        case SlackApiError() if (word := _slacks_word(error)) in _MENDABLE:
            return None, _MENDABLE[word]
        case SlackApiError() if _slacks_word(error) not in _BUSY:
            pass
        case _ if isinstance(error, SLACK_FAILED):
            _log(error)
            return None, "Slack did not answer us, so nothing was changed. Try again in a minute."
    return None, (
        f"Something broke on our side. Nothing was changed. Reference {_log(error)}: "
        "give it to whoever runs Optin."
    )


def _slacks_word(error: SlackApiError) -> str:
    """Why Slack refused; empty where its answer was no JSON, and may be anything."""
    word = str(error.response.get("error") or "")
    return word if _WORD.fullmatch(word) else ""


def _log(error: Exception) -> str:
    """Writes down what broke, and where; the reference under which it stands there."""
    reference = secrets.token_hex(3)[:5].upper()
    said = f" ({_slacks_word(error)})" if isinstance(error, SlackApiError) else ""
    # The exception's own text may hold what a contact wrote, so only its kind and place are logged.
    bare = RuntimeError(f"{type(error).__module__}.{type(error).__qualname__}{said}")
    where = (RuntimeError, bare, error.__traceback__)
    logger.error("reference %s: %s%s", reference, type(error).__name__, said, exc_info=where)
    return reference


def _at_the_field(view: dict[str, Any], field: str | None, sentence: str) -> BoltResponse:
    """`errors` go to input blocks only: the one that is meant, else the first."""
    inputs = [b["block_id"] for b in view.get("blocks", ()) if b.get("type") == "input"]
    if not inputs:
        modal = message_modal("Not saved", sentence)
        return BoltResponse(status=200, body={"response_action": "update", "view": modal})
    meant = next((id for id in inputs if id.partition(".")[0] == field), inputs[0])
    return BoltResponse(status=200, body={"response_action": "errors", "errors": {meant: sentence}})


def _tell(body: dict[str, Any], client: WebClient, sentence: str) -> None:
    """On top of the modal, or below the message; where neither can be, in one's own direct
    messages."""
    try:
        if "view" in body:
            modal = message_modal("Not done", sentence)
            client.views_push(trigger_id=body["trigger_id"], view=modal)
            return
    except SLACK_FAILED as failed:
        logger.info("a refusal did not get on top of its modal: %s", type(failed).__name__)
    try:
        if not reply(client, str(body.get("response_url") or ""), escape(sentence)):
            client.chat_postMessage(channel=body["user"]["id"], text=escape(sentence))
    except SLACK_FAILED as failed:
        logger.warning("a refusal could not be shown: %s", type(failed).__name__)
