"""An alert as a message: its blocks, and its whole text as the fallback beside them."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.consent.alerts import OPTIONAL, Alert, AlertKind
from bot.consent.use_cases import COMMAND, CaseDetails
from bot.consent.use_cases.alerts.mutes import Mutes
from bot.consent.use_cases.alerts.reviews import REFUSAL
from handlers.slack import ids
from handlers.slack.alerts.render.alert_text import sentences
from handlers.slack.alerts.render.case_text import case_blocks, case_lines
from handlers.slack.alerts.render.storm_text import KINDS
from handlers.slack.blocks.elements import button, option
from handlers.slack.blocks.formatting import (
    SECTION,
    Block,
    context,
    date,
    header,
    lines,
    plain,
    section,
)
from handlers.slack.blocks.modal_frame import Metadata, View, modal
from handlers.vocabulary import person

#: Lines in a thread, and messages to one person, have no buttons.
_WITHOUT_BUTTONS = frozenset({AlertKind.STORM_LINE, AlertKind.STORM_LIST, AlertKind.NOTICE})
#: Louder than the others.
_HEADERS = {AlertKind.COMPLAINT: "Spam complaint", AlertKind.STORM: "Many at once"}

#: Kinds about an opt-out of a contact.
_REFUSALS = frozenset(
    {
        AlertKind.STOP,
        AlertKind.UNSUBSCRIBE,
        AlertKind.COMPLAINT,
        AlertKind.DRIFT,
        AlertKind.UNSTOP,
    }
)

#: The menu of an alert: minutes, or another word.
MUTES = {"Mute for 30 minutes": "30", "Mute for 2 hours": "120", "Mute for a day": "1440"}
UNMUTE = "0"
CHOOSE_KINDS = "kinds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What Slack gets."""

    text: str
    blocks: list[Block] = field(default_factory=list)


def drawn(alert: Alert, matter: CaseDetails | None = None, *, command: str = COMMAND) -> Drawn:
    """The alert as it should look, or plain text where Slack refused the blocks. A re-opt-in
    needs its `matter`. `command` is what people type in Slack."""
    repeated, plain_text = alert.delivery.repeated, alert.delivery.plainness
    if matter is not None:
        said = case_lines(alert, matter)
        if repeated:
            said = [f"{said[0]} (repeated)", *said[1:]]
        if plain_text and alert.kind is AlertKind.CASE and matter.case.open:
            said.insert(1, f"Slack shows no buttons here: `{command} pending` has them.")
        text = lines(said, SECTION)
        return Drawn(text=text, blocks=[] if plain_text else case_blocks(alert, matter))
    said = sentences(alert, command)
    if repeated:
        said = [f"{said[0]} (repeated)", *said[1:]]
    handled = _handled(alert)
    text = lines([*said, *handled], SECTION)
    if plain_text:
        return Drawn(text=text)
    blocks: list[Block] = []
    if alert.kind in _HEADERS and not alert.follow_up.ended_at:
        blocks.append(header(f"🚨 {_HEADERS[alert.kind]}"))
    blocks.append(section(*said))
    if handled:
        blocks.append(context(*handled))
    if alert.kind not in _WITHOUT_BUTTONS:
        blocks.append({"type": "actions", "elements": _elements(alert)})
    return Drawn(text=text, blocks=blocks)


def kinds_modal(slack_channel: str, quiet: Mutes, alert: str) -> View:
    """Which kinds of alerts this channel gets."""
    options = [option(KINDS[kind][1].capitalize(), kind) for kind in OPTIONAL]
    chosen = [o for o, kind in zip(options, OPTIONAL, strict=True) if kind not in quiet.off]
    element: Block = {"type": "checkboxes", "action_id": "kinds", "options": options}
    if chosen:
        element |= {"initial_options": chosen}
    blocks: list[Block] = [
        section(f"What <#{slack_channel}> is told. Nothing here changes what is stored."),
        {
            "type": "input",
            "block_id": "kinds",
            "optional": True,
            "label": plain("Kinds", 100),
            "element": element,
        },
        context("Replies that somebody has to read, and spam complaints, are always told."),
    ]
    return modal(ids.KINDS_MODAL, "Alerts", blocks, Metadata(contact=alert), submit="Save")


def _elements(alert: Alert) -> list[Block]:
    elements: list[Block] = []
    if alert.kind is AlertKind.REVIEW and alert.follow_up.answer is None:
        elements.append(button("It was an opt-out", ids.REVIEW_YES, alert.id, style="danger"))
        elements.append(button("It was not", ids.REVIEW_NO, alert.id))
    if alert.subject.contacts:
        elements.append(button("View", ids.ALERT_VIEW, alert.id))
        if _may_return(alert):
            elements.append(button("Request re-opt-in", ids.ALERT_REQUEST, alert.id))
    if alert.kind is not AlertKind.REVIEW and alert.follow_up.handled_by is None:
        elements.append(button("Mark handled", ids.HANDLED, alert.id))
    if alert.kind is not AlertKind.REVIEW:
        elements.append(_menu(alert))
    return elements or [button("View", ids.ALERT_VIEW, alert.id)]


def _may_return(alert: Alert) -> bool:
    """Whether a re-opt-in can be requested from here."""
    if alert.follow_up.returned_at is not None:
        return False
    is_refusal = alert.kind is AlertKind.REVIEW and alert.follow_up.answer == REFUSAL
    return is_refusal or alert.kind in _REFUSALS


def _menu(alert: Alert) -> Block:
    options = [option(text, f"{minutes} {alert.id}") for text, minutes in MUTES.items()]
    options.append(option("Unmute", f"{UNMUTE} {alert.id}"))
    options.append(option("Kinds…", f"{CHOOSE_KINDS} {alert.id}"))
    return {"type": "overflow", "action_id": ids.ALERT_MENU, "options": options}


def _handled(alert: Alert) -> list[str]:
    by, when = alert.follow_up.handled_by, alert.follow_up.handled_at
    if by is None:
        return []
    at = f", {date(when)}" if when else ""
    if by == "system":
        return [f"✓ Nobody answered by the deadline, so it counts as an opt-out{at}"]
    word = "Answered" if alert.kind is AlertKind.REVIEW else "Handled"
    return [f"✓ {word} by {person(by)}{at}"]
