"""Slack's faults in a sentence: those that pass by themselves, and those that somebody has to mend.

Slack's words: https://docs.slack.dev/reference/methods/users.info#errors
"""

from __future__ import annotations

from collections.abc import Mapping

from handlers.slack.alerts.slack_errors import ErrorKind, slack_failure

#: They pass by themselves.
_PASSING = frozenset({ErrorKind.LIMITED, ErrorKind.UNREACHED, ErrorKind.UNKNOWN})

_TOKEN = (
    "Slack no longer accepts Optin's token ({word}). Whoever runs Optin has to install the app "  # noqa: S105 - a sentence
    "again and set the new SLACK_BOT_TOKEN."
)
_SCOPE = (
    "Optin's Slack app lacks a permission ({word}). Whoever runs Optin has to add the missing "
    "scope, which `optin doctor` names, and install the app again."
)
_FORBIDDEN = (
    "Slack does not allow Optin to do this ({word}). A workspace admin has to allow the app."
)
_PERSON = (
    "Slack does not know your account in this workspace ({word}). A workspace admin has to check "
    "your account."
)
_GROUP = (
    "Slack does not show a user group that Optin's settings name ({word}): it is switched off or "
    "gone. A workspace admin has to switch it on, or whoever runs Optin has to change "
    "OPTIN_MANAGERS or OPTIN_AGENTS."
)
_LASTING: Mapping[str, str] = {
    "missing_scope": _SCOPE,
    "not_allowed_token_type": _SCOPE,
    "invalid_auth": _TOKEN,
    "not_authed": _TOKEN,
    "token_revoked": _TOKEN,
    "token_expired": _TOKEN,
    "account_inactive": _TOKEN,
    "user_not_found": _PERSON,
    "user_not_visible": _PERSON,
    "user_not_in_workspace": _PERSON,
    "user_disabled": _PERSON,
    "no_such_subteam": _GROUP,
    "subteam_not_found": _GROUP,
    "subteam_disabled": _GROUP,
    "subteam_max_users_exceeded": _GROUP,
    "usergroup_not_found": _GROUP,
    "usergroup_disabled": _GROUP,
    "paid_teams_only": _GROUP,
    "plan_upgrade_required": _GROUP,
    "permission_denied": _FORBIDDEN,
    "no_permission": _FORBIDDEN,
    "access_denied": _FORBIDDEN,
    "ekm_access_denied": _FORBIDDEN,
    "org_login_required": _FORBIDDEN,
    "team_access_not_granted": _FORBIDDEN,
    "enterprise_is_restricted": _FORBIDDEN,
    "two_factor_setup_required": _FORBIDDEN,
    "restricted_action": _FORBIDDEN,
}


def unseen_group(word: str) -> str:
    """Of a user group that Slack does not show, by Slack's word for why."""
    return _LASTING.get(word, _GROUP).format(word=word)


def passes(error: Exception) -> bool:
    """Whether the same call may work in a minute. `error` is one of `slack_errors.CALL_FAILED`."""
    return slack_failure(error).trouble in _PASSING


def lasting(error: Exception) -> str | None:
    """What is wrong, and who mends it; None where it passes by itself, or is no fault of these."""
    found = slack_failure(error)
    if found.trouble in _PASSING or found.word not in _LASTING:
        return None
    return _LASTING[found.word].format(word=found.word)
