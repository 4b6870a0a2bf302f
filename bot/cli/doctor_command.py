"""`optin doctor`: what is well, what is not, and the cure for each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from bot.cli.clock_findings import clock_findings, slacks_clock
from bot.cli.command_session import read_settings
from bot.cli.finding import Finding
from bot.cli.head_findings import head_file_findings, head_findings
from bot.cli.list_findings import list_findings
from bot.cli.provider_findings import provider_findings
from bot.cli.slack_findings import link_findings, notice_findings, people_findings
from bot.cli.terminal import say
from bot.cli.webhook_findings import webhook_findings
from bot.cli.witness_findings import witness_findings
from bot.config.settings import Mode, Settings, SettingsError
from bot.consent.errors import OptinError
from storage import open_store

if TYPE_CHECKING:
    from slack_sdk import WebClient

#: What the manifest asks for; a test compares them.
SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "channels:read",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:write",
        "links:read",
        "links:write",
        "usergroups:read",
        "users:read",
    }
)
#: The scopes that `bot_optional` of the manifest lists, and what does not work without each.
OPTIONAL_SCOPES = {
    "usergroups:read": "user groups in OPTIN_MANAGERS and OPTIN_AGENTS",
    "files:write": "the Activity Log as a file, and the list of a storm's opt-outs",
    "files:read": "the check whether an exported log has arrived",
    "channels:history": "the check for duplicate alerts in public channels, and reading the first "
    "message of a thread there",
    "groups:history": "the same in private channels",
    "app_mentions:read": "answers to @mentions",
    "im:history": "answers to direct messages",
    "links:read": "Check opt-in below links to the CRM",
    "links:write": "the same",
}
#: Slack has no method that says whether an app's steps are offered.
_STEPS = Finding(
    what="Whether Workflow Builder offers Optin's steps, Slack does not say. They need a paid "
    "plan, and an app with functions and org_deploy_enabled in its manifest, as in manifest.yml.",
    off=True,
)
#: Contacts above which TinyDB takes seconds to open, and a gigabyte of memory.
_MANY_CONTACTS = 250_000
#: Seconds for an answer of Slack's.
_PATIENCE = 10


def doctor(
    post: Annotated[
        bool,
        typer.Option("--post", help="Post a line to each channel, and take it away again."),
    ] = False,
) -> None:
    """Checks tokens, scopes, channels, the public address, each provider and the storage: a line
    for each, and a cure where something is wrong.

    \b
      optin doctor
      optin doctor --post
    """
    failed = False
    for finding in _look(post):
        say(finding.line)
        failed |= finding.cure is not None and not finding.advice
    if failed:
        raise typer.Exit(1)


def _look(post: bool) -> Iterator[Finding]:
    try:
        settings = read_settings()
    except SettingsError as error:
        yield Finding(what="Settings can't be read.", cure=error.sentence)
        return
    yield Finding(what="Settings can be read.")
    yield from _storage(settings)
    yield from head_file_findings(settings)
    yield from witness_findings(settings)
    yield _public_url(settings)
    yield from provider_findings(settings)
    yield from list_findings(settings)
    yield from webhook_findings(settings)
    yield from _slack(settings, post)


def _storage(settings: Settings) -> Iterator[Finding]:
    try:
        with closing(open_store(settings.storage)) as store:
            settings.hash_key(store)
            with store.reading() as records:
                contacts, (entries, _) = records.contacts.count(), records.log.head()
            more = [*head_findings(settings, store), *clock_findings(store)]
    except OptinError as error:
        yield Finding(what="The storage can't be used.", cure=error.sentence)
        return
    what = f"The storage opens: {contacts:,} contacts, {entries:,} log entries."
    if contacts > _MANY_CONTACTS and settings.storage.startswith("tinydb:"):
        yield Finding(
            what=what,
            cure="That is much for TinyDB, which has them all in memory. Stop Optin, run "
            "`optin copy --to sqlite:///data/optin.db` (or --to postgresql://…), and set "
            "OPTIN_STORAGE to that.",
            advice=True,
        )
    else:
        yield Finding(what=what)
    yield from more


def _public_url(settings: Settings) -> Finding:
    url = settings.public_url
    if url is None:
        return Finding(what="No public address is set; Slack's Socket Mode needs none.", off=True)
    parts = urlsplit(url)
    if parts.scheme != "https":
        return Finding(
            what="The public address is not https.",
            cure="Set OPTIN_PUBLIC_URL to the https address at which others reach this machine.",
        )
    if _is_private(parts.hostname or ""):
        return Finding(
            what="The public address can't be reached from outside.",
            cure="Set OPTIN_PUBLIC_URL to a name or number that the whole internet can reach.",
        )
    return Finding(what=f"The public address is {url}.")


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or "." not in host


def _slack(settings: Settings, post: bool) -> Iterator[Finding]:
    try:
        mode = settings.mode()
    except SettingsError as error:
        yield Finding(what="There is no way for Slack to reach us.", cure=error.sentence)
        mode = None
    if not settings.bot_token:
        yield Finding(
            what="There is no bot token.",
            cure="Set SLACK_BOT_TOKEN to the token that begins with xoxb-, under OAuth & "
            "Permissions in your Slack app's settings.",
        )
        return
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError

    from bot.cli.channel_findings import channel_findings

    client = WebClient(
        token=settings.bot_token,
        base_url=settings.slack_api_url,
        timeout=_PATIENCE,
        retry_handlers=[],  # a line that is posted twice would be taken away once
    )
    try:
        us = client.auth_test()
    except SlackApiError as error:
        yield Finding(
            what=f"Slack refuses the bot token: {error.response.get('error')}.",
            cure="Install the app to the workspace again, and copy the new SLACK_BOT_TOKEN.",
        )
        return
    except OSError:
        yield Finding(
            what=f"Slack can't be reached at {settings.slack_api_url}.",
            cure="Check the network, a proxy, and SLACK_API_URL.",
        )
        return
    yield Finding(what=f"Slack knows the bot as @{us.get('user')} in {us.get('team')}.")
    headers = {name.lower(): value for name, value in us.headers.items()}
    yield slacks_clock(headers)
    yield _scopes(headers.get("x-oauth-scopes"))
    yield _STEPS
    if mode is Mode.SOCKET:
        yield _app_token(client, settings.app_token)
    yield from people_findings(client, settings)
    yield from channel_findings(client, settings, post=post)
    yield from notice_findings(settings)
    yield from link_findings(settings)


def _scopes(header: str | None) -> Finding:
    if not header:  # an app without any scope has no token either
        return Finding(
            what="Whether the bot has every scope that it needs, Optin can't tell.",
            cure="Slack's answer came without the header x-oauth-scopes: a proxy may have dropped "
            "it. Compare the scopes under OAuth & Permissions with manifest.yml.",
            advice=True,
        )
    granted = {scope.strip() for scope in header.split(",")}
    missing = sorted(SCOPES - granted)
    if declined := [scope for scope in missing if scope in OPTIONAL_SCOPES]:
        lost = (
            f" Unavailable without them: {'; '.join(map(OPTIONAL_SCOPES.__getitem__, declined))}."
        )
    else:
        lost = ""
    if missing:
        return Finding(
            what=f"Scopes are missing: {', '.join(missing)}.",
            cure=f"Add them under OAuth & Permissions, and install the app again.{lost}",
            advice=missing == declined,
        )
    return Finding(what="The bot has every scope that it needs.")


def _app_token(client: WebClient, token: str) -> Finding:
    from slack_sdk.errors import SlackApiError

    try:
        client.apps_connections_open(app_token=token)
    except SlackApiError as error:
        return Finding(
            what=f"Slack refuses the app-level token: {error.response.get('error')}.",
            cure="Switch Socket Mode on, and set SLACK_APP_TOKEN to a token that has the scope "
            "connections:write, under Basic Information.",
        )
    return Finding(what="Socket Mode can connect.")
