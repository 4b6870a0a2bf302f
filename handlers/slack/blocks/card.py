"""The card of one contact: in a message, in a modal, the same blocks.

The answer comes first: who, then for each channel the answer with its cause and date. Below stand
the steps that are missing, then the addresses and the buttons.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.consent.gates import Code
from bot.consent.model import Channel, Contact
from bot.consent.permissions import Action, may
from bot.consent.rules import Decision, Status
from bot.consent.use_cases import Profile
from handlers import vocabulary
from handlers.answers import answer_line, contradiction, recorded
from handlers.entry_lines import last_line
from handlers.slack import ids
from handlers.slack.blocks.card_steps import (
    MOST_SENDERS,
    Step,
    sender_steps,
    step_blocks,
    steps,
    to_pass_on,
)
from handlers.slack.blocks.elements import button, confirm, link_button, option
from handlers.slack.blocks.formatting import (
    Block,
    context,
    divider,
    fit,
    inert,
    joined,
    masked,
    phone,
    plain,
    section,
    shown,
    spoken,
)

#: Lines for steps on a phone: the whole card has 16 there, and 12 on a wide screen. What does not
#: fit is under Details.
_ROOM = 7.5
#: Lines of a step on a phone, with a button below it and without one.
_WITH_BUTTON, _BARE, _LAST = 2.75, 2.0, 1.5
#: Of a name, a company and an address, so that each fits its line.
_NAME, _COMPANY, _ADDRESS = 60, 30, 60
#: Options of a menu: Slack allows no more.
#: https://docs.slack.dev/reference/block-kit/block-elements/overflow-menu-element
_MOST_OPTIONS = 5
#: Of names in the dialog before an opt-out.
_MOST_NAMES = 4


def card(profile: Profile) -> list[Block]:
    """Who it is, both answers, the steps that are missing, and the buttons."""
    contact = profile.contact
    answers = [answer_line(profile, decision) for decision in profile.decisions.values()]
    if contact.erased:
        return [section("*Erased contact*", answers[0]), *step_blocks(steps(profile, Channel.SMS))]
    missing, left, room = _missing(profile)
    if not missing and not left:
        return [section(_who(contact), *answers, _addresses(profile)), _buttons(profile)]
    below = [_addresses(profile)]
    if left:
        below.append(f"{left} more step{'s' if left > 1 else ''} under *Details*")
    elif room >= _LAST and (last := last_line(profile)):
        below.append(last)
    blocks = [section(_who(contact), *answers), divider()]
    blocks += [*missing, divider()] if missing else []
    return [*blocks, context("\n".join(below)), _buttons(profile, left=left)]


def card_text(profile: Profile, blocks: list[Block]) -> str:
    """The whole card in sentences, for notifications and screen readers; a lock screen shows them,
    so the contact's addresses are masked. `blocks` are the card as it was drawn."""
    said = spoken(blocks)
    contact = profile.contact
    for address, as_shown in ((contact.phone, phone(contact.phone or "")), (contact.email,) * 2):
        if address and as_shown:
            said = said.replace(inert(as_shown, _ADDRESS), inert(masked(address), _ADDRESS))
    return fit(said, 3000)


def _who(contact: Contact) -> str:
    name = f"*{inert(contact.name, _NAME) or 'No name'}*"
    return f"{name} · {inert(contact.company, _COMPANY)}" if contact.company else name


def _addresses(profile: Profile) -> str:
    said = []
    for channel in Channel:
        address = profile.contact.address(channel)
        if not address:
            continue
        text = inert(phone(address) if channel is Channel.SMS else address, _ADDRESS)
        others = profile.shared.get(channel, 0)
        also = f" (shared with {others} other{'s' if others > 1 else ''})" if others else ""
        said.append(text + also)
    return " · ".join(said) or "No phone number and no e-mail address"


def _missing(profile: Profile) -> tuple[list[Block], int, float]:
    """What has to happen, a heading for each channel, as far as the card has room for it; how many
    steps are left out; and the lines that are left."""
    blocks: list[Block] = []
    room, left = _ROOM, 0
    for channel, decision in profile.decisions.items():
        found = steps(profile, channel) if decision.gates else []
        if not found:
            continue
        lines = [f"*{_heading(decision, profile)}*"]
        if but := contradiction(profile, channel):
            lines.append(f"🚫 {but}")
        above = len(lines) - (not blocks)
        fits, below = _fitting(found, room - above)
        # Without an address nothing is amiss: it may be put in.
        if profile.contact.address(channel):
            left += len(found) - len(fits)
        if not fits:
            continue
        room = below
        blocks += step_blocks([Step(text="\n".join(lines)), *fits])
        if tell := to_pass_on(profile, channel):
            blocks.append(tell)
    others = sender_steps(profile)
    fits, room = _fitting(others[:MOST_SENDERS], room)
    if fits:
        heading = Step(text=f"*To text {_named(profile)} from other numbers, too*")
        blocks += step_blocks([heading, *fits])
    return blocks, left + len(others) - len(fits), room


def _fitting(found: Sequence[Step], room: float) -> tuple[list[Step], float]:
    """The first steps, as many as there is room for."""
    fits = []
    for step in found:
        room -= _WITH_BUTTON if len(step.buttons) == 1 else _BARE
        if room < 0:
            break
        fits.append(step)
    return fits, room


