"""The Bolt app: every listener, registered beside its function."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

from slack_bolt import App, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    ServerErrorRetryHandler,
)

from bot.consent.use_cases import Service
from handlers.slack import (
    actions,
    after_ack,
    card_actions,
    case_actions,
    check_list,
    commands,
    contact_search,
    corrections,
    error_handler,
    ids,
    log_actions,
    past_status,
    stats_answer,
    view_submissions,
)
from handlers.slack.after_ack import AfterAck, EventEntry, Listener
from handlers.slack.alerts import alert_actions as alerts
from handlers.slack.by_id import button_listener, view_listener
from handlers.slack.commands import CommandMiddleware
from handlers.slack.doors import conversations, crm_links, shortcuts
from handlers.slack.environment import Environment
from handlers.slack.hand_over import AnswerPool
from handlers.slack.home import home_digests, home_settings, home_tab
from handlers.slack.home.home_tab import HomeTabs
from handlers.slack.imports import import_listeners
from handlers.slack.roles import AuthorizeMiddleware, RoleLookup, Visitors
from handlers.slack.workflow_steps import re_opt_in, step_request
from handlers.slack.workflow_steps.check_status import check_status
from handlers.slack.workflow_steps.record_opt_out import record_opt_out
from handlers.slack.workflow_steps.step_request import Step, WaitingStep, WorkflowSteps

_ACTIONS: dict[str, Callable[..., None]] = {
    ids.EDIT: actions.edit,
    ids.VIEW: actions.view,
    ids.SEARCH_ALL: contact_search.search,
    ids.LIST_PREVIOUS: contact_search.turn_list,
    ids.LIST_NEXT: contact_search.turn_list,
    ids.FIND: contact_search.found,
    ids.FOUND_PREVIOUS: shortcuts.turn_found,
    ids.FOUND_NEXT: shortcuts.turn_found,
    ids.OPEN_IN_CRM: crm_links.opened,
    ids.ADD: actions.add,
    ids.MORE: actions.more,
    ids.WHY: actions.details,
    **dict.fromkeys((ids.UNDO, *ids.UNDOES.values()), actions.take_back),
    ids.ACTIVITY: log_actions.activity,
    ids.LOG_OLDER: log_actions.turn_log,
    ids.LOG_NEWER: log_actions.turn_log,
    ids.LOG_CHANNEL: log_actions.turn_log,
    ids.LOG_KIND: log_actions.turn_log,
    ids.LOG_EXPORT: log_actions.export_log,
    ids.LOG_EXPORT_AGAIN: log_actions.export_again,
    ids.EVIDENCE_AGAIN: log_actions.evidence_again,
    ids.LOG_PAST: past_status.open_past,
    ids.PAST_AT: past_status.turn_past,
    ids.PAST_BY: past_status.turn_past,
    ids.PAST_BACK: past_status.back_to_log,
    ids.STATS_FILE: stats_answer.as_file,
    ids.RECENT_KIND: log_actions.turn_recent,
    ids.RECENT_OLDER: log_actions.turn_recent,
    ids.RECENT_NEWEST: log_actions.turn_recent,
    ids.ALERT_VIEW: alerts.view,
    ids.HANDLED: alerts.handled,
    ids.REVIEW_YES: alerts.review,
    ids.REVIEW_NO: alerts.review,
    ids.ALERT_MENU: alerts.menu,
    ids.ALERT_REQUEST: alerts.ask,
    ids.LISTS_CONFIRM: alerts.confirm_lists,
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
    ids.HOME_SETTINGS: home_settings.opened,
    ids.TEST_ALERT: home_settings.tested,
    ids.DIGEST_ADD: home_digests.adding,
    ids.DIGEST_EDIT: home_digests.editing,
    ids.DIGEST_REMOVE: home_digests.removed,
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
    ids.HOME_SETTINGS_MODAL: home_settings.saved_settings,
    ids.DIGEST_MODAL: home_digests.saved_digest,
    ids.CHECK_MODAL: check_list.submitted,
    ids.IMPORT_MODAL: import_listeners.submitted,
}

#: By the manifest's name, events that a person causes: answered after the acknowledgement.
_EVENTS: dict[str, EventEntry] = {
    "app_mention": EventEntry(listener=conversations.mentioned, posts=True),
    "app_home_opened": EventEntry(
        listener=home_tab.opened, tell=home_tab.refused, wanted=home_tab.is_home
    ),
    "message.im": EventEntry(
        listener=conversations.written, wanted=conversations.is_direct, posts=True
    ),
    "link_shared": EventEntry(listener=crm_links.shared, tell=after_ack.silently),
}

#: By callback id, shortcuts of the composer and of messages: the same.
_SHORTCUTS: dict[str, Listener] = {
    ids.CHECK_MESSAGE: shortcuts.check_message,
    ids.FIND_CONTACT: shortcuts.find_contact,
}

#: Buttons that only show something: the same.
_BUTTONS: dict[str, Listener] = {ids.CHECK_LINK: crm_links.check}

#: By callback id, steps of Workflow Builder: the same.
_FUNCTIONS: dict[str, Step] = {
    ids.CHECK_STATUS: check_status,
}
#: Those that change something: stored first, and acknowledged then.
_WRITING_FUNCTIONS: dict[str, Step] = {
    ids.RECORD_OPT_OUT: record_opt_out,
    ids.REQUEST_RE_OPT_IN: re_opt_in.request_re_opt_in,
}
#: Those that end later.
_WAITING_FUNCTIONS: dict[str, WaitingStep] = {
    ids.WAIT_FOR_OUTCOME: re_opt_in.wait_for_outcome,
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
    answers: AnswerPool,
    environment: Environment,
    sharing_changed: Callable[[str], object] = lambda slack_channel: None,
) -> App:
    """The app for one workspace, for Socket Mode and HTTP alike. `sharing_changed` is told the
    channels of which Slack says that they are shared with another organisation now, or not. What
    follows an acknowledgement runs in the threads of `answers`.

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
    visitors = Visitors(consent=consent, people=people, answers=answers)
    after = AfterAck(
        answers=answers, visitors=visitors, environment=environment, doubt=lambda: people.doubt
    )
    app.use(AuthorizeMiddleware(visitors, home=HomeTabs(after), after=after))
    app.use(CommandMiddleware(command))
    # What only an older version drew is answered, too: silence looks like a broken button.
    buttons = {button: after.shortcut(pressed) for button, pressed in _BUTTONS.items()}
    app.action(_ANY)(button_listener(_ACTIONS | buttons, _other_button))
    app.view(_ANY)(view_listener(_VIEWS, lambda _: view_submissions.unknown))
    for event, entry in _EVENTS.items():
        app.event(event.partition(".")[0])(after.event(entry))
    for callback, shortcut in _SHORTCUTS.items():
        app.shortcut(callback)(after.shortcut(shortcut))
    own = _patient(client, authorized)
    _register_steps(app, WorkflowSteps(after=after, visitors=visitors, consent=consent, own=own))
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

    app.command(_ANY)(commands.unknown)
    app.options(_ANY)(contact_search.unknown)
    app.shortcut(_ANY)(after.shortcut(after_ack.unknown))

    @app.error
    def said(error: Exception, body: dict[str, Any], client: WebClient) -> BoltResponse:
        return error_handler.answer(error, body, client, doubt=people.doubt)

    return app


