"""The one file that knows every room: chooses the real things and joins them."""

from __future__ import annotations

import gc
import logging
import time
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
from bot.consent.use_cases import Service
from bot.consent.use_cases.alerts.head_alerts import head_waits
from bot.consent.use_cases.migrate import is_outdated, migrate
from bot.consent.use_cases.wrapped_store import TimedStore
from bot.runtime import clock
from bot.runtime.clock_check import ClockWatch, check_clock
from bot.runtime.head_watch import has_all
from bot.runtime.heads_of_witnesses import watch_heads
from bot.runtime.jobs import Timer, Timers, first_run_timer, timers
from bot.runtime.list_jobs import list_jobs, lists_timer, open_lists
from bot.runtime.open_service import OUTDATED, open_service
from bot.runtime.receiving import receiving
from bot.runtime.rehearse_import import rehearse_import
from bot.runtime.repeated import every
from bot.runtime.server import Server
from bot.runtime.shown_settings import shown_settings
from bot.runtime.socket_mode import SocketMode
from bot.runtime.source_health import ProviderSources
from bot.runtime.storage_health import StorageHealth
from bot.runtime.witness_jobs import open_witnesses, witness_jobs
from handlers.api.api_operations import OPERATIONS
from handlers.api.api_routes import api_routes
from handlers.api.key_ring import KeyRing
from handlers.metrics import Metrics
from handlers.outbound.address_guard import AddressGuard
from handlers.outbound.delivery_client import DeliveryClient
from handlers.outbound.delivery_health import OutboundHealth
from handlers.outbound.delivery_worker import DeliveryWorker
from handlers.slack.alerts.channel_health import Health
from handlers.slack.alerts.client import AlertClient, client
from handlers.slack.alerts.shared import SharedChannels
from handlers.slack.alerts.worker import POLL, Worker
from handlers.slack.bolt_app import bolt_app
from handlers.slack.environment import Environment
from handlers.slack.hand_over import AnswerPool
from handlers.slack.http_mode import SignatureCheck, slack_route
from handlers.slack.imports.import_worker import ImportWorker
from handlers.slack.roles import RoleLookup, Roles
from handlers.slack.workflow_steps.tell_ends import StepEnds
from handlers.suppression_lists.lists_health import ListsHealth
from handlers.web import web_app
from handlers.witnesses.publish_heads import HeadPublisher

#: Listeners at a time. They wait for one fsync, or for Slack's answer to a modal.
_THREADS = 32
#: Answers to events and shortcuts at a time, after their acknowledgement: they wait for Slack.
_AFTER_ACK_THREADS = 8
#: Seconds for one of Slack's answers, inside the three that a person waits.
_SLACK_WITHIN = 2
#: Seconds that a transaction waits for others who write, as for an import's next batch. Slack hangs
#: up after three, Telnyx after two, other providers after ten and more: they are told that nothing
#: was changed, or to come again, before they think so themselves.
_PATIENCE = 2.0
#: Seconds between two looks for a file that somebody uploaded.
_LOOK_FOR_IMPORTS = 1.0
#: Seconds between two times that the last uses of the API's keys are stored.
_NOTE_KEYS = 60.0
#: Between two looks for steps of workflows that have ended.
_TELL_ENDS = 2.0
#: Between two looks whether the storage has everything that is remembered of it.
_LOOK_AT_END = timedelta(seconds=5)
#: Between two looks at what speaks against the clock.
_LOOK_AT_CLOCK = timedelta(seconds=5)
#: For the last alerts to be posted when we stop.
_POST_LAST = 5.0
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
    #: Gives the witnesses the last head of the log.
    publish: Callable[[], None]
    #: Waits until everything is answered that was acknowledged, or for so many seconds.
    answered: Callable[[float], bool]


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
    deliveries = OutboundHealth()
    lists = open_lists(settings)
    lists_health = ListsHealth(service, lists)
    metrics = Metrics(health, service.now, deliveries, lists_health if lists else None)
    storage = StorageHealth(service.store, service.now)
    timed_store = TimedStore(service.store, metrics.transaction, storage.failed)
    service = replace(service, store=timed_store)
    with (
        receiving(settings, service, metrics.count_events) as received,
        ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="slack") as pool,
        ThreadPoolExecutor(
            max_workers=_AFTER_ACK_THREADS, thread_name_prefix="after ack"
        ) as after_ack,
    ):
        shared = SharedChannels(client(settings.bot_token, settings.slack_api_url))
        readable = [name for name, one in lists.items() if one.readable]
        sources = ProviderSources(on=received.on, lists=readable, now=service.now)
        witnesses = open_witnesses(settings, service)
        environment = Environment(
            sources=sources,
            health=health,
            settings=shown_settings(settings),
            witnesses=witnesses,
        )
        answers = AnswerPool(after_ack)
        bolt, people = _bolt(settings, service, shared, answers, environment)
        watch = ClockWatch(received.signed_times)
        ring = KeyRing(service)
        routes: list[BaseRoute] = [
            *received.routes,
            *api_routes(service, ring, OPERATIONS),
            metrics.route(),
        ]
        checks: dict[str, Callable[[], bool]] = {
            "storage": storage.ready,
            "storage_behind": lambda: _has_all(service),
            "alerts": lambda: _in_time(service, health),
        }
        worker, farewell = (_alert_worker(settings, service, health, shared) for _ in range(2))
        more = (
            lists_timer(lists_health),
            first_run_timer(service, bool(_ids(settings.managers)), sources.heard),
            Timer(name="end of the log", every=_LOOK_AT_END, run=partial(has_all, service)),
            Timer(name="clock", every=_LOOK_AT_CLOCK, run=partial(watch.look, service)),
        )
        timed = Timers((*timers(service, worker), *more), service.now)
        imports = ImportWorker(
            service,
            client(settings.bot_token, settings.slack_api_url),
            partial(rehearse_import, settings),
        )
        looking = every(_LOOK_FOR_IMPORTS, "imports", imports.run)
        ends = StepEnds(service, client(settings.bot_token, settings.slack_api_url))
        telling = every(_TELL_ENDS, "steps", ends.tell_all)
        using = every(_NOTE_KEYS, "keys", lambda _: ring.store_uses())
        guard = AddressGuard(allowed=settings.webhook_allow)
        outbound = DeliveryWorker(service, DeliveryClient(guard), deliveries)
        beside = [*received.beside, worker.run, timed.job(), looking, using, telling, outbound.run]
        beside += [*list_jobs(service, lists), storage.run]
        beside += watch_heads(settings, service)
        publisher = HeadPublisher(service, witnesses)
        beside += witness_jobs(publisher)
        if chosen is Mode.SOCKET:
            connection = SocketMode(bolt, settings.app_token, pool=pool)
            checks["slack"] = connection.ready
            beside.append(connection.run)
        else:
            gate = SignatureCheck(settings.signing_secrets)
            # First, since Starlette compares a request with one route after the other.
            routes.insert(0, slack_route(bolt, gate, pool=pool, now=clock.now))
        web = web_app(routes=routes, checks=checks, faults=lambda: _faults(people, health, watch))
        with closing(Server(web, host=host, port=port, beside=beside)) as server:
            yield Running(
                server=server,
                web=web,
                bolt=bolt,
                ready=lambda: all(check() for check in checks.values()),
                publish=partial(_publish_last_head, service, publisher, farewell),
                answered=answers.wait,
            )


