"""Who somebody is to Optin: agent, manager or nobody, as Slack says it at this moment."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta, timezone, tzinfo
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from slack_bolt import BoltRequest, BoltResponse
from slack_bolt.middleware import Middleware
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.consent.errors import Invalid, NotAllowed, RoleUnknown
from bot.consent.model import Actor, Role
from bot.consent.permissions import Action, authorize
from bot.consent.reader_times import ReaderTimes
from bot.consent.use_cases import Service
from bot.consent.use_cases.wrapped_store import once
from handlers.slack import ids, interaction
from handlers.slack.alerts.slack_errors import CALL_FAILED, slack_failure
from handlers.slack.decisions import note_refused_person
from handlers.slack.hand_over import REQUEST, AnswerPool
from handlers.slack.sealed_values import Drafts
from handlers.slack.slack_faults import lasting, passes, unseen_group

logger = logging.getLogger(__name__)

#: Seconds for which a role is remembered for look-ups. Where something is decided it is read anew.
REMEMBERED = 60.0
#: Seconds after which a remembered role is read anew once the person has their answer, so that
#: somebody who asks again does not wait for Slack.
AHEAD = 30.0
#: Seconds.
_DAY = 86_400
_NOT_ASKED = "Slack could not be asked who you are"
_NOBODY = "Slack did not say who asked for this, so nothing was changed. Try it again."
#: As Slack calls shortcuts, of the composer and of a message.
_SHORTCUTS = frozenset({"shortcut", "message_action"})


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
    #: Those who are asked for ahead at this moment.
    _asking: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def actor(self, user: str, *, fresh: bool) -> Actor:
        """The person with the role held now, or a minute ago at most where not `fresh`.

        Raises `NotAllowed` where Slack can't be asked: who can't be known may do nothing.
        """
        return Actor(id=f"slack:{user}", role=self._known(user, fresh).role, source="slack")

    def ask_ahead(self, user: str) -> bool:
        """Whether `read_ahead` is due for this person. True is said to one caller."""
        with self._lock:
            known = self._remembered.get(user)
            if known is None or user in self._asking or self.monotonic() - known.at < AHEAD:
                return False
            self._asking.add(user)
            return True

    def read_ahead(self, user: str) -> None:
        """Reads the role anew. Where Slack can't be asked, whoever asks next hears of it."""
        try:
            with suppress(NotAllowed, *CALL_FAILED):
                self._known(user, True)
        finally:
            with self._lock:
                self._asking.discard(user)

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
                raise RoleUnknown(f"{_NOT_ASKED}, so nothing was changed. {again}") from error
            raise RoleUnknown(f"{_NOT_ASKED}. {fault} Nothing was changed.") from error
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who asks, and what a listener needs to answer them."""

    actor: Actor
    #: With the times of this person.
    consent: Service
    drafts: Drafts


class Visitors:
    """Says who asks, and refuses guests and people of other organisations."""

    def __init__(self, *, consent: Service, people: RoleLookup, answers: AnswerPool) -> None:
        self._consent = consent
        self._people = people
        self._answers = answers
        self._drafts = Drafts(consent.hash_key)

    def let_in(self, user: object, *, fresh: bool) -> Visitor:
        """`fresh` where something is decided. Raises `Invalid` where Slack names nobody, and
        `NotAllowed`."""
        if not isinstance(user, str):
            raise Invalid(_NOBODY)
        actor = self.fresh_actor(user) if fresh else self._people.actor(user, fresh=False)
        authorize(actor, Action.LOOK)
        if self._people.ask_ahead(user):
            self._answers.later(partial(self._people.read_ahead, user))
        times = ReaderTimes(zone=self._people.zone(user))
        consent = once(replace(self._consent, times=times), REQUEST.get())
        return Visitor(actor=actor, consent=consent, drafts=self._drafts)

    def fresh_actor(self, user: str) -> Actor:
        """The person with the role that Slack says now. Raises `NotAllowed`."""
        actor = self._people.actor(user, fresh=True)
        return replace(actor, role_as_of=self._consent.now())

    def refused(self, user: object, body: dict[str, Any], refusal: NotAllowed) -> None:
        """Notes a try to decide a request."""
        note_refused_person(self._consent, user, body, refusal)


class AuthorizeMiddleware(Middleware):
    """Says of commands, clicks and forms who asks. A class, for which Bolt does not put together
    arguments by name."""

    def __init__(self, visitors: Visitors, **offered: object) -> None:
        """`offered` is what listeners may name besides."""
        self._visitors = visitors
        self._offered = offered

    def process(
        self, *, req: BoltRequest, resp: BoltResponse, next: Callable[[], BoltResponse]
    ) -> BoltResponse:
        if req.body.get("type") == "event_callback":
            return next()  # `after_ack` asks who caused it, once it is acknowledged
        _check(req.body)
        if req.body.get("type") in _SHORTCUTS:
            return next()  # the same
        user = req.context.user_id
        try:
            visitor = self._visitors.let_in(user, fresh=_decides(req.body))
        except NotAllowed as refusal:
            self._visitors.refused(user, req.body, refusal)
            raise
        req.context["consent"] = visitor.consent
        req.context["actor"] = visitor.actor
        req.context["drafts"] = visitor.drafts
        req.context["fresh_actor"] = partial(self._visitors.fresh_actor, str(user))
        req.context.update(self._offered)
        return next()


def _full_member(user: Mapping[str, Any], team: str) -> bool:
    """No guest, no app, nobody of another organisation (Slack Connect), nobody deactivated."""
    enterprise_user = user.get("enterprise_user") or {}
    teams = {user.get("team_id"), *(enterprise_user.get("teams") or ())}
    return team in teams and not is_barred(user)


def is_barred(user: Mapping[str, Any]) -> bool:
    """A guest, an app, somebody of another organisation, or a deactivated account."""
    barred = ("deleted", "is_restricted", "is_ultra_restricted", "is_stranger", "is_bot")
    return any(user.get(flag) for flag in barred)


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
        case "shortcut" | "message_action":
            interaction.text(body, "callback_id")
        case _:
            raise Invalid(ids.OUTDATED)


def _decides(body: dict[str, Any]) -> bool:
    """Whether this request changes something, so that the role is read anew at Slack."""
    if body.get("type") == "view_submission":
        return True
    return any(action.get("action_id") in ids.DECIDING for action in body.get("actions") or ())
