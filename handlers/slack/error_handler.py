"""The only error handler. It shows the person a sentence, with a reference if Optin broke.

The sentence appears where the person acted: at the field of the modal, in the message, or in a
modal on top. It is part of the answer to Slack, so that Slack never shows a timeout instead.
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

from bot.consent.errors import NotAllowed, OptinError, StorageFailed, without_text
from handlers.slack.blocks.formatting import SENTENCE, escape, section, shown
from handlers.slack.blocks.modal_frame import View
from handlers.slack.blocks.small_modals import message_modal
from handlers.slack.noted_view import note_below, noted
from handlers.slack.response_url import SLACK_FAILED, reply
from handlers.slack.slack_faults import lasting, passes

logger = logging.getLogger(__name__)

_AGAIN = "Slack waited too long for that. Press it again."
_MOVED_ON = "This window has moved on meanwhile. Close it and open it again."
#: Slack's error codes for what the person can fix, each with the sentence to show.
_MENDABLE = {
    "expired_trigger_id": _AGAIN,
    "exchanged_trigger_id": _AGAIN,
    "trigger_expired": _AGAIN,
    "trigger_exchanged": _AGAIN,
    "invalid_trigger_id": _AGAIN,
    "invalid_trigger": _AGAIN,
    "hash_conflict": _MOVED_ON,
    "not_found": _MOVED_ON,
    "view_not_found": _MOVED_ON,
    "push_limit_reached": "Three windows are open, which is as many as Slack allows. Close one.",
}
#: The argument that Slack rejects, if its error code is `invalid_arguments`.
_POINTED_AT = {
    "[json-pointer:/trigger_id]": _AGAIN,
    "[json-pointer:/view_id]": _MOVED_ON,
    "[json-pointer:/hash]": _MOVED_ON,
}
_WORD = re.compile(r"[a-z_]+")
_USER = re.compile(r"[UW][A-Z0-9]{1,20}")
#: Answered in a modal: a channel that Optin is not in shows no message of it.
_SHORTCUTS = frozenset({"shortcut", "message_action"})


class NotShown(Exception):
    """The change was saved, but Slack could not show it here. Look the contact up again."""


@contextmanager
def saved() -> Iterator[None]:
    """Raise `NotShown` if drawing fails after a change was stored. Without this, the person would
    read that nothing was changed."""
    try:
        yield
    except Exception as error:
        raise NotShown from error


def answer(
    error: Exception, body: dict[str, Any], client: WebClient, *, doubt: str = ""
) -> BoltResponse:
    """The answer to Slack. Its status is always 200: a person would see an error status as a
    timeout. `doubt` says why Optin may not recognise the roles of people at this moment."""
    field, sentence = _say(error)
    if isinstance(error, NotAllowed):
        logger.warning("refused to %s: %s", _person(body), _tried(body))
    sentence = _with_doubt(error, sentence, doubt)
    if "command" in body:
        said = {"response_type": "ephemeral", "text": escape(sentence)}
        return BoltResponse(status=200, body=said)
    match body.get("type"):
        case "view_submission":
            return _at_the_field(body.get("view"), field, sentence)
        case "block_suggestion":
            return BoltResponse(status=200, body={"options": []})
        case "event_callback" | "view_closed":
            return BoltResponse(status=200, body="")
    tell(body, client, sentence)
    return BoltResponse(status=200, body="")


def _person(body: dict[str, Any]) -> str:
    """Slack's id of whoever asked. What Slack does not make is left out of the log."""
    user = body.get("user")
    id = user.get("id") if isinstance(user, dict) else body.get("user_id")
    return id if isinstance(id, str) and _USER.fullmatch(id) else "somebody"


def _tried(body: dict[str, Any]) -> str:
    """What they tried, in the words of `ids`."""
    if "command" in body:
        return "a command"
    actions, view = body.get("actions"), body.get("view")
    first = actions[0] if isinstance(actions, list) and actions else {}
    tried = first.get("action_id") if isinstance(first, dict) else None
    if tried is None and isinstance(view, dict):
        tried = view.get("callback_id")
    word = str(tried or "").partition(".")[0]
    return word if _WORD.fullmatch(word) else "something"


def sentence_of(error: Exception, *, doubt: str = "") -> str:
    """What the person reads, where the acknowledgement has gone already."""
    return _with_doubt(error, _say(error)[1], doubt)


def _with_doubt(error: Exception, sentence: str, doubt: str) -> str:
    if doubt and isinstance(error, NotAllowed) and doubt not in sentence:
        return f"{sentence} {doubt}"
    return sentence


