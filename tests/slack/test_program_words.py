"""What the log and the card say of a program, and of what it stated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.consent.api_key import Scope
from bot.consent.log.entries import Entry
from bot.consent.model import Channel
from bot.consent.use_cases import Service, profile
from bot.consent.use_cases.api_keys import add_key, revoke_key
from bot.consent.use_cases.stated.program_names import ProgramNames
from bot.consent.use_cases.stated.state_consent import state_consent
from bot.consent.use_cases.stated.stated_event import EventType, StatedEvent
from bot.consent.use_cases.stated.stated_events import take_events
from bot.consent.use_cases.stated.statement import ConsentStatement, StatedStatus, program
from handlers.answers import answer_line
from handlers.entry_sentences import plain_sentence
from handlers.vocabulary import actor, came_from, person
from tests.support.consent_fixtures import AGENT, OPERATOR, PROVIDERS, told
from tests.support.stated_fixtures import proof, stranger


@pytest.fixture
def newsletter(service: Service) -> str:
    """The id of its key."""
    key, _ = add_key(service, "Newsletter <!here>", [Scope.WRITE], OPERATOR)
    return key.id


def said(service: Service, entry: Entry) -> tuple[str, str]:
    providers = replace(PROVIDERS, program_name=ProgramNames(service))
    return plain_sentence(entry, providers), came_from(entry, providers)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("yes", "SMS On set to YES"),
        ("no", "SMS On set to NO: asked through checkout"),
        ("pending", "Confirmation of SMS asked for, until 10 Nov 2026"),
    ],
)
def test_a_statement_is_a_sentence_that_names_the_program(
    service: Service, newsletter: str, status: str, sentence: str
) -> None:
    cleo = stranger(service)
    statement = ConsentStatement(
        channel=Channel.SMS, status=StatedStatus(status), evidence=proof(service.now())
    )
    state_consent(service, cleo.id, statement, program(newsletter))

    assert said(service, told(service, cleo.id)[-1]) == (
        sentence,
        "by the API (Newsletter &lt;!here&gt;)",
    )


@pytest.mark.parametrize(
    ("type", "sentence", "origin"),
    [
        (EventType.OPT_OUT, "Unsubscribed", "by the contact, via the API (Newsletter"),
        (EventType.BOUNCE, "Text bounced: the phone is off (30003)", "by the API (Newsletter"),
    ],
)
def test_an_event_is_the_contact_s_and_came_by_the_program(
    service: Service, newsletter: str, type: EventType, sentence: str, origin: str
) -> None:
    cleo = stranger(service)
    event = StatedEvent(
        type=type,
        address="+14155550155",
        id="1",
        occurred_at=service.now(),
        hard=True,
        code="30003" if type is EventType.BOUNCE else None,
        reason="The phone is off." if type is EventType.BOUNCE else None,
    )
    take_events(service, [event], program(newsletter))
    found, came = said(service, told(service, cleo.id)[-1])

    assert found == sentence
    assert came.startswith(origin)


def test_a_revoked_key_keeps_its_name_and_an_unknown_one_has_none(
    service: Service, newsletter: str
) -> None:
    revoke_key(service, newsletter, OPERATOR)
    providers = replace(PROVIDERS, program_name=ProgramNames(service))

    assert actor(f"api:{newsletter}", providers) == "the API (Newsletter &lt;!here&gt;)"
    assert actor("api:unknown", providers) == person(f"api:{newsletter}") == "the API"
    assert actor(f"api:{newsletter}", PROVIDERS) == "the API"


def test_a_program_has_no_suppression_list() -> None:
    assert not PROVIDERS.keeps_list("api:newsletter")
    assert PROVIDERS.keeps_list("sendgrid")


def test_the_card_says_through_what_the_contact_opted_out(
    service: Service, newsletter: str
) -> None:
    cleo = stranger(service)
    no = ConsentStatement(
        channel=Channel.SMS, status=StatedStatus.NO, evidence=proof(service.now())
    )
    state_consent(service, cleo.id, no, program(newsletter))
    found = profile(service, cleo.id, AGENT)

    assert "asked through checkout" in answer_line(found, found.decisions[Channel.SMS])
