"""The one file that knows every room: chooses the real things and joins them."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from bot.config.settings import ConfiguredPeople as Named
from bot.config.settings import Mode, Settings, SettingsError
from bot.consent.errors import StorageFailed
from bot.consent.store import Store
from bot.consent.use_cases import Service
from bot.consent.use_cases.migrate import is_outdated, migrate
from bot.runtime import clock
from bot.runtime.jobs import Timers, every, timers
from bot.runtime.open_service import OUTDATED, open_service
from bot.runtime.rehearse_import import rehearse_import
from bot.runtime.server import Server
from bot.runtime.socket_mode import SocketMode
from bot.runtime.timed_store import TimedStore
from bot.runtime.webhooks import receiving
from handlers.metrics import Metrics
from handlers.slack.alerts.channel_health import Health
from handlers.slack.alerts.client import AlertClient, client
from handlers.slack.alerts.shared import SharedChannels
from handlers.slack.alerts.worker import Worker
from handlers.slack.bolt_app import bolt_app
from handlers.slack.http_mode import SignatureCheck, slack_route
from handlers.slack.imports.import_worker import ImportWorker
from handlers.slack.roles import RoleLookup, Roles
from handlers.web import web_app

#: Listeners at a time. They wait for one fsync, or for Slack's answer to a modal.
_THREADS = 32
#: Seconds for one of Slack's answers, inside the three that a person waits.
_SLACK_WITHIN = 2
#: Seconds that a transaction waits for others who write, as for an import's next batch. Slack hangs
#: up after three, Telnyx after two, other providers after ten and more: they are told that nothing
#: was changed, or to come again, before they think so themselves.
_PATIENCE = 2.0
#: Seconds between two looks for a file that somebody uploaded.
_LOOK_FOR_IMPORTS = 1.0
#: An alert that waits longer than this is not told in time: not ready.
_OLDEST_ALERT = timedelta(minutes=5)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The bot, to be served: the web server, and where it listens."""

    server: Server
    #: What it serves.
    web: Starlette
    bolt: App
    #: Able to store, and connected to Slack where that takes a connection.
    ready: Callable[[], bool]


@contextmanager
def assemble(
    settings: Settings,
    service: Service,
    *,
    mode: Mode | None = None,
    host: str = "127.0.0.1",
    port: int = 3000,
) -> Iterator[Running]:
    """Joins Slack, the use cases and the web server. Nothing is served before the caller says so.

    Raises `SettingsError` where Slack refuses the token or can't be reached.
    """
    chosen = settings.mode(mode)
    health = Health()
    metrics = Metrics(health, service.now)
    store = service.store
    service = replace(service, store=TimedStore(store, metrics.transaction))
    with (
        receiving(settings, service, metrics.count_events) as received,
        ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="slack") as pool,
    ):
        shared = SharedChannels(client(settings.bot_token, settings.slack_api_url))
        bolt, people = _bolt(settings, service, shared)
        routes: list[BaseRoute] = [*received.routes, metrics.route()]
        checks: dict[str, Callable[[], bool]] = {
            "storage": lambda: _writable(store),
            "alerts": lambda: _in_time(service, health),
        }
        worker = _alert_worker(settings, service, health, shared)
        timed = Timers(timers(service, worker), service.now)
        imports = ImportWorker(
            service,
            client(settings.bot_token, settings.slack_api_url),
            partial(rehearse_import, settings),
        )
        looking = every(_LOOK_FOR_IMPORTS, "imports", imports.run)
        beside = [*received.beside, worker.run, timed.job(), looking]
        if chosen is Mode.SOCKET:
            connection = SocketMode(bolt, settings.app_token, pool=pool)
            checks["slack"] = connection.ready
            beside.append(connection.run)
        else:
            gate = SignatureCheck(settings.signing_secrets)
            routes.append(slack_route(bolt, gate, pool=pool, now=clock.now))
        web = web_app(routes=routes, checks=checks, faults=lambda: _faults(people, health))
        with closing(Server(web, host=host, port=port, beside=beside)) as server:
            yield Running(
                server=server,
                web=web,
                bolt=bolt,
                ready=lambda: all(check() for check in checks.values()),
            )


