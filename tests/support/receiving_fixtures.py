"""A web server that providers can call, over a storage of its own, without Slack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from bot.consent.log.changes import ConsentChanged, ContactChanged
from bot.consent.log.entries import Entry
from bot.consent.model import Channel, ConsentValue
from bot.consent.use_cases import Service
from bot.consent.use_cases.record import Recorder, new_id
from bot.runtime.open_service import open_service
from bot.runtime.read_settings import read_settings
from bot.runtime.receiving import receiving
from bot.runtime.server import Server
from handlers.metrics import Metrics
from handlers.slack.alerts.channel_health import Health
from handlers.web import web_app
from tests.support.storages import KIND, on_disk, path_in, url_of

PUBLIC = "https://optin.example.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    service: Service
    metrics: Metrics
    host: str
    port: int
    storage: Path

    def send(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    ) -> Answer:
        """One request on a connection of its own; nothing is added but its length.

        A server may answer before it has read the whole body, and close: the rest then
        can't be sent, and the answer is there to be read (RFC 9112, 9.6).
        """
        connection = HTTPConnection(self.host, self.port, timeout=30)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            given = headers.items() if isinstance(headers, Mapping) else headers
            for name, value in given:
                if name.lower() not in ("content-length", "host"):
                    connection.putheader(name, value.encode())
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders()
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.send(body)
            answer = connection.getresponse()
            return Answer(
                status=answer.status, body=answer.read(), headers=dict(answer.getheaders())
            )
        finally:
            connection.close()

    def bytes(self) -> bytes:
        """All that is on the disk."""
        return on_disk(self.storage)

    def log(self) -> list[Entry]:
        with self.service.store.reading() as records:
            return list(records.log.all())

    def counted(self, provider: str, outcome: str) -> int:
        """What /metrics says of the provider."""
        wanted = f'optin_events_total{{outcome="{outcome}",provider="{provider}"}} '
        other = f'optin_events_total{{provider="{provider}",outcome="{outcome}"}} '
        for line in self.send("GET", "/metrics").body.decode().splitlines():
            if line.startswith((wanted, other)):
                return int(float(line.rpartition(" ")[2]))
        return 0

    def willing(self, name: str, *, external_id: str | None = None, **addresses: str) -> str:
        """A contact who said yes at these addresses, `phone` and `email`: the id."""
        now = self.service.now()
        with self.service.store.transaction() as records:
            recorder = Recorder(
                service=self.service, records=records, actor="cli:test", source="cli", now=now
            )
            changes = {"name": (None, name), **{k: (None, v) for k, v in addresses.items()}}
            if external_id:
                changes["external_id"] = (None, external_id)
            contact = recorder.record(
                None, ContactChanged(after="added", changes=changes), creates=new_id(now)
            )
            for kind, address in addresses.items():
                contact = recorder.record(
                    contact,
                    ConsentChanged(before=ConsentValue.UNSET, after=ConsentValue.YES, by=None),
                    address=address,
                    channel=Channel.SMS if kind == "phone" else Channel.EMAIL,
                )
            assert contact is not None
            return contact.id


@contextmanager
def receiver(
    folder: Path, env: Mapping[str, str], *, jobs: bool = False, kind: str = KIND
) -> Iterator[Receiver]:
    """Serves until the block ends, without what runs beside unless it is wanted. The clock is
    `bot.runtime.clock`; `kind` is of storage."""
    storage = path_in(folder / "storage", kind)
    settings = read_settings({"OPTIN_STORAGE": url_of(storage), "OPTIN_PUBLIC_URL": PUBLIC, **env})
    with open_service(settings) as service:
        metrics = Metrics(Health(), service.now)
        with (
            receiving(settings, service, metrics.count_events) as received,
            Server(
                web_app(routes=[*received.routes, metrics.route()], checks={}),
                beside=received.beside if jobs else (),
            ) as server,
        ):
            yield Receiver(
                service=service,
                metrics=metrics,
                host=server.host,
                port=server.port,
                storage=storage,
            )
