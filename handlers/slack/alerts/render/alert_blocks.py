"""An alert as a message: its blocks, and its whole text as the fallback beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.consent.alerts import NEW_OWNER, OPT_OUTS, Alert, AlertKind
from bot.consent.use_cases import COMMAND, NOTHING_SINCE, CaseDetails, PresentState
from bot.consent.use_cases.alerts.first_run import steps_of
from bot.consent.use_cases.alerts.reviews import REFUSAL
from handlers.slack import ids
from handlers.slack.alerts.render.alert_text import sentences
from handlers.slack.alerts.render.case_list_text import case_list_blocks, case_list_lines
from handlers.slack.alerts.render.case_text import case_blocks, case_lines
from handlers.slack.alerts.render.list_text import asks_to_confirm, confirm_button
from handlers.slack.alerts.render.opt_out_text import has_open_case, is_back
from handlers.slack.alerts.render.subject_text import who
from handlers.slack.blocks.elements import button, confirm, option
from handlers.slack.blocks.formatting import SECTION, Block, header, lines, plain, section
from handlers.vocabulary import things

#: Lines in a thread, messages to one person, counts, and what the command line repairs have no
#: buttons.
_WITHOUT_BUTTONS = frozenset(
    {
        AlertKind.STORM_LINE,
        AlertKind.NEWS,
        AlertKind.STORM_LIST,
        AlertKind.NOTICE,
        AlertKind.WEBHOOK,
        AlertKind.BEHIND,
        AlertKind.CLOCK,
        AlertKind.DIGEST,
        AlertKind.TEST,
        AlertKind.FIRST_RUN,
        AlertKind.HEAD,
    }
)
#: Louder than the others, until somebody has handled it.
_HEADERS = {AlertKind.COMPLAINT: "Spam complaint", AlertKind.STORM: "Many at once"}
#: An opt-out from which a re-opt-in can be requested. An ignored UNSTOP first needs the right one.
_RETURNABLE = frozenset(OPT_OUTS) - {AlertKind.UNREAD, AlertKind.REVIEW}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What Slack gets."""

    text: str
    blocks: list[Block] = field(default_factory=list)


def drawn(
    alert: Alert,
    matter: CaseDetails | None = None,
    *,
    now: PresentState = NOTHING_SINCE,
    named: bool = False,
    command: str = COMMAND,
) -> Drawn:
    """The alert as it should look, or plain text where Slack refused the blocks.

    A re-opt-in needs its `matter`; other alerts say first what is true `now`. With `named`, the
    message is for one person who may see the contact. `command` is what people type in Slack.
    """
    if matter is not None:
        return _drawn_case(alert, matter, named=named, command=command)
    said = _marked(alert, sentences(alert, command, now))
    text = lines(said, SECTION)
    if alert.delivery.plainness:
        return Drawn(text=text)
    blocks: list[Block] = []
    is_new = alert.follow_up.handled_by is None and not is_back(alert, now)
    if alert.kind in _HEADERS and is_new and not alert.follow_up.ended_at:
        blocks.append(header(f"🚨 {_HEADERS[alert.kind]}"))
    blocks.append(section(*said))
    if alert.kind is AlertKind.FIRST_RUN and not steps_of(alert).done:
        trial = button("Send a test alert", ids.TEST_ALERT, "test")
        blocks.append({"type": "actions", "elements": [trial]})
    if alert.kind not in _WITHOUT_BUTTONS:
        blocks.append({"type": "actions", "elements": _elements(alert, now)})
    return Drawn(text=text, blocks=blocks)


def _drawn_case(alert: Alert, matter: CaseDetails, *, named: bool, command: str) -> Drawn:
    said = _marked(alert, case_lines(alert, matter, named=named))
    plain_text = alert.delivery.plainness
    if plain_text and alert.kind is AlertKind.CASE and matter.case.open:
        said.insert(1, _no_buttons(command))
    text = lines(said, SECTION)
    blocks = [] if plain_text else case_blocks(alert, matter, named=named)
    return Drawn(text=text, blocks=blocks)


