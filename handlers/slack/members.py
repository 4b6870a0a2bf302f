"""Full members of the workspace, and whom the settings name among them, asked of Slack anew."""

from __future__ import annotations

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from handlers.slack.alerts.slack_errors import slack_failure
from handlers.slack.roles import Roles, is_barred

#: Slack's words for somebody who is not there.
_UNKNOWN_PEOPLE = frozenset({"user_not_found", "user_not_visible", "users_not_found"})


def is_manager(client: WebClient, roles: Roles, user: str) -> bool:
    """Whether the settings name them as a manager at this moment. Raises what a call to Slack
    raises."""
    if is_gone(client, user):
        return False
    groups = sorted(id for id in roles.managers if id.startswith("S"))
    return user in roles.managers or any(
        user in client.usergroups_users_list(usergroup=group)["users"] for group in groups
    )


def is_agent(client: WebClient, roles: Roles, user: str) -> bool:
    """Whether they may look contacts up at this moment: an agent or a manager. Raises what a call
    to Slack raises."""
    if is_gone(client, user):
        return False
    known = roles.managers | roles.agents
    groups = sorted(id for id in known if id.startswith("S"))
    return (
        not roles.agents
        or user in known
        or any(user in client.usergroups_users_list(usergroup=group)["users"] for group in groups)
    )


def is_gone(client: WebClient, user: str) -> bool:
    """Whether the workspace has no such full member any more. Raises what a call to Slack raises,
    where it may be asked again."""
    try:
        return is_barred(client.users_info(user=user)["user"])
    except SlackApiError as error:
        if slack_failure(error).word in _UNKNOWN_PEOPLE:
            return True
        raise
