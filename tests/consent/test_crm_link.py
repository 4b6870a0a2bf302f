"""Links to contacts' pages in the CRM: made of an external id, and read for one."""

from __future__ import annotations

import pytest

from bot.consent.crm_link import LONGEST_PAGE, CrmLink, check_template

PATH = "https://crm.example.com/contacts/{external_id}"
MIDDLE = "https://acme.lightning.example.com/lightning/r/Contact/{external_id}/view"
QUERY = "https://crm.example.com/contact?tab=main&id={external_id}&full=1"
FRAGMENT = "https://crm.example.com:8443/app#/people/{external_id}"
TEMPLATES = [PATH, MIDDLE, QUERY, FRAGMENT]
IDS = [
    "1042",
    "0035g00000XyZ",
    "a/b?c#d&e=f",
    "Zoë 7",
    "50% off",
    "../admin",
    "客户-7",
    "{external_id}",
]


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("id", IDS)
def test_the_id_is_read_back_out_of_the_page(template: str, id: str) -> None:
    link = CrmLink(template=template)
    page = link.page(id)
    check_template(template)

    assert page is not None
    assert page.isascii()
    assert link.external_id(page) == id


def test_an_id_is_percent_encoded() -> None:
    assert (
        CrmLink(template=PATH).page("a/b ?é")
        == "https://crm.example.com/contacts/a%2Fb%20%3F%C3%A9"
    )


def test_without_an_id_or_with_one_too_long_there_is_no_page() -> None:
    link = CrmLink(template=PATH)

    assert link.page("") is None
    assert link.page("x" * LONGEST_PAGE) is None
    assert link.page("\ud800") is None


@pytest.mark.parametrize(
    "url",
    [
        "http://crm.example.com/contacts/1042",
        "https://CRM.Example.com/contacts/1042",
        "https://crm.example.com:443/contacts/1042",
        "https://crm.example.com/contacts/1042/",
        "https://crm.example.com/contacts/1042?from=search#notes",
        "https://crm.example.com/contacts/1%3042",
    ],
)
def test_the_same_page_may_be_written_in_other_ways(url: str) -> None:
    assert CrmLink(template=PATH).external_id(url) == "1042"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://crm.example.com/contacts/",
        "https://crm.example.com/contacts/1042/edit",
        "https://crm.example.com/leads/1042",
        "https://crm.example.com/x/contacts/1042",
        "https://crm.example.com.evil.example/contacts/1042",
        "https://evil.example/contacts/1042",
        "https://sub.crm.example.com/contacts/1042",
        "https://crm.example.com@evil.example/contacts/1042",
        "https://someone@crm.example.com/contacts/1042",
        "https://crm.example.com:8443/contacts/1042",
        "ftp://crm.example.com/contacts/1042",
        "https://crm.example.com/contacts/%ff",
        "https://crm.example.com:x/contacts/1042",
        "https://[crm/contacts/1042",
        "https://crm.example.com/contacts/" + "1" * 501,
        "https://crm.example.com/contacts/1042?" + "x" * 5_000,
    ],
)
def test_another_page_names_nobody(url: str) -> None:
    assert CrmLink(template=PATH).external_id(url) is None


def test_a_query_that_belongs_to_the_page_has_to_fit() -> None:
    link = CrmLink(template=QUERY)

    assert link.external_id("https://crm.example.com/contact?tab=main&id=7&full=1#top") == "7"
    assert link.external_id("https://crm.example.com/contact?tab=other&id=7&full=1") is None
    assert link.external_id("https://crm.example.com/contact?id=7") is None