def drawn_list(alert: Alert, matters: Sequence[CaseDetails], command: str = COMMAND) -> Drawn:
    """The requests of programs, in one message."""
    said = _marked(alert, case_list_lines(matters))
    if alert.delivery.plainness:
        said.insert(1, _no_buttons(command))
        return Drawn(text=lines(said, SECTION))
    return Drawn(text=lines(said, SECTION), blocks=case_list_blocks(matters))


def _no_buttons(command: str) -> str:
    return f"Slack shows no buttons here: `{command} pending` has them."


def _marked(alert: Alert, said: list[str]) -> list[str]:
    """The lines, with a mark where the message may be there twice."""
    if not alert.delivery.repeated:
        return said
    return [f"{said[0]} (repeated)", *said[1:]]


def _elements(alert: Alert, now: PresentState) -> list[Block]:
    elements: list[Block] = []
    if alert.kind is AlertKind.REVIEW and alert.follow_up.answer is None:
        elements += _answers(alert)
    if alert.subject.contacts:
        elements.append(button("View", ids.ALERT_VIEW, alert.id))
        if _may_return(alert, now):
            elements.append(button("Request re-opt-in", ids.ALERT_REQUEST, alert.id))
    if alert.kind is AlertKind.LISTS and asks_to_confirm(alert):
        return [confirm_button(alert), *elements]
    if alert.kind is not AlertKind.REVIEW and alert.follow_up.handled_by is None:
        elements.append(button("Mark handled", ids.HANDLED, alert.id))
    if alert.kind is not AlertKind.REVIEW:
        elements.append(_menu(alert))
    return elements or [button("View", ids.ALERT_VIEW, alert.id)]


def _answers(alert: Alert) -> list[Block]:
    """The two answers to a reply. Each asks to confirm, and says what it leads to."""
    what, whom = things(alert.subject.channel), who(alert)
    if alert.text == NEW_OWNER:
        return _owner_answers(alert, what, whom)
    yes = button("It was an opt-out", ids.REVIEW_YES, alert.id, style="danger")
    yes["confirm"] = {
        "title": plain("Was it an opt-out?", 100),
        "text": plain(
            f"No more {what} are sent to {whom}. Only a re-opt-in that a manager approves brings "
            "them back.",
            300,
        ),
        "confirm": plain("It was an opt-out", 30),
        "deny": plain("Cancel", 30),
        "style": "danger",
    }
    no = button("It was not", ids.REVIEW_NO, alert.id)
    no["confirm"] = {
        "title": plain("Was it not an opt-out?", 100),
        "text": plain(
            f"The pause for {whom} ends, and {what} are sent again if nothing else is in the way. "
            "The log stores that you decided this.",
            300,
        ),
        "confirm": plain("It was not", 30),
        "deny": plain("Cancel", 30),
    }
    return [yes, no]


def _owner_answers(alert: Alert, what: str, whom: str) -> list[Block]:
    """The two answers about a number that the provider reports as reassigned."""
    yes = button("It has a new owner", ids.REVIEW_YES, alert.id, style="danger")
    yes["confirm"] = confirm(
        "Has it a new owner?",
        f"No more {what} are sent to {whom}. It is your decision, and not the contact's opt-out.",
        do="It has",
        leave="Cancel",
    )
    no = button("It has not", ids.REVIEW_NO, alert.id)
    no["confirm"] = confirm(
        "Is it still theirs?",
        f"The pause for {whom} ends. The provider's block stands until the contact texts UNSTOP.",
        do="It is theirs",
        leave="Cancel",
    )
    return [yes, no]


def _may_return(alert: Alert, now: PresentState) -> bool:
    """Whether a re-opt-in can be requested from here."""
    if is_back(alert, now) or has_open_case(now):
        return False
    is_reply = alert.kind is AlertKind.REVIEW and alert.text != NEW_OWNER
    is_refusal = is_reply and alert.follow_up.answer == REFUSAL
    return is_refusal or alert.kind in _RETURNABLE


def _menu(alert: Alert) -> Block:
    """Everybody in the channel sees the same message, so what only managers may change is behind
    one item, and not drawn as buttons."""
    settings = option("Alert settings", f"{ids.ALERT_SETTINGS} {alert.id}")
    return {"type": "overflow", "action_id": ids.ALERT_MENU, "options": [settings]}
