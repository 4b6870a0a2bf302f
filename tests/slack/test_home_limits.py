"""The Home and its messages with the longest and nastiest words, against Slack's limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest

from bot.consent.alerts import Alert, AlertKind, Delivery
from bot.consent.cases import Case, CaseState
from bot.consent.model import Channel, Evidence
from bot.consent.use_cases.alerts.digest import BOUNCE, OPT_OUT, WAITING
from bot.consent.use_cases.alerts.digest_settings import (
    MOST_DIGESTS,
    DigestEvery,
    DigestSettings,
)
from bot.consent.use_cases.home_facts import MOST_LISTED, HomeCase, HomeFacts
from bot.consent.use_cases.opt_out_counts import OptOutCounts
from bot.consent.use_cases.stats import BounceClass, OptOutSource
from handlers.slack.alerts.render.alert_blocks import drawn
from handlers.slack.blocks.formatting import spoken
from handlers.slack.blocks.home_page import HomePage, home_view, refused_view
from handlers.slack.blocks.modal_frame import Metadata, modal
from handlers.slack.home.digest_form import add_form, digest_rows, edit_form
from sandbox.block_kit.check import check_blocks, check_view
from sandbox.mrkdwn import pings
from tests.support.consent_fixtures import PROVIDERS
from tests.support.longest_profiles import AT, NASTY, profile

COUNTS = OptOutCounts(seq=1, at=AT, quarters={int(AT.timestamp()) // 900: (10**9, 10**9)})


def pages(text: str) -> Iterator[dict[str, Any]]:
    contact = profile(text).contact
    case = Case(
        id="f" * 32,
        contact=contact.id,
        channel=Channel.EMAIL,
        address=f"{'a' * 64}@{'b' * 180}.example.com",
        requested_by=f"api:{text}",
        requested_at=AT,
        evidence=Evidence(text=text, at=AT),
        expires_at=AT + timedelta(days=14),
        version=10**8,
    )
    approved = HomeCase(case=Case(**{**fields(case), "state": CaseState.APPROVED}), contact=None)
    asked = HomeCase(case=case, contact=contact)
    facts = HomeFacts(
        recent=[contact] * 5,
        waiting=[asked] * MOST_LISTED,
        waiting_count=200,
        own=[asked, approved] * 2,
        own_count=200,
        more=True,
        counts=COUNTS,
        outdated=True,
    )
    for manager in (True, False):
        for charts in (True, False):
            page = HomePage(
                facts=facts,
                days=COUNTS.days(AT.date(), AT.tzinfo),  # type: ignore[arg-type]
                providers=PROVIDERS,
                command="/optin",
                manager=manager,
                health=["🟡 " + "x" * 1_200] * 20,
                has_channel=True,
            )
            yield home_view(page, charts=charts)
    empty = HomePage(facts=HomeFacts(), days=None, providers=PROVIDERS, command="/optin")
    yield home_view(empty)
    yield refused_view(text or "Sentence.")


def fields(case: Case) -> dict[str, Any]:
    return {name: getattr(case, name) for name in Case.__slots__}


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
def test_a_home_keeps_to_slacks_limits_and_notifies_nobody(text: str) -> None:
    for page in pages(text):
        page = json.loads(json.dumps(page))

        assert check_view(page) == []
        assert [ping for ping in pings("", page["blocks"]) if ping.startswith("!")] == []


def test_buttons_of_a_home_hold_ids_alone() -> None:
    for page in pages("canary"):
        for block in page["blocks"]:
            for element in [block.get("accessory") or {}, *(block.get("elements") or ())]:
                assert "canary" not in str(element.get("value", ""))
                assert "@" not in str(element.get("value", ""))


def digest_views() -> Iterator[dict[str, Any]]:
    """The forms of a digest, and a list of as many as there may be."""
    zones = sorted(available_timezones(), key=len)[-MOST_DIGESTS:]
    weekly = DigestSettings(every=DigestEvery.WEEK, day=2, hour=17)
    digests = {f"C{n:010}": replace(weekly, zone=zone) for n, zone in enumerate(zones)}
    paused = dict.fromkeys(digests, "shared_with_another_organisation")
    yield modal("list", "Settings", digest_rows(digests, paused), Metadata())
    yield add_form(digests, "C0000ALERTS", ZoneInfo("America/Argentina/ComodRivadavia"))
    yield edit_form("C0000ALERTS", next(iter(digests.values())), ZoneInfo("UTC"))


def test_the_forms_of_a_digest_keep_to_slacks_limits() -> None:
    for view in digest_views():
        assert check_view(json.loads(json.dumps(view))) == []


def alerts() -> Iterator[Alert]:
    counts = {f"{OPT_OUT} {c} {s}": 10**9 for c in Channel for s in OptOutSource}
    counts |= {f"{BOUNCE} {c} {kind}": 10**9 for c in Channel for kind in BounceClass}
    for about in ("daily", "weekly"):
        yield alert(AlertKind.DIGEST, counts=counts | {WAITING: 1_000}, about=about)
    yield alert(AlertKind.DIGEST, counts={WAITING: 1}, about="daily")
    late = alert(AlertKind.DIGEST, counts=counts, about="daily")
    yield replace(late, first_at=AT - timedelta(days=3))
    yield alert(AlertKind.TEST, about="slack:U0000000LEE")
    for posted in (True, False):
        for channel in ("C0000ALERTS", None):
            steps = {"channel": channel, "posted": posted, "managers": True, "data": posted}
            yield alert(AlertKind.FIRST_RUN, text=json.dumps(steps))


def alert(kind: AlertKind, **more: Any) -> Alert:
    return Alert(
        id="f" * 32, key=kind, kind=kind, slack_channel="C1", first_at=AT, last_at=AT, **more
    )


@pytest.mark.parametrize("plainness", [0, 1])
def test_its_messages_keep_to_slacks_limits_and_their_text_says_all(plainness: int) -> None:
    for one in alerts():
        look = drawn(Alert(**{**values(one), "delivery": Delivery(plainness=plainness)}))

        assert len(look.text) <= 4_000
        assert check_blocks(look.blocks) == []
        for line in spoken(look.blocks).splitlines():
            assert line.replace("*", "") in look.text.replace("*", "")


def values(one: Alert) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Alert.__slots__}


@pytest.mark.parametrize(
    ("about", "days", "headline"),
    [
        ("daily", 1, "The last day in Optin"),
        ("daily", 3, "In Optin since"),
        ("weekly", 7, "The last week in Optin"),
        ("weekly", 2, "In Optin since"),
    ],
)
def test_a_digest_says_since_when_it_counts(about: str, days: int, headline: str) -> None:
    one = alert(AlertKind.DIGEST, counts={WAITING: 1}, about=about)
    look = drawn(replace(one, first_at=AT - timedelta(days=days)))

    assert headline in look.text