def _other_button(action: str) -> Callable[..., None]:
    return import_listeners.chose if _MEANINGS.fullmatch(action) else actions.unknown


def _register_steps(app: App, steps: WorkflowSteps) -> None:
    for callback, step in _FUNCTIONS.items():
        app.function(callback)(steps.listener(step))
    for callback, step in _WRITING_FUNCTIONS.items():
        app.function(callback)(steps.writing(step))
    for callback, waiting in _WAITING_FUNCTIONS.items():
        app.function(callback)(steps.waiting(waiting))
    app.function(_ANY)(steps.listener(step_request.outdated))


def _patient(client: WebClient, authorized: AuthorizeResult) -> WebClient:
    """With the app's own token; repeats a call that failed."""
    handlers = [
        ConnectionErrorRetryHandler(max_retry_count=2),
        RateLimitErrorRetryHandler(max_retry_count=2),
        ServerErrorRetryHandler(max_retry_count=2),
    ]
    return WebClient(
        token=authorized.bot_token,
        base_url=client.base_url,
        timeout=client.timeout,
        retry_handlers=handlers,
    )


def _quiet_logger() -> logging.Logger:
    """Bolt and Slack's SDK log whole bodies at DEBUG, whatever is set for the rest of the
    program."""
    logging.getLogger("slack_sdk").setLevel(logging.INFO)
    logger = logging.getLogger("optin.bolt")
    # While it starts it warns of SLACK_BOT_TOKEN, which it finds in the environment by itself.
    logger.setLevel(logging.ERROR)
    return logger
