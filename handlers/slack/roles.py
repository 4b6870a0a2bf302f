"""Who somebody is to Optin: agent, manager or nobody, as Slack says it at this moment."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from slack_bolt import BoltRequest, BoltResponse
from slack_bolt.middleware import Middleware
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.consent.errors import Invalid, NotAllowed
from bot.consent.model import Actor, Role
from bot.consent.permissions import Action, authorize
from bot.consent.reader_times import ReaderTimes
from bot.consent.use_cases import Service
from handlers.slack import ids, interaction
from handlers.slack.alerts.slack_errors import CALL_FAILED, slack_failure
from handlers.slack.sealed_values import Drafts
from handlers.slack.slack_faults import lasting, passes, unseen_group

logger = logging.getLogger(__name__)

#: Seconds for which a role is remembered for look-ups. Where something is decided it is read anew.
REMEMBERED = 60.0
#: Seconds.
_DAY = 86_400
_NOBODY = "Slack did not say who asked for this, so nothing was changed. Try it again."
_NOT_ASKED = "Slack could not be asked who you are"
#: Slack's words for somebody who is not there.
_UNKNOWN_PEOPLE = frozenset({"user_not_found", "user_not_visible", "users_not_found"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Whom the settings name: ids of users (U…) and of user groups (S…)."""

    managers: frozenset[str] = frozenset()
    #: Empty: every full member of the workspace.
    agents: frozenset[str] = frozenset()

    @property
    def groups(self) -> list[str]:
        return sorted(id for id in self.managers | self.agents if id.startswith("S"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What Slack said of somebody, and when."""

    at: float
    role: Role
    zone: tzinfo | None


@dataclass(slots=True, kw_only=True)
class RoleLookup:
    """Asks Slack who somebody is; remembers it for look-ups for a minute."""

    client: WebClient
    team: str
    roles: Roles
    #: Seconds that only grow.
    monotonic: Callable[[], float] = time.monotonic
    #: By user group, Slack's word for why it does not show who is in it: for /readyz.
    unseen: dict[str, str] = field(default_factory=dict)
    _remembered: dict[str, _Known] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def actor(self, user: str, *, fresh: bool) -> Actor:
        """The person with the role held now, or a minute ago at most where not `fresh`.

        Raises `NotAllowed` where Slack can't be asked: who can't be known may do nothing.
        """
        return Actor(id=f"slack:{user}", role=self._known(user, fresh).role, source="slack")

    def zone(self, user: str) -> tzinfo | None:
        """The time zone of somebody whose role was asked for; None where Slack named none."""
        with self._lock:
            known = self._remembered.get(user)
        return known.zone if known else None

    @property
    def doubt(self) -> str:
        """Why a manager may not be known as one at this moment; empty where there is no doubt."""
        word = next((w for id, w in self.unseen.copy().items() if id in self.roles.managers), None)
        return unseen_group(word) if word else ""

    def _known(self, user: str, fresh: bool) -> _Known:
        now = self.monotonic()
        with self._lock:
            known = self._remembered.get(user)
        if not fresh and known is not None and now - known.at < REMEMBERED:
            return known
        try:
            answer = self.client.users_info(user=user)["user"]
            known = _Known(at=now, role=self._role(user, answer), zone=zone_of(answer))
        except CALL_FAILED as error:
            found = slack_failure(error)
            logger.warning("Slack did not say who somebody is: %s", found.word)
            fault = lasting(error)
            if fault is None:
                again = "Try again in a minute." if passes(error) else f"It says {found.word}."
                raise NotAllowed(f"{_NOT_ASKED}, so nothing was changed. {again}") from error
            raise NotAllowed(f"{_NOT_ASKED}. {fault} Nothing was changed.") from error
        with self._lock:
            if len(self._remembered) > 10_000:
                self._remembered.clear()
            self._remembered[user] = known
        return known

    def _role(self, user: str, answer: Mapping[str, Any]) -> Role:
        if not _full_member(answer, self.team):
            return Role.NOBODY
        if user in self.roles.managers:
            return Role.MANAGER
        members = {group: self._members(group) for group in self.roles.groups}
        if _named(user, self.roles.managers, members):
            return Role.MANAGER
        if not self.roles.agents or _named(user, self.roles.agents, members):
            return Role.AGENT
        # Who can't be known by a group that Slack does not show is told why.
        for group in sorted(self.roles.agents):
            if isinstance(fault := members.get(group), SlackApiError):
                raise fault
        return Role.NOBODY

    def _members(self, group: str) -> Collection[str] | SlackApiError:
        """Who is in the group; or what Slack says for good, where it does not show the group: that
        is no reason to keep out those whom the settings name otherwise."""
        try:
            members: list[str] = self.client.usergroups_users_list(usergroup=group)["users"]
        except SlackApiError as error:
            if passes(error):
                raise
            word = slack_failure(error).word
            if self.unseen.get(group) != word:
                logger.error("Slack does not show the user group %s (%s)", group, word)
            self.unseen[group] = word
            return error
        self.unseen.pop(group, None)
        return members


class AuthorizeMiddleware(Middleware):
    """Says who asks, and refuses guests and people of other organisations. A class, for which Bolt
    does not put together arguments by name."""

    def __init__(self, *, consent: Service, people: RoleLookup) -> None:
        self._consent = consent
        self._people = people
        self._drafts = Drafts(consent.hash_key)

    def process(
        self, *, req: BoltRequest, resp: BoltResponse, next: Callable[[], BoltResponse]
    ) -> BoltResponse:
        if req.body.get("type") == "event_callback":
            return next()  # an event asks for nothing
        if not isinstance(req.context.user_id, str):
            raise Invalid(_NOBODY)
        _check(req.body)
        actor = self._people.actor(req.context.user_id, fresh=_decides(req.body))
        authorize(actor, Action.LOOK)
        times = ReaderTimes(zone=self._people.zone(req.context.user_id))
        req.context["consent"] = replace(self._consent, times=times)
        req.context["actor"] = actor
        req.context["drafts"] = self._drafts
        return next()


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
        return _barred(client.users_info(user=user)["user"])
    except SlackApiError as error:
        if slack_failure(error).word in _UNKNOWN_PEOPLE:
            return True
        raise


def _full_member(user: Mapping[str, Any], team: str) -> bool:
    """No guest, no app, nobody of another organisation (Slack Connect), nobody deactivated."""
    enterprise_user = user.get("enterprise_user") or {}
    teams = {user.get("team_id"), *(enterprise_user.get("teams") or ())}
    return team in teams and not _barred(user)


def zone_of(user: Mapping[str, Any]) -> tzinfo | None:
    """The zone by its name; or what it is ahead of UTC today, where this machine has no such zone.

    https://docs.slack.dev/reference/objects/user-object
    """
    name, ahead = user.get("tz"), user.get("tz_offset")
    with suppress(ZoneInfoNotFoundError, ValueError, OSError):
        if isinstance(name, str) and name:
            return ZoneInfo(name)
    if isinstance(ahead, int) and abs(ahead) < _DAY:
        return timezone(timedelta(seconds=ahead))
    return None


def _barred(user: Mapping[str, Any]) -> bool:
    barred = ("deleted", "is_restricted", "is_ultra_restricted", "is_stranger", "is_bot")
    return any(user.get(flag) for flag in barred)


def _named(
    user: str, ids: frozenset[str], members: Mapping[str, Collection[str] | SlackApiError]
) -> bool:
    return user in ids or any(
        user in found for id in ids if not isinstance(found := members.get(id, ()), SlackApiError)
    )


def _check(body: dict[str, Any]) -> None:
    """Raises `Invalid` where a request lacks what Bolt needs to choose a listener, or has none."""
    if "command" in body:
        return
    match body.get("type"):
        case "block_actions":
            interaction.text(interaction.pressed(body), "action_id")
        case "block_suggestion":
            interaction.text(body, "action_id")
        case "view_submission":
            interaction.text(interaction.view(body), "callback_id")
        case _:
            raise Invalid(ids.OUTDATED)


def _decides(body: dict[str, Any]) -> bool:
    """Whether this request changes something, so that the role is read anew at Slack."""
    if body.get("type") == "view_submission":
        return True
    return any(action.get("action_id") in ids.DECIDING for action in body.get("actions") or ())
