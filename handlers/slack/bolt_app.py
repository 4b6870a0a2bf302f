"""The Bolt app: every listener, registered beside its function."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.middleware import Middleware
from slack_sdk import WebClient

from bot.consent.errors import Invalid
from bot.consent.permissions import Action, authorize
from bot.consent.use_cases import Service
from handlers.slack import (
    actions,
    case_actions,
    commands,
    corrections,
    error_handler,
    ids,
    interaction,
    options,
    view_submissions,
)
from handlers.slack.alerts import alert_actions as alerts
from handlers.slack.roles import RoleLookup
from handlers.slack.sealed_values import Drafts

_ACTIONS: dict[str, Callable[..., None]] = {
    ids.EDIT: actions.edit,
    ids.VIEW: actions.view,
    ids.SEARCH_ALL: actions.search,
    ids.FIND: actions.found,
    ids.ADD: actions.add,
    ids.MORE: actions.more,
    ids.UNDO: actions.take_back,
    ids.ACTIVITY: actions.activity,
    ids.LOG_OLDER: actions.turn_log,
    ids.LOG_NEWER: actions.turn_log,
    ids.LOG_CHANNEL: actions.turn_log,
    ids.LOG_KIND: actions.turn_log,
    ids.LOG_EXPORT: actions.export_log,
    ids.LOG_EXPORT_AGAIN: actions.export_again,
    ids.RECENT_KIND: actions.turn_recent,
    ids.RECENT_OLDER: actions.turn_recent,
    ids.RECENT_NEWEST: actions.turn_recent,
    ids.ALERT_VIEW: alerts.view,
    ids.HANDLED: alerts.handled,
    ids.REVIEW_YES: alerts.review,
    ids.REVIEW_NO: alerts.review,
    ids.ALERT_MENU: alerts.menu,
    ids.ALERT_REQUEST: alerts.ask,
    ids.REQUEST_SMS: case_actions.ask,
    ids.REQUEST_EMAIL: case_actions.ask,
    ids.APPROVE: case_actions.approved,
    ids.DENY: case_actions.denying,
    ids.WITHDRAW_SMS: case_actions.withdrawn,
    ids.WITHDRAW_EMAIL: case_actions.withdrawn,
    ids.CASE_VIEW: case_actions.view,
    ids.PENDING_MORE: case_actions.more,
    ids.REQUESTS_BY_DM: case_actions.by_dm,
    ids.REMOVED: corrections.removed,
    ids.MISTAKE: corrections.mistake,
}

_VIEWS: dict[str, Callable[..., None]] = {
    ids.EDIT_MODAL: view_submissions.saved_edit,
    ids.DETAILS_MODAL: view_submissions.saved_details,
    ids.NOTE_MODAL: view_submissions.saved_note,
    ids.SEARCH_MODAL: view_submissions.searched,
    ids.KINDS_MODAL: alerts.saved_kinds,
    ids.REQUEST_MODAL: case_actions.saved_request,
    ids.DENY_MODAL: case_actions.saved_denial,
    ids.MISTAKE_MODAL: corrections.saved_mistake,
}

_NOBODY = "Slack did not say who asked for this, so nothing was changed. Try it again."

_ANY = re.compile(".*", re.DOTALL)


def bolt_app(
    *,
    client: WebClient,
    authorized: AuthorizeResult,
    consent: Service,
    people: RoleLookup,
    command: str,
    sharing_changed: Callable[[str], object] = lambda slack_channel: None,
) -> App:
    """The app for one workspace, for Socket Mode and HTTP alike. `sharing_changed` is told the
    channels of which Slack says that they are shared with another organisation now, or not.

    `authorized` is what `auth.test` said at the start: asking on every request costs more than the
    request. The signature is checked by the gate in front, on the raw bytes.
    """
    logger = _quiet_logger()
    app = App(
        client=client,
        authorize=lambda: authorized,
        # What was acknowledged is stored; docs/adr/0003-process-before-response.md has the figures.
        process_before_response=True,
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
        logger=logger,
    )
    logger.setLevel(logging.WARNING)
    app.use(AuthorizeMiddleware(consent=consent, people=people))
    app.command(command)(commands.optin)
    for action, listener in _ACTIONS.items():
        app.action(action)(listener)
    for callback, listener in _VIEWS.items():
        app.view(callback)(listener)
    app.options(ids.FIND)(options.find)

    @app.event("channel_shared")
    @app.event("channel_unshared")
    @app.event("shared_channel_invite_accepted")
    @app.event("shared_channel_invite_approved")
    @app.event("shared_channel_invite_declined")
    def shared(event: dict[str, Any]) -> None:
        channel = event.get("channel")
        slack_channel = channel.get("id") if isinstance(channel, dict) else channel
        if isinstance(slack_channel, str):
            sharing_changed(slack_channel)

    # What only an older version drew is answered, too: silence looks like a broken button.
    app.command(_ANY)(commands.unknown)
    app.action(_ANY)(actions.unknown)
    app.view(_ANY)(view_submissions.unknown)
    app.options(_ANY)(options.unknown)

    @app.error
    def said(error: Exception, body: dict[str, Any], client: WebClient) -> BoltResponse:
        return error_handler.answer(error, body, client, doubt=people.doubt)

    return app


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
        req.context["consent"] = self._consent
        req.context["actor"] = actor
        req.context["drafts"] = self._drafts
        return next()


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


def _quiet_logger() -> logging.Logger:
    """Bolt and Slack's SDK log whole bodies at DEBUG, whatever is set for the rest of the
    program."""
    logging.getLogger("slack_sdk").setLevel(logging.INFO)
    logger = logging.getLogger("optin.bolt")
    # While it starts it warns of SLACK_BOT_TOKEN, which it finds in the environment by itself.
    logger.setLevel(logging.ERROR)
    return logger