def _say(error: Exception) -> tuple[str | None, str]:  # noqa: PLR0911 - a table of errors
    """The field that the error is about, if any, and the sentence."""
    match error:
        case StorageFailed():
            logger.error("the storage failed: %s", error.sentence)
            return None, error.public_sentence
        case OptinError():
            return error.field, shown(error.sentence, SENTENCE)
        case NotShown(__cause__=Exception() as cause):
            _log(cause)
            return None, " ".join(str(NotShown.__doc__).split())
        case SlackApiError() if (mended := _mendable(error)) is not None:
            return None, mended
        case _ if isinstance(error, SLACK_FAILED):
            if (fault := lasting(error)) is not None:
                _log(error)
                return None, f"{fault} Nothing was changed."
            if passes(error):
                _log(error)
                return None, "Slack did not answer, so nothing was changed. Try again in a minute."
    return None, (
        f"Something broke on our side. Nothing was changed. Reference {_log(error)}: "
        "give it to whoever runs Optin."
    )


def _mendable(error: SlackApiError) -> str | None:
    """The sentence that says what the person can do at once, if they can do something."""
    if known := _MENDABLE.get(_slacks_word(error)):
        return known
    data = error.response.data
    metadata = data.get("response_metadata") if isinstance(data, dict) else None
    messages = metadata.get("messages") if isinstance(metadata, dict) else None
    for message in messages if isinstance(messages, list) else ():
        for pointer, said in _POINTED_AT.items():
            if pointer in str(message):
                return said
    return None


def _slacks_word(error: SlackApiError) -> str:
    """Slack's error code. Empty if the answer was not JSON and may contain anything."""
    word = str(error.response.get("error") or "")
    return word if _WORD.fullmatch(word) else ""


def _log(error: Exception) -> str:
    """Log the error with its traceback, and return the reference of that log entry."""
    reference = secrets.token_hex(3)[:5].upper()
    said = f" ({_slacks_word(error)})" if isinstance(error, SlackApiError) else ""
    bare = without_text(error, said)
    logger.error("reference %s: %s%s", reference, type(error).__name__, said, exc_info=bare)
    return reference


def _at_the_field(view: object, field: str | None, sentence: str) -> BoltResponse:
    """Show the sentence in the form. Slack shows `errors` at input blocks only.

    A sentence about one field goes to that field, and one about the whole form to the first field.
    A sentence about a field that this form does not have goes above the form.
    """
    inputs = _inputs(view)
    meant = [id for id in inputs if id.partition(".")[0] == field]
    if meant or (inputs and field is None):
        errors = {(meant or inputs)[0]: sentence}
        return BoltResponse(status=200, body={"response_action": "errors", "errors": errors})
    if not inputs:
        again: View = message_modal("Not saved", sentence)
    else:
        again = noted(view, [section(f"⚠️ {escape(sentence)}")])
    return BoltResponse(status=200, body={"response_action": "update", "view": again})


def _inputs(view: object) -> list[str]:
    blocks = view.get("blocks") if isinstance(view, dict) else None
    return [
        str(block.get("block_id"))
        for block in (blocks if isinstance(blocks, list) else ())
        if isinstance(block, dict) and block.get("type") == "input"
    ]


def tell(body: dict[str, Any], client: WebClient, sentence: str) -> None:
    """Show the sentence on top of the modal or below the message; in the modal, if no other fits on
    top. If none of these is possible, send it as a direct message."""
    trigger = body.get("trigger_id")
    try:
        modal = message_modal("Not done", sentence)
        view = body.get("view")
        at_home = isinstance(view, dict) and view.get("type") == "home"
        if isinstance(view, dict) and not at_home and isinstance(trigger, str):
            client.views_push(trigger_id=trigger, view=modal)
            return
        if (at_home or body.get("type") in _SHORTCUTS) and isinstance(trigger, str):
            client.views_open(trigger_id=trigger, view=modal)
            return
    except SLACK_FAILED as failed:
        logger.info("a modal with an error could not be shown: %s", type(failed).__name__)
        if note_below(client, body, f"⚠️ {escape(sentence)}"):
            return
    user = body.get("user")
    id = user.get("id") if isinstance(user, dict) else user
    try:
        container = body.get("container")
        thread = container.get("thread_ts") if isinstance(container, dict) else None
        url = str(body.get("response_url") or "")
        if reply(client, url, escape(sentence), thread=thread):
            return
        if isinstance(id, str) and id:
            client.chat_postMessage(channel=id, text=escape(sentence))
            return
    except SLACK_FAILED as failed:
        logger.warning("an error sentence could not be shown: %s", type(failed).__name__)
        return
    logger.warning("an error sentence could not be shown: Slack names neither person nor place")