def _heading(decision: Decision, profile: Profile) -> str:
    codes = {gate.code for gate in decision.gates}
    if codes == {Code.REVIEW_HOLD}:
        return f"Did {_named(profile)} opt out?"
    if Code.DO_NOT_CONTACT in codes:
        return f"To reach {_named(profile)} again"
    if Code.STORAGE_BEHIND in codes:
        return "Optin's newest records are missing, and opt-outs may be among them"
    if decision.status is Status.WAITING:
        return f"The next {_MESSAGE[decision.channel]} is a test"
    again = " again" if profile.contact.consent(decision.channel).refused else ""
    return f"To {_MESSAGE[decision.channel]} {_named(profile)}{again}"


def _named(profile: Profile) -> str:
    return inert(profile.contact.name, 40) or "this contact"


_MESSAGE = {Channel.SMS: "text", Channel.EMAIL: "e-mail"}


def _buttons(profile: Profile, *, left: int = 0) -> Block:
    """`left` steps are under Details alone: then it is a button."""
    contact = profile.contact
    pointer = str(ids.Pointer(contact=contact.id, version=contact.version))
    elements = [
        button(
            f"Undo {channel.word} opt-out",
            ids.UNDOES[channel],
            f"{channel} {pointer}",
        )
        for channel in Channel
        if channel in profile.undoable
    ]
    elements += _withdraw(profile)
    if _may(profile, Action.EDIT):
        elements += _opt_out(profile, pointer)
        elements.append(button("Edit", ids.EDIT, pointer))
    if profile.crm_page:
        elements.append(link_button("Open in CRM", ids.OPEN_IN_CRM, profile.crm_page))
    options = _menu(profile, pointer)
    if left or len(options) > _MOST_OPTIONS:
        elements.append(button("Details", ids.WHY, pointer))
    elements.append(button("Activity Log", ids.ACTIVITY, pointer))
    if _may(profile, Action.TAKE_BACK) and recorded(contact):
        elements.append(button("Recorded by mistake", ids.MISTAKE, pointer))
    shown = options[-_MOST_OPTIONS:]
    elements.append({"type": "overflow", "action_id": ids.MORE, "options": shown})
    return {"type": "actions", "elements": elements}


def _menu(profile: Profile, pointer: str) -> list[Block]:
    """The options of the overflow menu. The first one is a button where the menu is too long."""
    options = [
        option("Details", f"{ids.WHY} {pointer}"),
        option("Refresh", f"{ids.REFRESH} {pointer}"),
    ]
    if _may(profile, Action.EDIT):
        options.append(option("Change contact", f"{ids.DETAILS} {pointer}"))
        options.append(option("Add a note", f"{ids.NOTE} {pointer}"))
        if not profile.contact.do_not_contact:
            options.append(option("Set Do not contact", f"{ids.FORBID} {pointer}"))
    if _may(profile, Action.EVIDENCE):
        options.append(option("Evidence pack", f"{ids.EVIDENCE} {pointer}"))
    return options


def _may(profile: Profile, action: Action) -> bool:
    return profile.viewer is not None and may(profile.viewer, action)


def _opt_out(profile: Profile, pointer: str) -> list[Block]:
    """Opting out, with a dialog that names everybody whom it reaches."""
    contact = profile.contact
    open_ = [
        channel
        for channel in Channel
        if contact.address(channel) and not contact.consent(channel).refused
    ]
    if not open_:
        return []
    options = [option(_OPT_OUT[channel], f"{channel} {pointer}") for channel in open_]
    if len(open_) > 1:
        options.append(option("SMS and e-mail", f"both {pointer}"))
    name = shown(contact.name, 40) or "This contact"
    reached = [
        f"{_who_else(profile, channel)} no {vocabulary.things(channel)}"
        for channel in open_
        if profile.sharing.get(channel)
    ]
    also = f" With the same address: {'; '.join(reached)}." if reached else ""
    text = (
        f"{name} asked for it, and gets no more of what you chose.{also} It takes their new "
        "permission and a manager's approval to bring it back."
    )
    return [
        {
            "type": "static_select",
            "action_id": ids.OPT_OUT,
            "placeholder": plain("Opt out of …", 24),
            "options": options,
            "confirm": confirm(f"Opt out {shown(contact.name, 60)}?", text, do="Opt out"),
        }
    ]


_OPT_OUT = {Channel.SMS: "SMS", Channel.EMAIL: "E-mail"}


def _who_else(profile: Profile, channel: Channel) -> str:
    names = [shown(name, 30) or "No name" for name in profile.sharing[channel][:_MOST_NAMES]]
    more = profile.shared[channel] - len(names)
    return f"{joined([*names, *([f'{more} more'] if more else [])])} get"


def _withdraw(profile: Profile) -> Iterator[Block]:
    for channel, case in profile.cases.items():
        if not profile.contact.consent(channel).refused or not _may(profile, Action.REQUEST):
            continue
        of = f" ({channel.word})" if len(profile.cases) > 1 else ""
        about = str(ids.Pointer(contact=case.id, version=case.version))
        withdraw = button(f"Withdraw request{of}", ids.WITHDRAWS[channel], about)
        withdraw["confirm"] = confirm(
            "Withdraw the request?",
            "It can be asked for again, with evidence.",
            do="Withdraw",
            leave="Keep it",
        )
        yield withdraw
