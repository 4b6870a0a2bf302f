"""One listener for Bolt in place of many, which finds ours by the id of what was pressed or
submitted.

Bolt asks one listener after the other whether it is meant, and puts together every argument for
each question: seventy buttons would cost more than what a button does.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

from slack_bolt import Ack, BoltContext
from slack_sdk import WebClient

from handlers.slack.interaction import Body, pressed, text
from handlers.slack.interaction import view as view_of

#: Names what it needs, as listeners of Bolt do.
ByName = Callable[..., None]
#: For ids that are not in a table.
Otherwise = Callable[[str], ByName]


def button_listener(table: Mapping[str, ByName], otherwise: Otherwise) -> ByName:
    """By the id of the action."""
    return _listener(table, otherwise, lambda body: text(pressed(body), "action_id"))


def view_listener(table: Mapping[str, ByName], otherwise: Otherwise) -> ByName:
    """By the callback id of the modal."""
    return _listener(table, otherwise, lambda body: text(view_of(body), "callback_id"))


def _listener(
    table: Mapping[str, ByName], otherwise: Otherwise, id_of: Callable[[Body], str]
) -> ByName:
    names: dict[ByName, list[str]] = {}

    def hear(ack: Ack, body: Body, client: WebClient, context: BoltContext) -> None:
        id = id_of(body)
        listener = table.get(id) or otherwise(id)
        wanted = names.get(listener)
        if wanted is None:
            names[listener] = wanted = inspect.getfullargspec(listener).args
        offered = {"ack": ack, "body": body, "client": client, "view": body.get("view"), **context}
        listener(**{name: offered[name] for name in wanted})

    return hear
