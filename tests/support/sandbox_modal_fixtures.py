"""An app for the tests of modals: a test decides each of its answers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from dataclasses import field as column
from typing import Any

import pytest
from slack_bolt import App

from sandbox.client import PersonClient, Workspace
from tests.support.sandbox_fixtures import (
    field,
    modal,
    option,
    workspace_with,
)

YES_NO = [option("YES", "yes"), option("NO", "no")]
SELECT = {"type": "static_select", "options": YES_NO}
TEXT = {"type": "plain_text_input"}


@dataclass
class Desk:
    """An app whose every answer a test decides; it keeps what it was sent."""

    view: dict[str, Any]
    answer: dict[str, Any] = column(default_factory=dict)
    on_button: Callable[[Any, dict[str, Any]], Any] | None = None
    seen: list[dict[str, Any]] = column(default_factory=list)

    def listen(self, app: App) -> None:
        @app.command("/optin")
        def command(ack: Any, body: dict[str, Any], client: Any) -> None:
            self.seen.append(body)
            client.views_open(trigger_id=body["trigger_id"], view=self.view)
            ack()

        @app.view("edit")
        def submitted(ack: Any, body: dict[str, Any]) -> None:
            self.seen.append(body)
            ack(**self.answer)

        @app.view_closed("edit")
        def closed(ack: Any, body: dict[str, Any]) -> None:
            self.seen.append(body)
            ack()

        @app.action({"type": "block_actions", "action_id": "press"})
        def pressed(ack: Any, body: dict[str, Any], client: Any) -> None:
            self.seen.append(body)
            if self.on_button:
                self.on_button(client, body)
            ack()

        @app.action("value")
        def changed(ack: Any, body: dict[str, Any]) -> None:
            self.seen.append(body)
            ack()

        @app.options("value")
        def offers(ack: Any, payload: dict[str, Any]) -> None:
            self.seen.append(payload)
            ack(options=[option(f"{payload['value']} one"), option(f"{payload['value']} two")])

    @property
    def values(self) -> dict[str, Any]:
        return dict(self.seen[-1]["view"]["state"]["values"])


@pytest.fixture
def desk() -> Desk:
    return Desk(
        modal(
            field("SMS On", {**SELECT, "initial_option": YES_NO[0]}),
            field("Email On", SELECT),
            field("Note", TEXT, optional=True),
            private_metadata="contact 7",
        )
    )


@pytest.fixture
def ws(desk: Desk) -> Iterator[Workspace]:
    with workspace_with(desk.listen) as workspace:
        yield workspace


@pytest.fixture
def ana(ws: Workspace) -> PersonClient:
    return ws.person("Ana")


def opened(ana: PersonClient) -> Any:
    return ana.command("/optin").modal