def serve(settings: Settings, mode: Mode | None, host: str, port: int) -> None:
    """Runs the bot until it is told to stop. Raises `SettingsError` and `StorageFailed`."""
    _bring_up_to_date(settings)
    with (
        open_service(settings, patience=_PATIENCE) as service,
        assemble(settings, service, mode=mode, host=host, port=port) as running,
    ):
        way = settings.mode(mode)
        # What was read at the start stays: looking through it again would hold up requests.
        gc.freeze()
        logger.info("Optin listens at %s, and to Slack by %s", running.server.url, way)
        running.server.run()


def _bring_up_to_date(settings: Settings) -> None:
    """Migrates a storage of an earlier version where nobody's answer changes. Raises
    `SettingsError` where somebody's does: then a person has to look first."""
    with open_service(settings, outdated=True) as service:
        if not is_outdated(service.store):
            return
        changed = len(migrate(service, dry_run=True).changed)
        if changed:
            answers = "one answer changes" if changed == 1 else f"{changed:,} answers change"
            raise SettingsError(f"{OUTDATED} Here {answers}.")
        migrate(service)
        logger.info("The storage was brought to this version; nobody's answer has changed")


def _bolt(settings: Settings, service: Service, shared: SharedChannels) -> tuple[App, RoleLookup]:
    asking = WebClient(
        token=settings.bot_token, base_url=settings.slack_api_url, timeout=_SLACK_WITHIN
    )
    try:
        us = asking.auth_test()
    except SlackApiError as error:
        raise SettingsError(
            f"SLACK_BOT_TOKEN was refused by Slack ({error.response.get('error')}): copy it anew "
            "from OAuth & Permissions in your Slack app's settings."
        ) from None
    except (SlackClientError, OSError):
        raise SettingsError(
            f"Slack can't be reached at {settings.slack_api_url}: check the network, or "
            "SLACK_API_URL."
        ) from None
    authorized = AuthorizeResult.from_auth_test_response(
        auth_test_response=us, bot_token=settings.bot_token
    )
    people = RoleLookup(client=asking, team=str(us["team_id"]), roles=_roles(settings))
    bolt = bolt_app(
        # Without the token: Bolt takes it from `authorized`, and warns of a second one.
        # And without the SDK's repeating: most of its calls are not to be made twice.
        client=WebClient(base_url=settings.slack_api_url, timeout=_SLACK_WITHIN, retry_handlers=[]),
        authorized=authorized,
        consent=service,
        people=people,
        command=settings.command,
        sharing_changed=shared.changed,
    )
    return bolt, people


def _alert_worker(
    settings: Settings, service: Service, health: Health, shared: SharedChannels
) -> Worker:
    slack = AlertClient(
        client=client(settings.bot_token, settings.slack_api_url),
        roles=_roles(settings),
        command=settings.command,
    )
    return Worker(service, slack, health, shared=shared)


def _roles(settings: Settings) -> Roles:
    return Roles(managers=_ids(settings.managers), agents=_ids(settings.agents))


def _ids(named: Named) -> frozenset[str]:
    return named.users | named.groups


def _faults(people: RoleLookup, health: Health) -> list[str]:
    """In Slack, by Slack's words: `optin doctor` says how to mend them."""
    groups = [f"Slack does not show a user group ({word})" for word in people.unseen.values()]
    channels = [f"Slack takes no alerts in a channel ({word})" for word in health.paused.values()]
    nobody = ["nobody can be told of it"] if health.nobody_to_notify else []
    return [*dict.fromkeys([*groups, *channels, *nobody])]


def _in_time(service: Service, health: Health) -> bool:
    oldest = health.oldest
    return health.ready() and (oldest is None or service.now() - oldest < _OLDEST_ALERT)


def _writable(store: Store) -> bool:
    """Whether its turn to write comes; nothing is written."""
    try:
        with store.transaction() as records:
            records.log.head()
    except StorageFailed:
        return False
    return True
