"""Two workspaces, each with an Optin of its own: neither finds a contact of the other, by any
name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from bot.consent.api_key import Scope
from bot.consent.model import Contact
from bot.consent.use_cases.api_keys import add_key
from tests.support.consent_fixtures import OPERATOR
from tests.support.slack_fixtures import Slack, card, opened, said, started
from tests.support.slack_requests import command, last_sent, post
from tests.support.storages import KINDS

NAME, COMPANY, PHONE = "Wilhelmina Okonkwo", "Zephyr Glassworks", "+12125550177"
EMAIL = "wilhelmina@zephyr.example"


@pytest.fixture(params=KINDS)
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Slack, Slack]]:
    """Theirs has the contact, and ours has not."""
    with ExitStack() as stack:
        # The storages may not begin as copies of one another.
        other = KINDS[KINDS.index(request.param) - 1]
        yield (
            stack.enter_context(started(tmp_path / "theirs", "http", kind=other)),
            stack.enter_context(
                started(tmp_path / "ours", "http", kind=request.param, OPTIN_REGION="US")
            ),
        )


def test_a_command_that_names_another_workspaces_contact_finds_nobody(
    both: tuple[Slack, Slack],
) -> None:
    theirs, ours = both
    contact = known(theirs)
    ana = ours.person("Ana")
    before = ours.head()

    for text in (NAME, PHONE, EMAIL, contact.id, "crm-177"):
        assert NAME in said(theirs.person("Ana").command(f"/optin {text}")) or text == contact.id
        assert hides(said(ana.command(f"/optin {text}"))), text
    assert ours.head() == before


def test_a_button_of_another_workspaces_card_finds_nobody(both: tuple[Slack, Slack]) -> None:
    theirs, ours = both
    known(theirs)
    ana = theirs.person("Ana")
    card(ana, PHONE)
    opened(ana, ana.press("Edit"))
    ana.choose("SMS On", "NO")
    ana.submit()
    command(theirs)
    before = ours.head()

    for method in ("block_actions edit", "view_submission edit_modal"):
        status, body = post(ours, last_sent(theirs, method))
        assert status == 200
        assert hides(body)
    assert ours.head() == before
    assert not any(NAME in str(line) for line in ours.workspace.journal())


def test_a_key_of_another_workspace_opens_nothing(both: tuple[Slack, Slack]) -> None:
    theirs, ours = both
    contact = known(theirs)
    _, key = add_key(theirs.service, "Tests", tuple(Scope), OPERATOR)
    _, our_key = add_key(ours.service, "Tests", tuple(Scope), OPERATOR)

    assert status_of(theirs, contact, key) == 200
    assert status_of(ours, contact, key) == 401
    assert status_of(ours, contact, our_key) == 404


def known(slack: Slack) -> Contact:
    return slack.add(NAME, phone=PHONE, email=EMAIL, company=COMPANY, external_id="crm-177")


def hides(shown: str) -> bool:
    """What was asked for may be repeated, and no more be said."""
    return COMPANY not in shown and not (NAME in shown and "0177" in shown)


def status_of(slack: Slack, contact: Contact, key: str) -> int:
    url = f"{slack.url}/api/v1/contacts/{contact.id}"
    return httpx.get(url, headers={"authorization": f"Bearer {key}"}, trust_env=False).status_code
