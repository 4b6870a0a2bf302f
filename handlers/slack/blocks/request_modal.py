"""Asking for re-opt-in, denying it, and the list of what is open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from bot.consent.cases import CONTACT, Case, CaseState
from bot.consent.model import Channel
from bot.consent.rules import Reason
from bot.consent.use_cases import CaseDetails, Profile
from handlers import vocabulary
from handlers.answers import answer_line
from handlers.slack import ids
from handlers.slack.alerts.render.case_progress import (
    details,
    evidence_line,
    masked_address,
    progress,
    waits_for,
)
from handlers.slack.alerts.render.case_text import decision_buttons, may_not_approve
from handlers.slack.blocks.card_steps import steps
from handlers.slack.blocks.elements import button, option
from handlers.slack.blocks.formatting import (
    Block,
    context,
    date,
    escape,
    inert,
    masked,
    section,
    shown,
)
from handlers.slack.blocks.modal_frame import (
    Metadata,
    View,
    modal,
    moment_input,
    select,
    text_input,
)

PAGE = 5
#: Of evidence and warnings, as much as lets a page of the list be one message.
_SHORT, _WARNINGS = 100, 160

_HOW = (Reason.PHONE, Reason.EMAIL, Reason.IN_PERSON, Reason.WEB_FORM)


def request_modal(
    profile: Profile,
    channel: Channel,
    metadata: Metadata,
    *,
    notice: str | None = None,
    typed: Mapping[str, str] | None = None,
    other: Case | None = None,
) -> View:
    """Why it is blocked, how they asked, and what shows it. `typed` is what somebody had put in
    elsewhere already, `other` the case that another contact completed at the same address."""
    typed = typed or {}
    contact = profile.contact
    blocks: list[Block] = [section(f"⚠️ {notice}")] if notice else []
    blocks.append(
        section(
            f"*{inert(contact.name)}*",
            *(answer_line(profile, decision) for decision in profile.decisions.values()),
            *(step.text for step in steps(profile, channel)),
        )
    )
    blocks.append(context("A manager decides. You get the decision as a direct message."))
    if other is not None:
        blocks.append(section(*_completed(other)))
    how = [option(reason, reason.name) for reason in _HOW]
    blocks += [
        text_input(
            "evidence",
            "Evidence",
            typed.get("evidence", ""),
            hint="What shows that the contact wants it again: a form, a call, a ticket, and their "
            "words.",
            multiline=True,
            optional=False,
        ),
        moment_input(
            "evidence_date",
            "When they agreed",
            typed.get("evidence_date", ""),
            hint="Leave it empty if it was just now. It has to be after they opted out.",
        ),
        select("reason", "Reason", how, typed.get("reason", ""), placeholder="How they asked"),
        text_input("note", "Note", typed.get("note", ""), multiline=True),
    ]
    metadata = msgspec.structs.replace(
        metadata, contact=contact.id, version=contact.version, channel=channel
    )
    title = f"Re-opt-in for {channel.word}"
    return modal(ids.REQUEST_MODAL, title, blocks, metadata, submit="Send request")


def _completed(case: Case) -> Iterator[str]:
    noun = "number" if case.channel is Channel.SMS else "address"
    at = date(case.ended_at or case.requested_at)
    yield f"*Another contact with this {noun} opted in again {at}.* It counts for them alone."
    yield from evidence_line(case, _SHORT)
    if case.decided_by:
        own = case.decided_by == CONTACT
        by = "the contact's own link" if own else vocabulary.person(case.decided_by)
        yield f"☑ {'Confirmed' if own else 'Approved'} by {by}"


def requested_modal(matter: CaseDetails, lines: Sequence[str], *, told: bool, command: str) -> View:
    """What was sent, and how it stands. `command` is what people type in Slack."""
    blocks = [section("✓ *The request is sent.*", *lines)]
    if not told:
        blocks.append(
            context(
                "No channel is set for requests (OPTIN_APPROVAL_CHANNEL): tell a manager, who "
                f"finds it with {escape(command)} pending."
            )
        )
    return modal(ids.SAVED_MODAL, "Requested", blocks, Metadata(contact=matter.case.contact))


def case_modal(matter: CaseDetails, metadata: Metadata) -> View:
    """The request as the channel shows it, with the name, and with Approve and Deny until somebody
    has decided."""
    case, contact = matter.case, matter.contact
    name = inert(contact.name, 80) if contact else "Gone"
    said = [f"*{name}* · {case.channel.word} · {inert(masked(case.address), 80)}"]
    blocks = [section(*said, *details(matter)), section(*progress(matter))]
    if matter.warnings:
        blocks.append(context(*(f"⚠️ {inert(warning, 300)}" for warning in matter.warnings)))
    if case.state is CaseState.PENDING:
        whom = shown(contact.name, 80) if contact else "a contact who is gone"
        elements = decision_buttons(matter, f"{whom}, {masked(case.address)}")
        blocks.append({"type": "actions", "elements": elements})
    return modal(ids.CASE_MODAL, "Re-opt-in request", blocks, metadata)


def deny_modal(
    pointer: ids.Pointer, matter: CaseDetails, response_url: str = "", view_id: str = ""
) -> View:
    """Whose request it is, and a reason, which the person who asked will read. `response_url` is
    the list's that it came from, `view_id` the request's own modal's."""
    case, contact = matter.case, matter.contact
    name = inert(contact.name, 80) if contact else "a contact who is gone"
    address = masked_address(case, masked(case.address))
    asked = vocabulary.actor(case.requested_by, matter.providers)
    blocks = [
        section(
            f"*Re-opt-in for {case.channel.word}: {name}*, {address}",
            f"Requested by {asked}, {date(case.requested_at)}.",
            *evidence_line(case, _SHORT),
        ),
        text_input(
            "reason",
            "Reason",
            "",
            hint=_DENIED if case.requested_by.startswith("slack:") else _DENIED_ELSEWHERE,
            optional=False,
            multiline=True,
        ),
    ]
    metadata = Metadata(
        contact=pointer.contact,
        version=pointer.version,
        response_url=response_url,
        view_id=view_id,
    )
    return modal(ids.DENY_MODAL, "Deny", blocks, metadata, submit="Deny")


