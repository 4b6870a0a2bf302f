"""What came with a request, and the two ways to answer one: a modal, or a private sentence.

Slack may leave anything out of a payload: what a listener needs it asks for here, and gets it, or
raises `Invalid`.
"""

from __future__ import annotations

import logging
import secrets
from typing import Any

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from bot.consent.errors import Invalid
from handlers.slack import ids
from handlers.slack.alerts.slack_errors import ErrorKind, slack_failure
from handlers.slack.blocks.modal_frame import View
from handlers.slack.blocks.small_modals import message_modal
from handlers.slack.noted_view import note_below
from handlers.slack.response_url import SLACK_FAILED, reply

logger = logging.getLogger(__name__)

Body = dict[str, Any]

INCOMPLETE = "Slack left out a part of this request, so nothing was changed. Try it again."
#: In these a field of a modal says what it holds.
_SAYING = frozenset(
    {
        "value",
        "selected_option",
        "selected_options",
        "selected_conversation",
        "selected_date_time",
        "rich_text_value",
        "files",
    }
)


def pressed(body: Body) -> dict[str, Any]:
    """The action."""
    for action in body.get("actions") or ():
        if isinstance(action, dict):
            return action
    raise Invalid(INCOMPLETE)


def chosen(body: Body) -> str:
    """The value of the option that was chosen."""
    option = pressed(body).get("selected_option")
    return str(option.get("value") or "") if isinstance(option, dict) else ""


def view(body: Body) -> dict[str, Any]:
    """The modal that was pressed in, or submitted."""
    found = body.get("view")
    if not isinstance(found, dict):
        raise Invalid(INCOMPLETE)
    return found


def view_id(body: Body) -> str:
    """Slack's id of that modal."""
    return text(view(body), "id")


def in_modal(body: Body) -> bool:
    """Whether a modal was pressed in, so that another one goes on top of it. A person's Home is a
    view, too, and nothing goes on top of it but a first modal."""
    return "view" in body and not at_home(body)


def at_home(body: Body) -> bool:
    """Whether it was pressed in a person's Home."""
    found = body.get("view")
    return isinstance(found, dict) and found.get("type") == "home"


def user(body: Body) -> str:
    """Slack's id of the person."""
    found = body.get("user")
    return text(found, "id") if isinstance(found, dict) else text(body, "user_id")


def trigger(body: Body) -> str:
    """What opens one modal, within three seconds."""
    return text(body, "trigger_id")


def states(view: dict[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """What stands in the fields of a modal: by block, by action. An emptied field has a null; one
    that says nothing was left out by Slack, and is left out here."""
    state = view.get("state")
    values = state.get("values") if isinstance(state, dict) else None
    if not isinstance(values, dict):
        raise Invalid("Slack left out what you typed, so nothing was saved. Save it again.")
    return {
        block: {
            action: field
            for action, field in fields.items()
            if isinstance(field, dict) and _SAYING & field.keys()
        }
        for block, fields in values.items()
        if isinstance(fields, dict)
    }


def text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value:
        raise Invalid(INCOMPLETE)
    return value


def value(body: Body) -> str:
    """The button's value."""
    return str(pressed(body).get("value", ""))


def pointer(body: Body) -> ids.Pointer:
    """What the button points at. Raises `Invalid` for what we never wrote."""
    return ids.Pointer.read(pressed(body).get("value"))


def url(body: Body) -> str:
    """Where the message that was clicked can be answered; empty in a modal."""
    return str(body.get("response_url") or "")


def show(client: WebClient, body: Body, modal: View) -> str:
    """On top of the modal that was pressed in, or as the first one; Slack's id of it.

    Where Slack's answer is lost the modal may be open all the same, so it is looked for by an id of
    our own before anybody reads that it failed.
    """
    opens = client.views_push if in_modal(body) else client.views_open
    modal = modal | {"external_id": secrets.token_hex(16)}
    trigger_id = trigger(body)
    try:
        return _id(opens(trigger_id=trigger_id, view=modal))
    except SLACK_FAILED as error:
        if slack_failure(error).trouble is not ErrorKind.UNKNOWN:
            raise
        try:
            return _id(client.views_update(external_id=str(modal["external_id"]), view=modal))
        except SLACK_FAILED:
            raise error from None


def say(client: WebClient, body: Body, text: str) -> None:
    """In private: below the message, on top of the modal, or in it if no other fits on top; where
    Slack takes none of these, in one's own direct messages. `text` is mrkdwn."""
    try:
        if "view" in body:
            show(client, body, message_modal("Optin", text, markup=True))
            return
    except SLACK_FAILED as failed:
        logger.info("an answer did not get on top of its modal: %s", type(failed).__name__)
        if note_below(client, body, text):
            return
    if reply(client, url(body), text, thread=thread(body)):
        return
    try:
        client.chat_postMessage(channel=user(body), text=text)
    except SLACK_FAILED as failed:
        logger.warning("an answer could not be shown: %s", type(failed).__name__)


def thread(body: Body) -> str | None:
    """The thread in which the message stands that was clicked."""
    container = body.get("container")
    found = container.get("thread_ts") if isinstance(container, dict) else None
    return found if isinstance(found, str) else None


def _id(answer: SlackResponse) -> str:
    return str((answer.get("view") or {}).get("id") or "")
