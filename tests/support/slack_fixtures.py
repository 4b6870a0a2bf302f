"""The bot between a workspace and a storage of its own, over Socket Mode and over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

from bot.app import assemble
from bot.config.settings import Mode
from bot.consent.addresses import key_of
from bot.consent.log.entries import Entry
from bot.consent.model import Actor, Channel, ConsentValue, Contact, Role
from bot.consent.use_cases import Details, Service, StatusUpdate, add, change, verify
from bot.demo.samples import SENDERS, fill
from bot.runtime.clock import Stopped
from bot.runtime.open_service import open_service
from bot.runtime.read_settings import read_settings
from sandbox.client import ClientOutcome, Modal, PersonClient, Workspace
from sandbox.first_workspace import MANAGERS
from sandbox.manifest import Manifest, read_manifest
from tests.support.storages import KIND, NAMES, path_in, url_of, write_private

ROOT = Path(__file__).parents[2]
#: The app's own, as it is installed.
MANIFEST = read_manifest(yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8")))
NOW = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)
#: Seconds that an act waits for what the bot does after its acknowledgement.
_ANSWERED_WITHIN = 5.0
OPERATOR = Actor(id="cli:root", role=Role.OPERATOR, source="cli")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """A workspace with the bot in it, and what the bot remembers."""

    workspace: Workspace
    service: Service
    #: The service's clock. The workspace, and what is signed, go by the real one.
    clock: Stopped
    #: The bot's own web server.
    url: str
    storage: Path

    def person(self, name: str) -> PersonClient:
        return self.workspace.person(name)

    def add(self, name: str, **details: str) -> Contact:
        """A contact, added at the command line."""
        return add(self.service, Details(name=name, **details), OPERATOR)

    def set(self, contact: Contact, wish: StatusUpdate) -> Contact:
        """The contact after something else than Slack changed them."""
        return change(self.service, contact.id, wish, OPERATOR).contact

    def find(self, address: str) -> Contact:
        """The oldest contact with this address."""
        with self.service.store.reading() as records:
            return records.contacts.at(key_of(address))[0]

    def on(self, address: str) -> tuple[ConsentValue, ConsentValue]:
        """SMS On and Email On of the oldest contact with this address."""
        contact = self.find(address)
        return contact.consent(Channel.SMS).on, contact.consent(Channel.EMAIL).on

    def log(self) -> list[Entry]:
        """The Activity Log, oldest first."""
        with self.service.store.reading() as records:
            return list(records.log.all())

    def head(self) -> tuple[int, str]:
        """Differs when anything at all was written."""
        with self.service.store.reading() as records:
            return records.log.head()

    def problems(self) -> object:
        """What `optin verify` finds wrong; nothing, in a storage that is whole."""
        return verify(self.service).problem


Start = Callable[..., AbstractContextManager[Slack]]


@contextmanager
def started(
    folder: Path,
    mode: str,
    *,
    kind: str = KIND,
    patience: float | None = None,
    manifest: Manifest | None = None,
    **settings: str,
) -> Iterator[Slack]:
    """The bot with the demo's contacts, connected and ready; `settings` are environment variables
    on top, `kind` is of storage, and its `patience` as in `storage.open_store`. Without a
    `manifest` the app may do everything, and hears of no channel."""
    storage = path_in(folder, kind)
    clock = Stopped(NOW)
    with Workspace.start(mode=mode, ack_timeout=10.0, manifest=manifest) as workspace:
        env = {
            "SLACK_BOT_TOKEN": workspace.bot_token,
            "SLACK_APP_TOKEN": workspace.app_token,
            "SLACK_SIGNING_SECRET": workspace.signing_secret,
            "SLACK_API_URL": workspace.api_url,
            "OPTIN_STORAGE": url_of(storage),
            "OPTIN_MANAGERS": MANAGERS,
        }
        chosen = replace(read_settings(env | settings, need_slack=True), senders=SENDERS)
        samples = _Samples(storage, settings)
        filled = samples.put()
        with open_service(chosen, patience=patience) as opened:
            service = replace(opened, now=clock)
            if not filled:
                fill(service)
                samples.keep()
            with (
                assemble(chosen, service, mode=Mode(mode), port=0) as running,
                running.server as server,
            ):
                if mode == "http":
                    workspace.set_request_url(f"{server.url}/slack/events")
                _until_ready(server.host, server.port)
                workspace.answered = partial(running.answered, _ANSWERED_WITHIN)
                yield Slack(
                    workspace=workspace,
                    service=service,
                    clock=clock,
                    url=server.url,
                    storage=storage,
                )


class _Samples:
    """The files of a storage that the demo's contacts were put into, which takes as long as the
    rest of the start. The first test with these settings keeps them, and those after it copy them.
    A database is filled each time.
    """

    _kept: ClassVar[dict[object, dict[str, bytes]]] = {}

    def __init__(self, storage: Path, settings: Mapping[str, str]) -> None:
        self._storage = storage
        self._key = (storage.suffix, frozenset(settings.items()))

    def put(self) -> bool:
        """Whether the storage now has its contacts."""
        files = self._kept.get(self._key, {})
        self._storage.parent.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_private(self._storage.with_name(name), content)
        return bool(files)

    def keep(self) -> None:
        """Keeps the files as they are now, between two transactions."""
        if self._storage.suffix != Path(NAMES["postgresql"]).suffix:
            found = self._storage.parent.glob(f"{self._storage.stem}.*")
            self._kept[self._key] = {
                file.name: file.read_bytes() for file in found if not file.name.endswith("-shm")
            }


@pytest.fixture(params=["socket", "http"])
def slack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Slack]:
    """With the sample contacts of the demo; every test that takes it runs in both modes."""
    with started(tmp_path, request.param) as slack:
        yield slack


@pytest.fixture
def slack_http(tmp_path: Path) -> Iterator[Slack]:
    """Over HTTP alone, for what has nothing to do with the way the requests come."""
    with started(tmp_path, "http") as slack:
        yield slack


@pytest.fixture(params=["socket", "http"])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Start:
    """The same with settings of one's own."""

    def start(**settings: str) -> AbstractContextManager[Slack]:
        return started(tmp_path, request.param, **settings)

    return start


