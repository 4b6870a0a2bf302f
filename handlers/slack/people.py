"""Who somebody is to Optin: agent, manager or nobody, as Slack says it at this moment."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.consent.errors import NotAllowed
from bot.consent.model import Actor, Role
from handlers.slack.reply import SLACK_FAILED

logger = logging.getLogger(__name__)

#: Seconds for which a role is remembered for look-ups. Where something is decided it is read anew.
REMEMBERED = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Whom the settings name: ids of users (U…) and of user groups (S…)."""

    managers: frozenset[str] = frozenset()
    #: Empty: every full member of the workspace.
    agents: frozenset[str] = frozenset()

    @property
    def groups(self) -> list[str]:
        return sorted(id for id in self.managers | self.agents if id.startswith("S"))


@dataclass(slots=True, kw_only=True)
class People:
    """Asks Slack who somebody is; remembers it for look-ups for a minute."""

    client: WebClient
    team: str
    roles: Roles
    #: Seconds that only grow.
    monotonic: Callable[[], float] = time.monotonic
    _remembered: dict[str, tuple[float, Role]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def actor(self, user: str, *, fresh: bool) -> Actor:
        """The person with the role held now, or a minute ago at most where not `fresh`.

        Raises `NotAllowed` where Slack can't be asked: who can't be known may do nothing.
        """
        return Actor(id=f"slack:{user}", role=self._role(user, fresh), source="slack")

    def _role(self, user: str, fresh: bool) -> Role:
        now = self.monotonic()
        with self._lock:
            known = self._remembered.get(user)
        if not fresh and known is not None and now - known[0] < REMEMBERED:
            return known[1]
        try:
            role = self._ask(user)
        except SLACK_FAILED as error:
            # `no_such_subteam`: the settings name a user group that Slack does not know.
            said = error.response.get("error") if isinstance(error, SlackApiError) else ""
            logger.warning("Slack did not say who somebody is: %s", said or type(error).__name__)
            raise NotAllowed(
                "Slack could not be asked who you are, so nothing was changed. "
                "Try again in a minute."
            ) from error
        with self._lock:
            if len(self._remembered) > 10_000:
                self._remembered.clear()
            self._remembered[user] = (now, role)
        return role

    def _ask(self, user: str) -> Role:
        answer = self.client.users_info(user=user)
        if not _full_member(answer["user"], self.team):
            return Role.NOBODY
        memberships = {
            group: user in self.client.usergroups_users_list(usergroup=group)["users"]
            for group in self.roles.groups
        }
        if _named(user, self.roles.managers, memberships):
            return Role.MANAGER
        if not self.roles.agents or _named(user, self.roles.agents, memberships):
            return Role.AGENT
        return Role.NOBODY


def is_manager(client: WebClient, roles: Roles, user: str) -> bool:
    """Whether the settings name them as a manager at this moment. Raises what a call to Slack
    raises."""
    if _barred(client.users_info(user=user)["user"]):
        return False
    groups = sorted(id for id in roles.managers if id.startswith("S"))
    return user in roles.managers or any(
        user in client.usergroups_users_list(usergroup=group)["users"] for group in groups
    )


def _full_member(user: Mapping[str, Any], team: str) -> bool:
    """No guest, no app, nobody of another organisation (Slack Connect), nobody deactivated."""
    teams = {user.get("team_id"), *user.get("enterprise_user", {}).get("teams", ())}
    return team in teams and not _barred(user)


def _barred(user: Mapping[str, Any]) -> bool:
    barred = ("deleted", "is_restricted", "is_ultra_restricted", "is_stranger", "is_bot")
    return any(user.get(flag) for flag in barred)


def _named(user: str, ids: frozenset[str], memberships: Mapping[str, bool]) -> bool:
    return user in ids or any(memberships.get(id, False) for id in ids)
