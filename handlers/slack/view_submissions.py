"""Modals that are saved. Decided first, acknowledged then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
from slack_bolt import Ack
from slack_sdk import WebClient

from bot.consent.errors import Changed, Invalid, NeedsManager, Refused
from bot.consent.log.entries import CHANGING
from bot.consent.model import Actor, Channel, ConsentValue, Contact
from bot.consent.parsing import storable
from bot.consent.rules import Reason
from bot.consent.use_cases import (
    Details,
    Profile,
    Service,
    StatusChange,
    StatusUpdate,
    activity,
    change,
    completed_by_another,
    profile,
)
from bot.consent.use_cases import add as add_contact
from bot.consent.use_cases import edit as edit_contact
from bot.consent.use_cases import note as add_note
from bot.consent.use_cases.context import LookUp
from handlers.entry_lines import meanwhile
from handlers.slack import ids
from handlers.slack.blocks.edit_modal import edit_modal
from handlers.slack.blocks.formatting import escape, phone
from handlers.slack.blocks.modal_frame import Metadata
from handlers.slack.blocks.request_modal import request_modal
from handlers.slack.blocks.saved_modal import saved_modal
from handlers.slack.blocks.small_modals import details_modal, details_of, profile_modal
from handlers.slack.error_handler import saved
from handlers.slack.interaction import states
from handlers.slack.metadata import read_metadata
from handlers.slack.redraw import redraw

CHANGED = "This contact changed meanwhile."


def saved_edit(
    ack: Ack,
    view: dict[str, Any],
    client: WebClient,
    consent: Service,
    actor: Actor,
) -> None:
    """What the dropdowns ask for, compared with what they showed: untouched ones ask for
    nothing, however the contact changed meanwhile."""
    metadata = read_metadata(view)
    values = typed(view)
    wish = _wish(values, metadata.showed)
    notice = None
    try:
        outcome = change(consent, metadata.contact, wish, actor, version=metadata.version)
    except NeedsManager as refused:
        _ask_instead(
            ack, client, consent, actor, metadata, wish=wish, values=values, refused=refused
        )
        return
    except Refused as refused:
        unasked = refused.field == "evidence" and "evidence" not in values
        if unasked and not wish.opt_outs:
            found = profile(consent, metadata.contact, actor)
            asked = edit_modal(found, metadata, notice=escape(refused.sentence), typed=values)
            ack(response_action="update", view=asked)
            return
        if not (wish.opt_outs and wish.the_rest):
            raise
        # An opt-out does not wait for the mending of what stands beside it (rules.md §8.11).
        outcome = change(consent, metadata.contact, wish.opt_outs, actor)
        outcome = replace(outcome, left=wish.the_rest)
        notice = escape(refused.sentence)
    with saved():
        found = profile(consent, metadata.contact, actor)
        if outcome.meanwhile:
            notice = meanwhile(outcome.meanwhile, consent.now(), consent.providers)
        if outcome.left is None:
            modal = saved_modal(found, outcome.changes, metadata, notice=notice)
        else:
            done = [f"{made.what} → {made.after} is saved." for made in outcome.changes]
            kept = "The rest of what you typed is kept below: look, then save again."
            notice = " ".join([notice or CHANGED, *done, kept])
            still = {name: value for name, value in values.items() if _asks(name, value, metadata)}
            modal = edit_modal(found, metadata, notice=notice, typed=still)
        ack(response_action="update", view=modal)
        if outcome.changes or outcome.meanwhile:
            redraw(client, consent, actor, found, metadata)


def _ask_instead(
    ack: Ack,
    client: WebClient,
    consent: Service,
    actor: Actor,
    metadata: Metadata,
    *,
    wish: StatusUpdate,
    values: Mapping[str, str],
    refused: NeedsManager,
) -> None:
    """YES needs a manager: the form becomes the request, with what was typed. An opt-out beside it
    is made."""
    channel = Channel(str(refused.field).removesuffix("_on"))
    notice = [escape(refused.sentence)]
    if wish.opt_outs:
        outcome = change(consent, metadata.contact, wish.opt_outs, actor)
        notice += [f"{made.what} → {made.after} is saved." for made in outcome.changes]
    with saved():
        found = profile(consent, metadata.contact, actor)
        if channel in found.cases:
            notice.append(f"A request is open already: see {escape(consent.command)} pending.")
        carried = ("evidence", "evidence_date", "reason", "note")
        typed = {name: values[name] for name in carried if name in values}
        other = completed_by_another(consent, metadata.contact, channel, actor)
        modal = request_modal(
            found, channel, metadata, notice=" ".join(notice), typed=typed, other=other
        )
        ack(response_action="update", view=modal)
        if wish.opt_outs:
            redraw(client, consent, actor, found, metadata)


def saved_details(
    ack: Ack,
    view: dict[str, Any],
    client: WebClient,
    consent: Service,
    actor: Actor,
) -> None:
    """Adds a contact, or changes who one is."""
    metadata = read_metadata(view)
    values = typed(view)
    if not metadata.contact:
        contact = add_contact(consent, Details(**values), actor)
        with saved():
            found = profile(consent, contact.id, actor)
            ack(response_action="update", view=profile_modal(found, Metadata()))
            redraw(client, consent, actor, found, metadata)
        return
    before = profile(consent, metadata.contact, actor)
    touched = {
        name: value
        for name, value in values.items()
        if name in metadata.touched or value != _initial(view, name)
    }
    try:
        edit_contact(consent, metadata.contact, Details(**touched), actor, version=metadata.version)
    except Changed:
        modal = _details_again(consent, before, touched, metadata, actor)
        ack(response_action="update", view=modal)
        redraw(client, consent, actor, before, metadata)
        return
    with saved():
        found = profile(consent, metadata.contact, actor)
        changes = _differences(before.contact, found.contact)
        ack(response_action="update", view=saved_modal(found, changes, metadata))
        redraw(client, consent, actor, found, metadata)


def saved_note(
    ack: Ack,
    view: dict[str, Any],
    client: WebClient,
    consent: Service,
    actor: Actor,
) -> None:
    metadata = read_metadata(view)
    text = typed(view).get("note", "")
    add_note(consent, metadata.contact, text, actor)
    with saved():
        found = profile(consent, metadata.contact, actor)
        made = StatusChange(what="Note", channel=None, before="", after="added")
        ack(response_action="update", view=saved_modal(found, [made], metadata))
        redraw(client, consent, actor, found, metadata)


def searched(ack: Ack, view: dict[str, Any], consent: Service, actor: Actor) -> None:
    """The search, where Enter came before the choice had turned it into the profile."""
    found = profile(consent, ids.Pointer.read(typed(view).get(ids.FIND)).contact, actor)
    consent.look_ups.append(LookUp(actor.id, found.contact.id))
    ack(response_action="update", view=profile_modal(found, Metadata()))


def unknown(ack: Ack) -> None:
    """A modal that no version of ours opens any more."""
    raise Invalid("This form is from an older version of Optin. Open it again.")


def typed(view: dict[str, Any]) -> dict[str, str]:
    """What stands in the fields, by field; an empty one is an empty text."""
    values: dict[str, str] = {}
    for block_id, actions in states(view).items():
        for element in actions.values():
            chosen = element.get("selected_option") or {}
            picked = element.get("selected_date_time")
            value = str(element.get("value") or chosen.get("value") or picked or "")
            values[block_id.partition(".")[0]] = storable(value)
    return values


def moment(text: str) -> datetime | None:
    """A field of seconds since 1970, as the picker gives them."""
    if not text:
        return None
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        raise Invalid("That is no date.", field="evidence_date") from None


def _wish(values: Mapping[str, str], showed: Mapping[str, str]) -> StatusUpdate:
    def asked(name: str) -> str:
        value = values.get(name, "")
        return "" if value == showed.get(name, "") else value

    on = {"YES": ConsentValue.YES, "NO": ConsentValue.NO}
    reason = values.get("reason", "")
    return StatusUpdate(
        sms=on.get(asked("sms_on")),
        email=on.get(asked("email_on")),
        clear_bounce=frozenset(
            channel for channel in Channel if asked(f"{channel}_bounce") == "NO"
        ),
        reason=Reason[reason] if reason in Reason.__members__ else None,
        evidence=values.get("evidence") or None,
        evidence_at=moment(values.get("evidence_date", "")),
        note=values.get("note") or None,
    )


def _asks(name: str, value: str, metadata: Metadata) -> bool:
    """Whether a field still asks for something after the opt-outs were saved."""
    if name not in metadata.showed:
        return True
    return value != metadata.showed[name] and not (name.endswith("_on") and value == "NO")


def _initial(view: dict[str, Any], name: str) -> str:
    """What a text field held when it was drawn."""
    for block in view.get("blocks", ()):
        if isinstance(block, dict) and str(block.get("block_id")).partition(".")[0] == name:
            return str((block.get("element") or {}).get("initial_value") or "")
    return ""


def _details_again(
    consent: Service,
    now: Profile,
    touched: Mapping[str, str],
    metadata: Metadata,
    actor: Actor,
) -> dict[str, object]:
    """The form once more, for somebody who was overtaken: what they typed, and beside it what the
    other one saved."""
    contact = now.contact
    _, newest = activity(consent, contact.id, actor, kinds=CHANGING, limit=1)
    said = CHANGED
    if newest:
        said = meanwhile(newest[0], consent.now(), consent.providers)
    again = msgspec.structs.replace(metadata, version=contact.version, touched=sorted(touched))
    notice = f"{said} What you typed is kept below: look, then save again."
    return details_modal(again, {**details_of(contact), **touched}, adding=False, notice=notice)


def _differences(before: Contact, after: Contact) -> list[StatusChange]:
    was, now = details_of(before), details_of(after)
    return [
        StatusChange(
            what=name.capitalize(),
            channel=None,
            before=phone(was[name]) if name == "phone" else was[name],
            after=phone(now[name]) if name == "phone" else now[name],
        )
        for name in was
        if was[name] != now[name]
    ]
