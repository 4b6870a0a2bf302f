"""What the app is allowed and offers, as its manifest says.

https://docs.slack.dev/reference/app-manifest/
"""

from dataclasses import dataclass, field
from typing import Any

from sandbox.first_workspace import COMMAND
from sandbox.web_api.methods import ALL_SCOPES
from sandbox.workflows.custom_steps import CustomStep, read_steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """With `escapes`, Slack turns names, addresses and numbers in the text into links."""

    name: str
    description: str = ""
    hint: str = ""
    escapes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """`kind` is "global" or "message"."""

    name: str
    kind: str
    callback_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Without a manifest: every scope, one command, and the events that need no more.

    `home` says whether the app has a Home tab, `messages` whether people may write to it. With
    `domains`, the app hears of links to them.
    """

    commands: tuple[Command, ...] = (Command(name=COMMAND, description="Look up a contact"),)
    shortcuts: tuple[Shortcut, ...] = ()
    steps: tuple[CustomStep, ...] = ()
    events: frozenset[str] = frozenset({"app_home_opened", "app_mention"})
    scopes: frozenset[str] = field(default=ALL_SCOPES)
    home: bool = True
    messages: bool = True
    domains: frozenset[str] = frozenset()


def read_manifest(body: dict[str, Any]) -> Manifest:
    """From a parsed manifest.yml."""
    features, settings = body.get("features", {}), body.get("settings", {})
    commands = tuple(
        Command(
            name=row["command"],
            description=row.get("description", ""),
            hint=row.get("usage_hint", ""),
            escapes=bool(row.get("should_escape")),
        )
        for row in features.get("slash_commands", ())
    )
    shortcuts = tuple(
        Shortcut(name=row["name"], kind=row["type"], callback_id=row["callback_id"])
        for row in features.get("shortcuts", ())
    )
    return Manifest(
        commands=commands,
        shortcuts=shortcuts,
        steps=read_steps(body.get("functions", {})) if settings.get("org_deploy_enabled") else (),
        events=frozenset(settings.get("event_subscriptions", {}).get("bot_events", ())),
        domains=frozenset(features.get("unfurl_domains", ())),
        messages=_writable(features.get("app_home", {})),
        home=bool(features.get("app_home", {}).get("home_tab_enabled")),
        scopes=frozenset(body.get("oauth_config", {}).get("scopes", {}).get("bot", ())),
    )


def _writable(app_home: dict[str, Any]) -> bool:
    """Whether people may write to the app.

    https://docs.slack.dev/reference/app-manifest/#features
    """
    return bool(
        app_home.get("messages_tab_enabled", True)
        and not app_home.get("messages_tab_read_only_enabled")
    )
