"""Every drawing of a re-opt-in, in every state, with the largest and the nastiest contacts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.consent.alerts import Alert, AlertKind, Delivery, Subject
from bot.consent.cases import Case, CaseState
from bot.consent.gates import Code
from bot.consent.model import Channel, Evidence
from bot.consent.use_cases import CaseDetails
from bot.consent.use_cases.cases.hourly_requests import MOST_REQUESTS
from handlers.slack import ids
from handlers.slack.alerts.render.alert_blocks import drawn, drawn_list
from handlers.slack.alerts.render.case_progress import progress
from handlers.slack.blocks.card import card
from handlers.slack.blocks.modal_frame import Metadata
from handlers.slack.blocks.request_modal import deny_modal, pending, request_modal, requested_modal
from sandbox.block_kit.check import check_blocks, check_view
from sandbox.mrkdwn import pings
from tests.support.consent_fixtures import PROVIDERS
from tests.support.longest_profiles import AT, NASTY, characters, listed, person, profile

SENDERS = [f"+1888555{number:04}" for number in range(30)]
KINDS = (AlertKind.CASE, AlertKind.CASE_TOLD, AlertKind.CASE_REMINDER)


def case(text: str, state: CaseState, channel: Channel, *, lifted: bool = False) -> Case:
    decided = state in (CaseState.APPROVED, CaseState.COMPLETED, CaseState.DENIED)
    over = state not in (CaseState.PENDING, CaseState.APPROVED)
    return Case(
        id="c" * 32,
        contact="f" * 32,
        channel=channel,
        address="+14155550100" if channel is Channel.SMS else f"{'a' * 64}@{'b' * 180}.example.com",
        requested_by=f"cli:{text}",
        requested_at=AT,
        evidence=Evidence(text=text, at=AT),
        expires_at=AT + timedelta(days=14),
        reason=text,
        note=text,
        refused_at=AT,
        refusal=text,
        state=state,
        version=999_999_999,
        decided_by=f"cli:{text}" if decided else None,
        decided_at=AT if decided else None,
        decision=text if state is CaseState.DENIED else None,
        self_approved=decided,
        unstopped_at=AT if lifted else None,
        ended_by=f"cli:{text}" if over else None,
        ended_at=AT if over else None,
        ended_why=text if over else None,
        copies=("a" * 32,) * 10,
    )


def matters(text: str) -> Iterator[CaseDetails]:
    whole = profile(text)
    for state in CaseState:
        for channel in Channel:
            for lifted in (False, True):
                yield CaseDetails(
                    case=case(text, state, channel, lifted=lifted),
                    contact=person(text),
                    now=whole.decisions[channel],
                    then=whole.decisions[channel],
                    missing=() if lifted else SENDERS,
                    unblock_words=dict.fromkeys(SENDERS, "UNSTOP"),
                    providers=PROVIDERS,
                    warnings=(text,) * 5,
                )
    mail = listed(text).decisions[Channel.EMAIL]
    for state in CaseState:
        yield CaseDetails(
            case=case(text, state, Channel.EMAIL),
            contact=person(text),
            now=replace(mail, gates=[g for g in mail.gates if g.code is Code.SUPPRESSED]),
            then=mail,
            missing=(),
            unblock_words={},
            providers=PROVIDERS,
        )
    gone = case(text, CaseState.CANCELLED, Channel.SMS)
    yield CaseDetails(
        case=gone,
        contact=None,
        now=None,
        then=None,
        missing=(),
        unblock_words={},
        providers=PROVIDERS,
    )


def alert(matter: CaseDetails, kind: AlertKind, **fields: Any) -> Alert:
    return Alert(
        id="a" * 32,
        key="k",
        kind=kind,
        slack_channel="C0APPROVAL",
        first_at=AT,
        last_at=AT,
        subject=Subject(channel=matter.case.channel, masked="ending 0100"),
        about=matter.case.id,
        text=matter.case.state,
        delivery=Delivery(**fields),
    )


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
def test_every_state_of_every_message_keeps_to_the_limits(text: str) -> None:
    for matter in matters(text):
        for kind in KINDS:
            for fields in ({}, {"plainness": 1}, {"repeated": True}):
                look = drawn(alert(matter, kind, **fields), matter, named=True)

                assert 0 < len(look.text) <= 3_000
                assert check_blocks(json.loads(json.dumps(look.blocks))) == []
                assert pings(look.text, look.blocks) == []
                assert characters(look.blocks) <= 12_000


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
@pytest.mark.parametrize("plainness", [0, 1])
def test_the_requests_of_programs_keep_to_the_limits(text: str, plainness: int) -> None:
    every = list(matters(text))
    pending_ones = [one for one in every if one.case.state is CaseState.PENDING and one.contact]
    pages = [
        (pending_ones * MOST_REQUESTS)[:MOST_REQUESTS],
        *(every[n : n + MOST_REQUESTS] for n in range(0, len(every), MOST_REQUESTS)),
        every[:1],
    ]
    for page in pages:
        look = drawn_list(alert(page[0], AlertKind.CASE_LIST, plainness=plainness), page)

        assert 0 < len(look.text) <= 3_000
        assert check_blocks(json.loads(json.dumps(look.blocks))) == []
        assert pings(look.text, look.blocks) == []
        assert characters(look.blocks) <= 12_000


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
def test_every_modal_of_a_request_keeps_to_the_limits(text: str) -> None:
    whole = profile(text)
    metadata = Metadata(response_url="https://hooks.slack.com/actions/T0ACMESUP/1/abcdefghijkl")
    typed = dict.fromkeys(("evidence", "note", "reason"), text)
    views = [
        request_modal(whole, channel, metadata, notice="Because.", typed=typed)
        for channel in Channel
    ]
    for channel in Channel:
        other = case(text, CaseState.COMPLETED, channel)
        views.append(request_modal(whole, channel, metadata, typed=typed, other=other))
    for matter in matters(text):
        views.append(requested_modal(matter, list(progress(matter)), told=False, command="/optin"))
        about = ids.Pointer(contact=matter.case.id, version=matter.case.version)
        views.append(deny_modal(about, matter))

    for view in views:
        assert check_view(json.loads(json.dumps(view))) == []
        assert pings("", view["blocks"]) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
def test_the_list_and_the_card_keep_to_the_limits(text: str) -> None:
    open_ = [m for m in matters(text) if m.case.open] * 4
    whole = profile(text)
    cards = [
        card(replace(whole, cases={c: case(text, state, c) for c in Channel}))
        for state in (CaseState.PENDING, CaseState.APPROVED)
    ]
    lists = [
        pending(open_[:11], True, reader="slack:U0", decides=decides, by_dm=False)
        for decides in (True, False)
    ]

    for blocks in [*cards, *lists, pending([], False, reader="slack:U0", decides=True, by_dm=True)]:
        assert check_blocks(json.loads(json.dumps(blocks))) == []
        assert pings("", blocks) == []
        assert characters(blocks) <= 12_000