_DENIED = "The person who requested it reads this in a direct message."
_DENIED_ELSEWHERE = "It is stored with the request and in the Activity Log."


def pending(
    matters: Sequence[CaseDetails], more: bool, *, reader: str, decides: bool, by_dm: bool
) -> list[Block]:
    """What is open, the oldest first. Managers decide here, too, and choose whether to be told by
    direct message."""
    blocks: list[Block] = [section("*Open re-opt-in requests*")]
    if not matters:
        blocks.append(section("There is none."))
    for matter in matters[:PAGE]:
        blocks += _line(matter, reader=reader, decides=decides)
    elements = []
    if more:
        last = matters[PAGE - 1].case
        elements.append(button("More", ids.PENDING_MORE, last.id))
    if decides:
        label = "Stop direct messages" if by_dm else "Send me requests"
        elements.append(button(label, ids.REQUESTS_BY_DM, "off" if by_dm else "on"))
    if elements:
        blocks.append({"type": "actions", "elements": elements})
    return blocks


def _line(matter: CaseDetails, *, reader: str, decides: bool) -> list[Block]:
    case, contact = matter.case, matter.contact
    name = inert(contact.name, 80) if contact else "Gone"
    pending = case.state is CaseState.PENDING
    waits = "a manager has to decide" if pending else waits_for(case)
    said = [
        f"*{name}* · {case.channel.word} · {inert(masked(case.address), 80)}",
        f"Requested by {vocabulary.actor(case.requested_by, matter.providers)} "
        f"{date(case.requested_at)}; {waits}. "
        f"Expires {date(case.expires_at)}.",
    ]
    elements: list[Block] = []
    if decides and pending:
        # Whoever decides here has to see what it rests on, and what speaks against it.
        said += evidence_line(case, _SHORT)
        if matter.warnings:
            said.append(f"⚠️ {inert(' '.join(matter.warnings), _WARNINGS)}")
        whom = shown(contact.name, 80) if contact else "a contact who is gone"
        approves = not may_not_approve(matter, reader)
        elements += decision_buttons(matter, f"{whom}, {masked(case.address)}", approves=approves)
        if not approves:
            said.append("You asked for this, so another manager has to approve it.")
    pointer = str(ids.Pointer(contact=case.id, version=case.version))
    spoken = f"View {shown(contact.name, 50)}" if contact else None
    elements.append(button("View", ids.CASE_VIEW, pointer, spoken=spoken))
    return [section(*said), {"type": "actions", "elements": elements}]
