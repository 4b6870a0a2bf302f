"""The Bolt app: every listener, registered beside its function."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

from slack_bolt import App, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.consent.use_cases import Service
from handlers.slack import (
    actions,
    card_actions,
    case_actions,
    check_list,
    commands,
    contact_search,
    corrections,
    error_handler,
    ids,
    view_submissions,
)
from handlers.slack.alerts import alert_actions as alerts
from handlers.slack.imports import import_listeners
from handlers.slack.roles import AuthorizeMiddleware, RoleLookup

_ACTIONS: dict[str, Callable[..., None]] = {
    ids.EDIT: actions.edit,
    ids.VIEW: actions.view,
    ids.SEARCH_ALL: contact_search.search,
    ids.LIST_PREVIOUS: contact_search.turn_list,
    ids.LIST_NEXT: contact_search.turn_list,
    ids.FIND: contact_search.found,
    ids.ADD: actions.add,
    ids.MORE: actions.more,
    ids.WHY: actions.details,
    **dict.fromkeys((ids.UNDO, *ids.UNDOES.values()), actions.take_back),
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
    **dict.fromkeys(ids.REQUEST.values(), case_actions.ask),
    ids.APPROVE: case_actions.approved,
    ids.DENY: case_actions.denying,
    **dict.fromkeys(ids.WITHDRAWS.values(), case_actions.withdrawn),
    ids.CASE_VIEW: case_actions.view,
    ids.PENDING_MORE: case_actions.more,
    ids.REQUESTS_BY_DM: case_actions.by_dm,
    ids.OPT_OUT: card_actions.opt_out,
    **dict.fromkeys(ids.CLEAR.values(), card_actions.clear),
    **dict.fromkeys(ids.RECORD.values(), card_actions.record),
    ids.PUT_IN: card_actions.put_in,
    ids.HOLD_YES: card_actions.hold,
    ids.HOLD_NO: card_actions.hold,
    ids.LIFT: card_actions.do_not_contact,
    ids.DECIDE: card_actions.decide,
    **dict.fromkeys(ids.EDIT_DROPDOWNS, card_actions.touched),
    ids.REMOVED: corrections.removed,
    ids.MISTAKE: corrections.mistake,
    ids.IMPORT_GO: import_listeners.went,
    ids.IMPORT_CANCEL: import_listeners.cancelled,
    ids.IMPORT_COLUMNS: import_listeners.explained,
    ids.IMPORT_UNDO: import_listeners.took_back,
}

_VIEWS: dict[str, Callable[..., None]] = {
    ids.EDIT_MODAL: view_submissions.saved_edit,
    ids.DETAILS_MODAL: view_submissions.saved_details,
    ids.NOTE_MODAL: view_submissions.saved_note,
    ids.SEARCH_MODAL: view_submissions.searched,
    ids.ALERT_SETTINGS_MODAL: alerts.saved_settings,
    ids.REQUEST_MODAL: case_actions.saved_request,
    ids.DENY_MODAL: case_actions.saved_denial,
    ids.MISTAKE_MODAL: corrections.saved_mistake,
    ids.CLEAR_MODAL: card_actions.saved_clear,
    ids.FORBID_MODAL: card_actions.saved_do_not_contact,
    ids.CHECK_MODAL: check_list.submitted,
    ids.IMPORT_MODAL: import_listeners.submitted,
}

_MEANINGS = re.compile(f"{ids.IMPORT_MEANING}[0-9]+")
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
    app.action(_MEANINGS)(import_listeners.chose)
    for callback, listener in _VIEWS.items():
        app.view(callback)(listener)
    app.options(ids.FIND)(contact_search.offer)

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
    app.options(_ANY)(contact_search.unknown)

    @app.error
    def said(error: Exception, body: dict[str, Any], client: WebClient) -> BoltResponse:
        return error_handler.answer(error, body, client, doubt=people.doubt)

    return app


def _quiet_logger() -> logging.Logger:
    """Bolt and Slack's SDK log whole bodies at DEBUG, whatever is set for the rest of the
    program."""
    logging.getLogger("slack_sdk").setLevel(logging.INFO)
    logger = logging.getLogger("optin.bolt")
    # While it starts it warns of SLACK_BOT_TOKEN, which it finds in the environment by itself.
    logger.setLevel(logging.ERROR)
    return logger
