"""What `optin doctor` says of the people and channels in Slack that the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.cli.finding import Finding
from bot.config.settings import ConfiguredPeople, Settings
from bot.consent.alerts import Alert, AlertKind, DeliveryState
from bot.consent.errors import StorageFailed
from bot.runtime import clock
from storage import open_store

if TYPE_CHECKING:
    from slack_sdk import WebClient

#: A channel that takes nothing is told of once a day.
_LATELY = timedelta(hours=25)


def people_findings(client: WebClient, settings: Settings) -> Iterator[Finding]:
    """User groups that Slack does not show, and managers who have left."""
    from slack_sdk.errors import SlackApiError

    named = {
        group: [name for name, people in _named(settings) if group in people.groups]
        for group in sorted(settings.managers.groups | settings.agents.groups)
    }
    members: set[str] = set()
    for group, names in named.items():
        try:
            found = client.usergroups_users_list(usergroup=group)["users"]
        except SlackApiError as error:
            yield Finding(
                what=f"Slack does not show the user group {group} ({' and '.join(names)}): "
                f"{error.response.get('error')}.",
                cure="Ask a workspace admin to switch the group on, or name other people there. "
                "Until then nobody is one of them by that group.",
            )
        else:
            if group in settings.managers.groups:
                members.update(found)
    yield from _managers(client, settings, members)


def notice_findings(settings: Settings) -> Iterator[Finding]:
    """Channels that took no alerts lately, and whether anybody could be told of it."""
    from handlers.slack.alerts.render.notice_text import cure_of_channel

    try:
        with closing(open_store(settings.storage)) as store, store.reading() as records:
            notices = [
                a for a in records.outbox.all() if a.kind is AlertKind.NOTICE and _is_recent(a)
            ]
    except StorageFailed:
        return
    newest = {notice.about: notice for notice in sorted(notices, key=lambda a: a.first_at)}
    for channel, notice in newest.items():
        dead = notice.delivery.state is DeliveryState.DEAD
        said = "None of the managers could be told. " if dead else ""
        yield Finding(
            what=f"Slack took no alerts in {channel} today: {notice.text}.",
            cure=f"{said}{cure_of_channel(notice.text or '')} Alerts are kept until then.",
            advice=not dead,
        )


def link_findings(settings: Settings) -> Iterator[Finding]:
    """What the manifest needs for links to the CRM. A bot token can't read the manifest."""
    if settings.crm is not None:
        host = settings.crm.host
        yield Finding(
            what=f"Links to {host} get Check opt-in if the app's manifest has, under features: "
            f"unfurl_domains: [{host}]"
        )


def _managers(client: WebClient, settings: Settings, members: set[str]) -> Iterator[Finding]:
    from slack_sdk.errors import SlackApiError

    from handlers.slack.members import is_gone

    named = sorted(settings.managers.users | members)
    try:
        gone = [user for user in named if is_gone(client, user)]
    except SlackApiError as error:
        yield Finding(
            what=f"Slack does not say who the managers are: {error.response.get('error')}.",
            cure="Check the scopes of the app, and try again.",
        )
        return
    nobody = gone == named
    for user in gone:
        if user in settings.managers.users:
            then = (
                "name somebody else there: nobody can approve, or be told of faults"
                if nobody
                else "notices go to the next manager meanwhile"
            )
            yield Finding(
                what=f"The manager {user} has left the workspace.",
                cure=f"Take the id out of OPTIN_MANAGERS; {then}.",
                advice=not nobody,
            )


def _named(settings: Settings) -> tuple[tuple[str, ConfiguredPeople], ...]:
    return ("OPTIN_MANAGERS", settings.managers), ("OPTIN_AGENTS", settings.agents)


def _is_recent(alert: Alert) -> bool:
    return abs(clock.now() - alert.first_at) < _LATELY
