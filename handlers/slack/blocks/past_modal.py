"""A contact as of a past moment, in the place of their Activity Log."""

from __future__ import annotations

import msgspec

from bot.consent.use_cases.time_travel import PastProfile, TimeBasis
from handlers import vocabulary
from handlers.answers import whose
from handlers.past_times import BASIS_WORDS, TODAYS, as_of
from handlers.slack import ids
from handlers.slack.blocks.details_modal import answers, contact_fields
from handlers.slack.blocks.elements import button, option
from handlers.slack.blocks.formatting import (
    FIELD,
    Block,
    context,
    date,
    divider,
    fields,
    inert,
    lines,
)
from handlers.slack.blocks.modal_frame import Metadata, View, modal

TITLE = "Status on…"


def past_picker(metadata: Metadata) -> Block:
    """The day for which the log shows the status. Slack remembers what was picked in a block, and
    would not report the same day again: so the block has a new id after each pick."""
    picker = {
        "type": "datepicker",
        "action_id": ids.LOG_PAST,
        "placeholder": {"type": "plain_text", "text": TITLE},
    }
    return {"type": "actions", "block_id": f"past.{metadata.at}", "elements": [picker]}


def past_modal(past: PastProfile, metadata: Metadata) -> View:
    """The card's lines as they were, with the moment and the basis to choose."""
    profile = past.profile
    bases = [option(BASIS_WORDS[by], by) for by in TimeBasis]
    seconds = int(past.at.timestamp())
    moment = {
        "type": "datetimepicker",
        "action_id": ids.PAST_AT,
        "initial_date_time": seconds,
    }
    basis = {
        "type": "static_select",
        "action_id": ids.PAST_BY,
        "options": bases,
        "initial_option": next(one for one in bases if one["value"] == past.by),
    }
    blocks: list[Block] = [
        context(f"*{inert(profile.contact.name) or 'Erased contact'}*"),
        {"type": "actions", "block_id": f"moment.{seconds}.{past.by}", "elements": [moment, basis]},
        context(as_of(date(past.at), past.by), TODAYS),
        *answers(profile),
    ]
    reasons = [
        vocabulary.reason(whose(profile, channel, gate))
        for channel, decision in profile.decisions.items()
        for gate in decision.gates
    ]
    if reasons:
        blocks.append(context(lines(dict.fromkeys(reasons), FIELD)))
    if not profile.contact.erased:
        blocks += [divider(), fields(*contact_fields(profile))]
    back = button("Back to the log", ids.PAST_BACK, "back")
    blocks.append({"type": "actions", "elements": [back]})
    kept = msgspec.structs.replace(
        metadata, contact=profile.contact.id, at=past.at.isoformat(), by=past.by
    )
    return modal(ids.PAST_MODAL, TITLE, blocks, kept)
