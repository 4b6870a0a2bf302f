"""The settings that managers see in Slack, and change only where Optin runs. No secrets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.config.settings import ConfiguredPeople, Settings
from handlers.slack.blocks.formatting import inert

_NOT_SET = "not set"


def shown_settings(settings: Settings) -> Sequence[tuple[str, str]]:
    """The names of settings, and what each says in mrkdwn."""
    return list(_shown(settings))


def _shown(settings: Settings) -> Iterator[tuple[str, str]]:
    yield "OPTIN_ALERT_CHANNEL", _channel(settings.alert_channel)
    yield "OPTIN_APPROVAL_CHANNEL", _channel(settings.approval_channel)
    yield "OPTIN_MANAGERS", _people(settings.managers, "nobody")
    yield "OPTIN_AGENTS", _people(settings.agents, "every full member")
    yield "OPTIN_SELF_APPROVE", "yes" if settings.self_approve else "no"
    yield "OPTIN_CONFIRMED_OPT_IN", "complete" if settings.confirmed_opt_in else _NOT_SET
    yield "OPTIN_REGION", inert(settings.region)
    yield "OPTIN_LANGUAGES", inert(", ".join(sorted(settings.languages))) or "en"
    yield "OPTIN_COMMAND", inert(settings.command)
    yield "OPTIN_PUBLIC_URL", inert(settings.public_url or _NOT_SET, 200)
    yield "OPTIN_CRM_URL", inert(settings.crm.template if settings.crm else _NOT_SET, 200)


def _channel(id: str | None) -> str:
    return f"<#{id}>" if id else _NOT_SET


def _people(named: ConfiguredPeople, nobody: str) -> str:
    users = [f"<@{user}>" for user in sorted(named.users)]
    groups = [f"<!subteam^{group}>" for group in sorted(named.groups)]
    return ", ".join((*users, *groups)[:20]) or nobody
