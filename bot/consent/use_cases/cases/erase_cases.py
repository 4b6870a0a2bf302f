"""Erasure: what cases still have of the contact goes."""

from __future__ import annotations

from bot.consent.cases import CaseState
from bot.consent.frozen import replace
from bot.consent.model import Contact
from bot.consent.use_cases.cases.transition import redraw_case, transition
from bot.consent.use_cases.record import Recorder


def erase_cases(recorder: Recorder, contact: Contact) -> None:
    """Ends an open one, and takes everything personal out of all of them, in Slack, too."""
    for case in recorder.records.cases.of(contact.id):
        if case.open:
            why = "The contact was erased."
            case = transition(recorder, case, CaseState.CANCELLED, contact, why=why)
        empty = replace(case.evidence, text="")
        bare = replace(
            case,
            address="",
            evidence=empty,
            reason=None,
            note=None,
            refusal=None,
            decision=None,
            # A denial's reason is somebody's own words; the others are ours.
            ended_why=None if case.decision else case.ended_why,
        )
        recorder.records.cases.put(bare)
        redraw_case(recorder.records.outbox, bare)
