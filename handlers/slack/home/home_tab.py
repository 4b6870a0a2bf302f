"""A person's Home: published when they open it, and again after a click that changes what it shows.

https://docs.slack.dev/reference/events/app_home_opened
https://docs.slack.dev/reference/methods/views.publish
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator
from datetime import UTC
from threading import Lock

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.consent.model import Actor
from bot.consent.permissions import Action, may
from bot.consent.use_cases import Service
from bot.consent.use_cases.home_facts import has_home, home_facts, remember_home
from handlers.slack.after_ack import AfterAck, PersonRequest, silently
from handlers.slack.alerts.channel_health import Health
from handlers.slack.alerts.render.notice_text import cure_of_channel
from handlers.slack.alerts.slack_errors import CALL_FAILED, slack_failure
from handlers.slack.blocks.formatting import inert
from handlers.slack.blocks.home_page import HomePage, home_view, refused_view
from handlers.slack.environment import Environment
from handlers.slack.interaction import Body

logger = logging.getLogger(__name__)

#: Slack's words for a page that it can't draw: the chart is a new kind of block.
_UNDRAWN = frozenset({"invalid_arguments", "invalid_blocks", "invalid_blocks_format"})


#: One of these is held while a person's Home is drawn.
_DRAWING = tuple(Lock() for _ in range(64))


class HomeTabs:
    """Draws Homes again, for listeners."""

    def __init__(self, after: AfterAck) -> None:
        self.after = after

    @property
    def environment(self) -> Environment:
        """What surrounds Optin."""
        return self.after.environment

    def changed(self, body: Body, client: WebClient, consent: Service, actor: Actor) -> None:
        """Something happened that this person's Home shows. It is drawn again after the answer, if
        they have one."""

        def work() -> None:
            if has_home(consent, actor):
                publish(client, consent, actor, self.after.environment)

        self.after.later(work, silently, body, client)


def opened(request: PersonRequest) -> None:
    """Somebody opened their Home."""
    known = publish(request.client, request.consent, request.actor, request.environment)
    if not known:
        remember_home(request.consent, request.actor)


def publish(client: WebClient, consent: Service, actor: Actor, around: Environment) -> bool:
    """Draws it as things stand. Returns whether this person had one before. Raises what a call to
    Slack raises."""
    user = actor.id.removeprefix("slack:")
    # One after the other, so that the last one drawn is the newest.
    with _DRAWING[zlib.crc32(user.encode()) % len(_DRAWING)]:
        return _publish(client, user, _page(consent, actor, around))


def _publish(client: WebClient, user: str, page: HomePage) -> bool:
    try:
        client.views_publish(user_id=user, view=home_view(page))
    except SlackApiError as error:
        if slack_failure(error).word not in _UNDRAWN:
            raise
        logger.info("a Home goes without its chart: %s", slack_failure(error).word)
        client.views_publish(user_id=user, view=home_view(page, charts=False))
    return page.facts.opened


def _page(consent: Service, actor: Actor, around: Environment) -> HomePage:
    manager = may(actor, Action.QUIET)
    facts = home_facts(consent, actor, around.sources.names if manager else ())
    zone = consent.times.zone or UTC
    now = consent.now()
    today = now.astimezone(zone).date()
    health: list[str] = []
    if manager:
        health = [*_channel_lines(consent, around.health), *around.sources.lines(facts.noted)]
    return HomePage(
        facts=facts,
        days=facts.counts.days(today, zone) if facts.counts else None,
        providers=consent.providers,
        command=consent.command,
        manager=manager,
        health=health,
        has_channel=consent.alert_channel is not None,
    )


def _channel_lines(consent: Service, health: Health) -> Iterator[str]:
    channels = {consent.approval_channel: "Requests", consent.alert_channel: "Alerts"}
    if not consent.alert_channel:
        yield (
            "⚪ No channel is set for alerts. Whoever runs Optin sets `OPTIN_ALERT_CHANNEL` to "
            "a channel's id."
        )
    if health.token_problem:
        yield f"🔴 Slack refuses Optin's token: {inert(health.token_problem)}."
    paused = dict(health.paused)
    for channel, what in reversed(channels.items()):
        if channel is None:
            continue
        if word := paused.get(channel):
            cure = cure_of_channel(word)
            yield f"🔴 Slack takes nothing in <#{channel}>: {inert(word)}. {cure}".rstrip()
        else:
            yield f"✅ {what} go to <#{channel}>."
    if health.dead:
        yield f"🟡 {health.dead:,} {_alerts(health.dead)} could not be posted."
    if paused and health.waiting:
        yield f"🟡 {health.waiting:,} {_alerts(health.waiting)} wait to be posted."


def is_home(event: Body) -> bool:
    """Whether the Home tab was opened, and not the messages."""
    return event.get("tab") == "home"


def refused(body: Body, client: WebClient, sentence: str) -> None:
    """Says it in the Home of whoever opened it. Somebody without an account has none."""
    event = body.get("event")
    user = event.get("user") if isinstance(event, dict) else None
    if not isinstance(user, str) or not user:
        return
    try:
        client.views_publish(user_id=user, view=refused_view(sentence))
    except CALL_FAILED as error:
        logger.info("a Home could not be published: %s", slack_failure(error).word)


def _alerts(count: int) -> str:
    return "alert" if count == 1 else "alerts"