@pytest.fixture
def ana(slack: Slack) -> PersonClient:
    """An agent."""
    return slack.person("Ana")


@pytest.fixture
def ben(slack: Slack) -> PersonClient:
    """Another agent."""
    return slack.person("Ben")


@pytest.fixture
def lee(slack: Slack) -> PersonClient:
    """A manager."""
    return slack.person("Lee")


def said(outcome: ClientOutcome) -> str:
    """All that a person reads in the answer, in one text. Fails where Slack showed a failure, or
    nobody was told anything."""
    assert outcome.error is None, outcome.notice
    assert outcome.messages, "silence"
    return "\n".join(message.plain for message in outcome.messages)


def opened(person: PersonClient, outcome: ClientOutcome) -> Modal:
    """The modal on top after an act that went well."""
    assert outcome.error is None, outcome.notice
    modal = person.modal
    assert modal is not None, "no modal"
    return modal


def opened_later(person: PersonClient, outcome: ClientOutcome) -> Modal:
    """The modal that an act opens where none was open before. A bot in a process of its own opens
    it after its answer."""
    assert outcome.error is None, outcome.notice
    end = time.monotonic() + 60
    while (modal := person.modal) is None:
        assert time.monotonic() < end, "no modal"
        time.sleep(0.02)  # nothing tells when it opens
    return modal


def card(person: PersonClient, asked: str) -> None:
    """Has the card of a contact before one's eyes."""
    assert "Activity Log" in said(person.command(f"/optin {asked}"))


def _until_ready(host: str, port: int, within: float = 10.0) -> None:
    end = time.monotonic() + within
    while time.monotonic() < end:
        connection = HTTPConnection(host, port, timeout=within)
        connection.request("GET", "/readyz")
        if connection.getresponse().status == 200:
            connection.close()
            return
        connection.close()
        time.sleep(0.005)  # nothing tells when Socket Mode has connected
    raise TimeoutError("the bot did not get ready")
