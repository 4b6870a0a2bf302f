"""A person's Home: find, recent look-ups, requests, opt-outs of the week, and how Optin does.

Nobody else sees it, so numbers and names stand there whole.
https://docs.slack.dev/surfaces/app-home
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Day

from bot.consent.cases import Case, CaseState
from bot.consent.known_providers import KnownProviders
from bot.consent.model import Channel, Contact
from bot.consent.use_cases.home_facts import MOST_LISTED, HomeCase, HomeFacts
from handlers import vocabulary
from handlers.slack import ids
from handlers.slack.alerts.render.case_progress import waits_for
from handlers.slack.blocks.details_modal import legend
from handlers.slack.blocks.elements import button
from handlers.slack.blocks.formatting import (
    Block,
    context,
    date,
    divider,
    escape,
    inert,
    joined,
    phone,
    plain,
    section,
    shown,
)
from handlers.slack.blocks.modal_frame import View
from handlers.slack.blocks.stats_page import chart


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage:
    """What the page is drawn from."""

    facts: HomeFacts
    #: Opt-outs of the last days; None where nothing was counted yet.
    days: Mapping[Day, Mapping[Channel, int]] | None
    providers: KnownProviders
    command: str
    #: Whether this person decides requests, and sees how Optin does.
    manager: bool = False
    #: Lines about the alert channel and about the messaging providers.
    health: Sequence[str] = ()
    #: Whether a test alert has somewhere to go.
    has_channel: bool = False


def home_view(page: HomePage, *, charts: bool = True) -> View:
    """The page; without `charts` for a Slack that does not take them."""
    blocks = [
        *_find(page),
        *_waiting(page),
        *_own(page),
        divider(),
        *_week(page, charts=charts),
        *_health(page),
        divider(),
        legend(),
    ]
    return {"type": "home", "blocks": blocks}


def refused_view(sentence: str) -> View:
    """For somebody who may see nothing here."""
    return {"type": "home", "blocks": [section(escape(sentence))]}


def _find(page: HomePage) -> Iterator[Block]:
    select: Block = {
        "type": "external_select",
        "action_id": ids.FIND,
        "min_query_length": 2,
        "placeholder": plain("Name, number or address", 100),
    }
    said = ("*Why does this customer get no messages?*", "Find a contact, and see it in one card.")
    # Under a new id the field is empty again.
    yield section(*said, accessory=select) | {"block_id": f"find.{secrets.token_hex(4)}"}
    if page.facts.recent:
        yield section("*Your recent look-ups*")
    for contact in page.facts.recent:
        pointer = str(ids.Pointer(contact=contact.id, version=contact.version))
        spoken = f"View {shown(contact.name, 50)}"
        yield section(_named(contact), accessory=button("View", ids.VIEW, pointer, spoken=spoken))


def _waiting(page: HomePage) -> Iterator[Block]:
    facts = page.facts
    if not page.manager:
        return
    yield divider()
    if not facts.waiting:
        yield section("*Waiting for your decision*", "No request waits for you.")
        return
    yield section(f"*Waiting for your decision: {_count(facts.waiting_count, facts.more)}*")
    for one in facts.waiting:
        by = vocabulary.actor(one.case.requested_by, page.providers)
        said = f"Requested by {by} {date(one.case.requested_at)}."
        name = shown(one.contact.name, 50) if one.contact else "the request"
        yield section(
            _about(one),
            said,
            accessory=button(
                "Decide", ids.DECIDE, _pointer(one.case), style="primary", spoken=f"Decide {name}"
            ),
        )
    yield from _others(page, facts.waiting_count)


def _own(page: HomePage) -> Iterator[Block]:
    facts = page.facts
    if not facts.own:
        return
    yield divider()
    yield section(f"*Your open requests: {_count(facts.own_count, facts.more)}*")
    for one in facts.own:
        if one.case.state is CaseState.PENDING:
            stands = "A manager has to decide."
        else:
            stands = f"Approved; {waits_for(one.case)}."
        said = f"🟡 {stands} Requested {date(one.case.requested_at)}."
        view = button("View", ids.CASE_VIEW, _pointer(one.case)) if one.contact else None
        yield section(_about(one), said, accessory=view)
    yield from _others(page, facts.own_count)


def _others(page: HomePage, count: int) -> Iterator[Block]:
    if count > MOST_LISTED:
        yield context(f"These are the oldest. `{escape(page.command)} pending` lists all.")


def _week(page: HomePage, *, charts: bool) -> Iterator[Block]:
    title = "*Opt-outs of the last seven days*"
    if page.days is None:
        yield section(title, "Optin is counting them. Open this page again in a minute.")
        return
    series = {c.word: [counts[c] for counts in page.days.values()] for c in Channel}
    totals = {word: sum(values) for word, values in series.items()}
    counts = [f"{count:,} opted out of {_THINGS[word]}" for word, count in totals.items() if count]
    said = f"{joined(counts)}." if counts else "Nobody opted out."
    counted = page.facts.counts
    as_of = f" As of {date(counted.at)}." if counted and page.facts.outdated else ""
    yield section(title, f"{said}{as_of}")
    if charts and counts:
        yield chart("Opt-outs by day", [f"{day.day} {day:%b}" for day in page.days], series)


_THINGS = {channel.word: vocabulary.things(channel) for channel in Channel}


def _health(page: HomePage) -> Iterator[Block]:
    if not page.manager:
        return
    yield divider()
    yield section("*Health*", *page.health)
    elements = [button("Settings", ids.HOME_SETTINGS, "settings")]
    if page.has_channel:
        elements.append(button("Send a test alert", ids.TEST_ALERT, "test"))
    yield {"type": "actions", "elements": elements}


def _about(one: HomeCase) -> str:
    name = inert(one.contact.name, 80) if one.contact else "A contact who is gone"
    return f"*{name}* · {one.case.channel.word} · {_address(one.case.address)}"


def _named(contact: Contact) -> str:
    known = " · ".join(_address(address) for address in contact.addresses)
    return f"*{inert(contact.name) or 'No name'}*\n{known or 'No address'}"


def _address(address: str) -> str:
    return inert(address if "@" in address else phone(address), 120) or "no address"


def _pointer(case: Case) -> str:
    return str(ids.Pointer(contact=case.id, version=case.version))


def _count(count: int, more: bool) -> str:
    return f"{count:,}{'+' if more else ''}"
