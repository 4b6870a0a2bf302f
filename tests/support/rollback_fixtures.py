"""`optin serve` as a process in a folder with its settings, asked by the API and on the command
line."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest

from sandbox.client import Workspace
from tests.support.forked_commands import ForkedCommand
from tests.support.serving import serving
from tests.support.stale_copies import StorageAt, new_storage

ANA, BO = "+14155550100", "+14155550101"
CONTACTS = f"name,phone,sms_on,consent_source\nAna,{ANA},YES,form\nBo,{BO},YES,form\n"


@pytest.fixture(scope="module")
def rollback_slack() -> Iterator[Workspace]:
    with Workspace.start(mode="http") as workspace:
        yield workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedPlace:
    """A folder with the settings, a storage, and a port for the bot."""

    folder: Path
    storage: StorageAt
    slack: Workspace
    port: int
    key: str

    def optin(self, *arguments: str) -> tuple[int, str, str]:
        return self.storage.optin(*arguments)

    def answer(self, phone: str) -> tuple[str, list[str]]:
        """What the API says of a number, and by which gates."""
        found = json.loads(self.ask("POST", "/api/v1/check", {"to": phone})[1])
        return found["answer"], [gate["code"] for gate in found["gates"]]

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        with closing(connection):
            connection.request(method, path, json.dumps(body) if body else None, headers)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def serving(self) -> AbstractContextManager[ForkedCommand]:
        return serving(self.folder, self.slack, self.port, self.storage.url)

    def told(self, words: str) -> bool:
        """Whether the alert channel has a message with these words."""
        messages = self.slack.person("Lee").messages("#optin-alerts")
        return any(words in message.text for message in messages)

    def until(self, reached: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not reached():
            assert time.monotonic() < end
            time.sleep(0.05)  # the bot looks every five seconds


@pytest.fixture
def served_place(
    request: pytest.FixtureRequest, tmp_path: Path, rollback_slack: Workspace
) -> Iterator[ServedPlace]:
    storage = new_storage(tmp_path, request.param)
    (tmp_path / "contacts.csv").write_text(CONTACTS)
    storage.path.parent.mkdir(parents=True)
    assert storage.optin("import", "contacts.csv")[0] == 0
    _, out, _ = storage.optin("key", "add", "Newsletter", "--scope", "check")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    yield ServedPlace(
        folder=tmp_path,
        storage=storage,
        slack=rollback_slack,
        port=port,
        key=out.splitlines()[0].strip(),
    )
    if storage.server is not None:
        storage.server.remove()