def serve(settings: Settings, mode: Mode | None, host: str, port: int) -> None:
    """Runs the bot until it is told to stop. Raises `SettingsError` and `StorageFailed`."""
    _bring_up_to_date(settings)
    with (
        open_service(settings, patience=_PATIENCE, remember=True) as service,
        assemble(settings, service, mode=mode, host=host, port=port) as running,
    ):
        way = settings.mode(mode)
        # What was read at the start stays: looking through it again would hold up requests.
        gc.freeze()
        logger.info("Optin listens at %s, and to Slack by %s", running.server.url, way)
        running.server.run()
        running.publish()


def _publish_last_head(service: Service, publisher: HeadPublisher, worker: Worker) -> None:
    """Once nothing is added to the log any more, and the worker of the alerts has ended."""
    try:
        if publisher.publish_now():
            _post_head(service, worker)
    except StorageFailed as error:
        logger.warning("the witnesses have no head of this stop: %s", error.sentence)


def _post_head(service: Service, worker: Worker) -> None:
    """Where Slack is a witness: posts what the outbox has before the head, and the head, if Slack
    takes them within some seconds. If not, the next start does."""
    end = time.monotonic() + _POST_LAST
    while head_waits(service) and time.monotonic() < end:
        if not worker.step():
            time.sleep(POLL)


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


def _bolt(
    settings: Settings,
    service: Service,
    shared: SharedChannels,
    answers: AnswerPool,
    environment: Environment,
) -> tuple[App, RoleLookup]:
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
    check_clock(us.headers, service.store)
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
        answers=answers,
        environment=environment,
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


def _faults(people: RoleLookup, health: Health, watch: ClockWatch) -> list[str]:
    """In Slack, by Slack's words: `optin doctor` says how to mend them. And a clock that moved."""
    groups = [f"Slack does not show a user group ({word})" for word in people.unseen.values()]
    channels = [f"Slack takes no alerts in a channel ({word})" for word in health.paused.values()]
    nobody = ["nobody can be told of it"] if health.nobody_to_notify else []
    moved = [fault for fault in [watch.fault()] if fault]
    return [*dict.fromkeys([*groups, *channels, *nobody, *moved])]


def _in_time(service: Service, health: Health) -> bool:
    oldest = health.oldest
    return health.ready() and (oldest is None or service.now() - oldest < _OLDEST_ALERT)


def _has_all(service: Service) -> bool:
    """True, too, where the storage can't be read: that is said by its own name."""
    try:
        return has_all(service)
    except StorageFailed:
        return service.heads.behind is None
