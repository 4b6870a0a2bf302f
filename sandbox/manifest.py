"""What the app is allowed and offers, as its manifest says.

https://docs.slack.dev/reference/app-manifest/
"""

from dataclasses import dataclass, field
from typing import Any

from sandbox.first_workspace import COMMAND
from sandbox.web_api.methods import ALL_SCOPES


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

    `home` says whether the app has a Home tab.
    """

    commands: tuple[Command, ...] = (Command(name=COMMAND, description="Look up a contact"),)
    shortcuts: tuple[Shortcut, ...] = ()
    events: frozenset[str] = frozenset({"app_home_opened", "app_mention"})
    scopes: frozenset[str] = field(default=ALL_SCOPES)
    home: bool = True


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
        events=frozenset(settings.get("event_subscriptions", {}).get("bot_events", ())),
        home=bool(features.get("app_home", {}).get("home_tab_enabled")),
        scopes=frozenset(body.get("oauth_config", {}).get("scopes", {}).get("bot", ())),
    )
