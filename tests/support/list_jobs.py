"""The worker and the reader of the providers' lists, over HTTP to the sandbox's SendGrid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.consent.model import ConsentValue, Contact
from bot.consent.use_cases import Details, Service, StatusUpdate, add, change
from bot.consent.use_cases.lists.list_state import confirm_writes
from bot.consent.write_backs import WriteBack
from bot.runtime.read_settings import read_settings
from handlers.suppression_lists.list_reader import ListReader
from handlers.suppression_lists.provider_lists import ProviderLists
from handlers.suppression_lists.write_worker import WriteWorker
from handlers.webhooks.registry import known_providers
from sandbox.client import Workspace
from sandbox.client.lists_client import ListsClient
from tests.support.consent_fixtures import AGENT, OPERATOR
from tests.support.list_clients_fixtures import SWITCHES, client_of

#: SendGrid's list of opt-outs, as the sandbox names it.
UNSUBSCRIBES = "unsubscribes"
KEY = "SG.sandbox"


def sendgrid(url: str, key: str = KEY) -> dict[str, ProviderLists]:
    """The client of SendGrid's lists, by provider."""
    return {"sendgrid": client_of("sendgrid", url, OPTIN_SENDGRID_API_KEY=key)}


def writing(service: Service, name: str = "sendgrid") -> Service:
    """The service that reads and writes this provider's lists."""
    env = {key: value.format(url="http://127.0.0.1") for key, value in SWITCHES[name].items()}
    settings = read_settings(env).providers
    return replace(service, providers=known_providers(settings, write_back=True))


def person(service: Service, number: int = 0, name: str = "Ana Gómez") -> Contact:
    """A contact with the mailbox contact<number>@example.com, who gets e-mails."""
    contact = add(service, Details(name=name, email=address_of(number)), AGENT)
    update = StatusUpdate(email=ConsentValue.YES, reason="asked", evidence="Web form")
    return change(service, contact.id, update, AGENT).contact


def address_of(number: int) -> str:
    return f"contact{number}@example.com"


def opt_out(service: Service, contact: Contact) -> None:
    """An agent records that the contact asked for no more e-mails."""
    change(service, contact.id, StatusUpdate(email=ConsentValue.NO, reason="Asked by phone"), AGENT)


def opted_out(service: Service, count: int) -> list[Contact]:
    """So many contacts who opted out, and whom Optin wants on the lists."""
    people = [person(service, number, f"Ana {number}") for number in range(count)]
    for contact in people:
        opt_out(service, contact)
    return people


def rows(service: Service) -> list[WriteBack]:
    with service.store.reading() as records:
        return list(records.write_backs.all())


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace.start(mode="socket") as workspace:
        yield workspace


@pytest.fixture
def there(workspace: Workspace) -> ListsClient:
    """SendGrid's lists, as its console shows them."""
    return workspace.lists("sendgrid")


class Ahead:
    """The time, and what a test lets pass: the lists have times of their own."""

    def __init__(self) -> None:
        self.by = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.by

    def advance(self, by: timedelta) -> None:
        self.by += by


class Seconds:
    """A clock for the waits in memory."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ahead() -> Ahead:
    return Ahead()


@pytest.fixture
def writer(service: Service, ahead: Ahead) -> Service:
    """A service that reads and writes SendGrid's lists."""
    return writing(replace(service, now=ahead))


@pytest.fixture
def ready(writer: Service, there: ListsClient) -> Service:
    """The same, and its first write is confirmed."""
    confirmed(writer, there)
    return writer


def reader_of(service: Service, there: ListsClient, **more: str) -> ListReader:
    return ListReader(service, sendgrid(there.url, **more), chance=lambda: 0.5)


def worker_of(service: Service, there: ListsClient, **more: str) -> WriteWorker:
    return WriteWorker(service, sendgrid(there.url, **more), chance=lambda: 0.5)


def confirmed(service: Service, there: ListsClient) -> None:
    """After a first whole read, an operator has confirmed the writes."""
    reader_of(service, there).step()
    confirm_writes(service, "sendgrid", OPERATOR)
