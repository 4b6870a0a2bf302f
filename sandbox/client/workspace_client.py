"""A workspace to test against: started in this process, or one that runs already."""

from collections.abc import Callable, Sequence
from typing import Any, Self
from urllib.parse import quote

from sandbox.client.contact_client import ContactClient
from sandbox.client.http_client import Address
from sandbox.client.lists_client import ListsClient
from sandbox.client.newsletter_client import NewsletterClient
from sandbox.client.person_client import PersonClient
from sandbox.delivery.app_link import RETRY_DELAYS
from sandbox.delivery.http_delivery import HttpDelivery
from sandbox.first_workspace import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from sandbox.manifest import Manifest
from sandbox.sandbox_server import SandboxServer
from sandbox.web_app import build_room
from sandbox.workspace_state import Clock, system_clock


class Workspace:
    """Give the app `api_url` as SLACK_API_URL, and the tokens."""

    def __init__(self, url: str, server: SandboxServer | None = None) -> None:
        self.url = url
        self.api_url = f"{url}/api/"
        self.bot_token = BOT_TOKEN
        self.app_token = APP_TOKEN
        self.signing_secret = SIGNING_SECRET
        self._server = server
        self._address = Address(url)
        #: Waits for what an app of this process does after its acknowledgements.
        self.answered: Callable[[], object] | None = None

    @classmethod
    def start(
        cls,
        *,
        port: int = 0,
        mode: str = "http",
        request_url: str = "",
        ack_timeout: float = 3.0,
        clock: Clock = system_clock,
        manifest: Manifest | None = None,
        retry_delays: Sequence[float] = RETRY_DELAYS,
        tour: dict[str, Any] | None = None,
    ) -> Self:
        """In a thread of this process. `mode` is "http" or "socket"; times are in seconds."""
        room = build_room(
            mode=mode,
            request_url=request_url,
            ack_timeout=ack_timeout,
            clock=clock,
            manifest=manifest,
            retry_delays=retry_delays,
            tour=tour,
        )
        server = SandboxServer(room, port=port)
        server.start()
        return cls(server.url, server)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        if self._server:
            self._server.stop()

    def set_request_url(self, url: str) -> None:
        """Where the app listens, in HTTP mode. Only for a workspace of this process."""
        way = self._server.room.link.way if self._server else None
        if not isinstance(way, HttpDelivery):
            raise ValueError("not in HTTP mode in this process")
        way.url = url

    def person(self, name: str) -> PersonClient:
        """By first name, whole name, handle or id: "Ana"."""
        state = self._address.get(f"/sandbox/state?person={quote(name)}")
        me = next(one for one in state["people"] if one["id"] == state["me"])
        return PersonClient(self._address, me["id"], me["zone"], self.answered)

    def journal(self, method: str | None = None) -> list[dict[str, Any]]:
        """Calls ("in") and deliveries ("out"), oldest first: method, args, outcome, ms."""
        lines: list[dict[str, Any]] = self._address.get("/sandbox/journal")
        return [line for line in lines if method in (None, line["method"])]

    def pings(self) -> list[str]:
        """Whom the app's messages have notified so far: "@U…", "!channel"."""
        return [ping["ping"] for ping in self._address.get("/sandbox/pings")]

    def fault(self, method: str, kind: str, **more: Any) -> None:
        """kind: ratelimited (retry_after), server_error, error (error), timeout (seconds),
        close_after_accept; `times` calls long. "*" is every method of Slack. A provider's lists are
        "lists/sendgrid", or "lists/sendgrid DELETE"; their `error` has a `status`, and they know
        down, garbage, half and another_account besides."""
        self._address.post("/sandbox/faults", {"method": method, "kind": kind, **more})

    def clear_faults(self) -> None:
        self._address.delete("/sandbox/faults")

    def archive(self, channel: str) -> None:
        self._control("archive", channel=channel)

    def remove_app(self, channel: str) -> None:
        self._control("remove_app", channel=channel)

    def invite_app(self, channel: str) -> None:
        self._control("invite_app", channel=channel)

    def share(self, channel: str) -> None:
        """With another organisation (Slack Connect)."""
        self._control("share", channel=channel)

    def unshare(self, channel: str) -> None:
        self._control("unshare", channel=channel)

    def accept_invitation(self, channel: str) -> None:
        """Another organisation accepts an invitation to the channel; an admin has to approve it."""
        self._control("accept_invitation", channel=channel)

    def decline_invitation(self, channel: str) -> None:
        self._control("decline_invitation", channel=channel)

    def deactivate(self, person: str) -> None:
        self._control("deactivate", person=person)

    def make_guest(self, person: str) -> None:
        self._control("make_guest", person=person)

    def make_stranger(self, person: str) -> None:
        """Of another organisation, as through Slack Connect."""
        self._control("make_stranger", person=person)

    def set_group(self, group: str, people: list[str]) -> None:
        self._control("set_group", group=group, people=people)

    def disable_group(self, group: str) -> None:
        """Slack no longer shows who is in it."""
        self._control("disable_group", group=group)

    def enable_group(self, group: str) -> None:
        self._control("enable_group", group=group)

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Asks Socket Mode's connections to come back."""
        self._control("disconnect", reason=reason)

    def lose_acknowledgement(self) -> None:
        """Of what comes next over Socket Mode: the connection breaks, and Slack sends it again."""
        self._control("lose_acknowledgement")

    def outside(self, **given: Any) -> None:
        """Puts contacts outside: webhooks, public_url, twilio, sendgrid, unsubscribe, senders,
        people … as `sandbox.simulated_providers.config` reads them."""
        self._address.post("/sandbox/outside", given)

    def contact(self, name: str) -> ContactClient:
        """Outside, by name or how it begins, id, phone or mailbox."""
        seen = self._address.get(f"/sandbox/outside/contact?name={quote(name)}")
        return ContactClient(self._address, seen["id"], seen["name"])

    @property
    def newsletter(self) -> NewsletterClient:
        """The company's newsletter, which asks Optin before it sends."""
        return NewsletterClient(self._address, self.wait_until)

    def lists(self, provider: str) -> ListsClient:
        """The suppression lists of sendgrid, mailgun and so on."""
        return ListsClient(self._address, provider)

    def advanced_opt_out(self, on: bool) -> None:
        """Whether Twilio marks keywords (OptOutType)."""
        self._address.post("/sandbox/outside/switch", {"advanced_opt_out": on})

    def flood(self, count: int, confirms: bool = False, timeout: float = 300.0) -> dict[str, Any]:
        """So many STOPs from strangers and some contacts, as fast as the app takes them; with
        `confirms`, each is followed by the error of the company's own confirmation. Returns when
        all are answered. The result has, among others, count, statuses, seconds and ms."""
        self._address.post("/sandbox/outside/flood", {"count": count, "confirms": confirms})
        self.wait_until(lambda: not self._flood()["running"], timeout)
        return self._flood()

    def _flood(self) -> dict[str, Any]:
        flood: dict[str, Any] = self._address.get("/sandbox/outside")["flood"]
        return flood

    def wait_until(self, condition: Callable[[], bool], timeout: float = 10.0) -> None:
        """Looks again whenever something has changed. Raises TimeoutError."""
        version = self._version(-1, 0)
        while not condition():
            following = self._version(version, timeout)
            if following == version:
                if condition():
                    return
                raise TimeoutError(f"not within {timeout} s")
            version = following

    def _version(self, after: int, wait: float) -> int:
        return int(self._address.get(f"/sandbox/changes?after={after}&wait={wait}")["version"])

    def _control(self, do: str, **about: Any) -> None:
        self._address.post("/sandbox/control", {"do": do, **about})
