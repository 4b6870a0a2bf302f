"""Public reports of blocks that a card did not show: a sender is a group of numbers (rules.md §2b).

A carrier keeps a block under a messaging service or profile; `OPTIN_SENDERS` and contacts know
numbers. Each report is tried with every provider that has services, and with every kind of sender.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.reports_fixtures import (
    OPTED_OUT,
    OURS,
    OURS_2,
    PHONE,
    SERVICES,
    TEXTS,
    TOLL_FREE,
    Product,
    Starter,
    gates,
)

OTHER = "+14155550101"


def by_number(service: str) -> str:
    """`OPTIN_SENDERS` as the reports had it: the number alone."""
    return f'[[sender]]\nid = "{OURS}"\n'


def by_group(service: str) -> str:
    """A group with all of its numbers and its service."""
    return (
        f'[[sender]]\nid = "support"\nname = "Support line"\nservice = "{service}"\n'
        f'numbers = ["{OURS}", "{OURS_2}"]\n'
    )


def by_members(service: str) -> str:
    """A group of numbers, whose service only events tell."""
    return f'[[sender]]\nid = "support"\nnumbers = ["{OURS}", "{OURS_2}"]\n'


def by_service(service: str) -> str:
    """A service as the id of a sender."""
    return f'[[sender]]\nid = "{service}"\n'


def nothing(service: str) -> str:
    """No `OPTIN_SENDERS` at all."""
    return ""


CONFIGURED = [by_number, by_group, by_members, by_service, nothing]


def the_block(product: Product, contact: str, number: str, *ids: str) -> dict[str, Any]:
    """The one block of a card. Every sentence about it names this number, and no id."""
    status = product.status(contact)
    (gate,) = (gate for gate in status["sms"]["gates"] if gate["code"] == "carrier_block")
    assert (gate["sender"], gate["owner"]) == (number, "contact")
    card = product.card(contact)
    assert f"UNSTOP to {number}" in gate["remedy"]
    assert f"UNSTOP to {number}" in card
    assert f"replied STOP to {number}" in card
    for id_ in ids:
        assert id_ not in gate["remedy"]
        assert id_ not in card.partition("Activity")[0]
    assert [block["sender"] for block in status["sms"]["blocks"]] == [number]
    return dict(status["sms"])


# D08, D09: OPTIN_SENDERS names a number, and the provider a service


@pytest.mark.parametrize("configured", CONFIGURED)
@pytest.mark.parametrize("by", SERVICES)
def test_a_stop_to_a_number_of_a_service_blocks_that_number(
    launch: Starter, by: str, configured: Any
) -> None:
    service = SERVICES[by]
    product = launch(senders=configured(service))
    ana = product.add(phone=PHONE)
    bo = product.add("Bo", phone=OTHER)
    product.text("STOP", by=by, service=service)

    sms = the_block(product, ana, OURS, service)
    assert (sms["answer"], sms["on"]) == ("no", "NO")
    assert ("opted_out", "manager") in gates(sms)
    assert product.sms(bo)["answer"] == "yes"
    # Approval is one key, and UNSTOP to that number the other.
    said = product.approve_re_opt_in(ana, "sms")
    assert "Contact texts UNSTOP to +1 415-555-0001" in said
    assert service not in said
    assert product.sms(ana)["on"] == "NO"
    product.text("UNSTOP", by=by, service=service)
    assert (product.sms(ana)["answer"], product.sms(ana)["blocks"]) == ("yes", [])
    product.check()


@pytest.mark.parametrize("configured", CONFIGURED)
@pytest.mark.parametrize("by", SERVICES)
def test_a_rejected_message_of_a_service_blocks_its_number(
    launch: Starter, by: str, configured: Any
) -> None:
    service = SERVICES[by]
    product = launch(senders=configured(service))
    ana = product.add(phone=PHONE)
    product.fail(OPTED_OUT[by], by=by, service=service)

    assert the_block(product, ana, OURS, service)["on"] == "NO"
    product.check()


# D26: the block of a service under a consent that is newer


@pytest.mark.parametrize("configured", CONFIGURED)
@pytest.mark.parametrize("by", SERVICES)
def test_a_blocked_service_is_red_although_the_consent_is_newer(
    launch: Starter, by: str, configured: Any
) -> None:
    service = SERVICES[by]
    product = launch(senders=configured(service))
    product.fail(OPTED_OUT[by], by=by, service=service)
    product.wait(days=1)
    # A file has a newer permission; nobody had asked before.
    product.people({"Ana": {"phone": PHONE, "consent_at": "2026-11-30"}})
    sms = the_block(product, PHONE, OURS, service)

    assert (sms["answer"], sms["on"]) == ("no", "YES")
    assert gates(sms) == [("carrier_block", "contact")]
    product.text("UNSTOP", by=by, service=service)
    assert product.sms(PHONE)["answer"] == "yes"
    product.check()


# Membership that only events show


@pytest.mark.parametrize("by", SERVICES)
def test_the_service_of_a_number_is_learned_from_events(launch: Starter, by: str) -> None:
    service = SERVICES[by]
    product = launch(senders=by_number(service))
    ana = product.add(phone=PHONE)
    bo = product.add("Bo", phone=OTHER)
    # A message of the service fails, and nobody says from which number.
    product.fail(OPTED_OUT[by], by=by, service=service, sender="")
    assert gates(product.sms(ana))[0] == ("carrier_block", "contact")
    # Bo writes to a number of that service.
    product.text("Hello", by=by, service=service, sender=OTHER)

    the_block(product, ana, OURS, service)
    assert product.sms(bo)["answer"] == "yes"


@pytest.mark.parametrize("by", SERVICES)
def test_a_block_from_before_the_service_was_known_is_lifted_with_it(
    launch: Starter, by: str
) -> None:
    service = SERVICES[by]
    product = launch()
    ana = product.add(phone=PHONE)
    product.text("STOP", by=by)
    product.text("Hello", by=by, service=service, sender=OTHER)
    product.approve_re_opt_in(ana, "sms")
    product.text("UNSTOP", by=by, service=service)

    assert (product.sms(ana)["answer"], product.sms(ana)["blocks"]) == ("yes", [])


@pytest.mark.parametrize("by", SERVICES)
def test_a_block_of_the_service_is_one_of_each_of_its_numbers(launch: Starter, by: str) -> None:
    service = SERVICES[by]
    product = launch(senders=by_group(service))
    ana = product.add(phone=PHONE)
    product.text("STOP", by=by, service=service, to=OURS_2)
    the_block(product, ana, OURS_2, service)
    product.approve_re_opt_in(ana, "sms")
    product.text("UNSTOP", by=by, service=service, to=OURS)

    assert product.sms(ana)["answer"] == "yes"


# Several senders


TWO = """\
[[sender]]
id = "support"
name = "Support line"
service = "{service}"
numbers = ["+14155550001"]

[[sender]]
id = "sales"
name = "Sales"
numbers = ["+14155550002"]
unblock_word = "START"
"""


@pytest.mark.parametrize("by", TEXTS)
def test_a_block_of_another_group_has_a_line_of_its_own(launch: Starter, by: str) -> None:
    service = SERVICES.get(by, "MG1")
    product = launch(senders=TWO.format(service=service))
    ana = product.add(phone=PHONE)
    product.fail(OPTED_OUT[by], by=by, sender=OURS_2)
    product.wait(days=1)
    product.approve_re_opt_in(ana, "sms")  # the failure has said that the contact refused
    card = product.card(ana)

    assert "From Sales: 🔴" in card
    assert f"START to {OURS_2}" in card
    (block,) = product.sms(ana)["blocks"]
    assert (block["sender"], block["sender_id"], block["state"]) == (OURS_2, "sales", "blocked")
    assert gates(product.sms(ana)) == [("opted_out", "manager")]


@pytest.mark.parametrize("by", TEXTS)
def test_a_block_of_an_unknown_group_counts_against_every_sender(launch: Starter, by: str) -> None:
    product = launch(senders=TWO.format(service="MG1"))
    product.fail(OPTED_OUT[by], by=by, sender="+14155550003")
    product.wait(days=1)
    product.people({"Ana": {"phone": PHONE, "consent_at": "2026-11-30"}})
    sms = product.sms(PHONE)

    assert (sms["answer"], gates(sms)) == ("no", [("carrier_block", "contact")])
    assert sms["gates"][0]["sender"] == "+14155550003"
    assert "From Sales: 🔴" in product.card(PHONE)


def test_two_blocked_senders_are_both_named(launch: Starter) -> None:
    product = launch(senders=TWO.format(service="MG1"))
    ana = product.add(phone=PHONE)
    product.text("STOP", service="MG1")
    product.text("STOP", to=OURS_2)
    card = product.card(ana)

    assert f"UNSTOP to {OURS}" in card
    assert f"START to {OURS_2}" in card
    assert {block["sender_id"] for block in product.sms(ana)["blocks"]} == {"support", "sales"}


# D10: a toll-free number inside a service


def with_toll_free(service: str) -> str:
    return (
        f'[[sender]]\nid = "support"\nservice = "{service}"\n'
        f'numbers = ["{OURS}", {{number = "{TOLL_FREE}", kind = "toll_free"}}]\n'
    )


@pytest.mark.parametrize("configured", [with_toll_free, nothing])
@pytest.mark.parametrize("by", SERVICES)
def test_yes_never_lifts_the_block_of_a_toll_free_number(
    launch: Starter, by: str, configured: Any
) -> None:
    service = SERVICES[by]
    product = launch(senders=configured(service))
    ana = product.add(phone=PHONE)
    product.text("STOP", by=by, service=service, to=TOLL_FREE)
    product.wait(minutes=10)
    product.text("YES", by=by, service=service, to=TOLL_FREE)

    assert {block["sender"] for block in product.sms(ana)["blocks"]} == {TOLL_FREE}
    assert ("carrier_block", "contact") in gates(product.sms(ana))
    # UNSTOP to another number of the service lifts the service's alone.
    product.text("UNSTOP", by=by, service=service, to=OURS)
    (block,) = product.sms(ana)["blocks"]
    assert (block["sender"], block["state"]) == (TOLL_FREE, "blocked")
    the_block(product, ana, TOLL_FREE, service)
    said = product.approve_re_opt_in(ana, "sms")
    assert "UNSTOP to +1 888-555-0199" in said
    assert product.sms(ana)["on"] == "NO"
    product.text("YES", by=by, service=service, to=TOLL_FREE)
    assert product.sms(ana)["on"] == "NO"
    product.text("START", by=by, service=service, to=TOLL_FREE)
    assert product.sms(ana)["answer"] == "yes"
    product.check()


def test_yes_lifts_the_block_of_a_long_code(product: Product) -> None:
    ana = product.add(phone=PHONE)
    product.text("STOP")
    product.wait(minutes=10)
    product.text("YES")

    assert product.sms(ana)["blocks"] == []
    assert gates(product.sms(ana)) == [("opted_out", "manager")]


def test_a_stop_to_a_long_code_of_the_service_leaves_its_toll_free_number(launch: Starter) -> None:
    product = launch(senders=with_toll_free("MG1"))
    ana = product.add(phone=PHONE)
    product.text("STOP", service="MG1", to=OURS)
    the_block(product, ana, OURS, "MG1", TOLL_FREE)


def test_a_retired_sender_stops_counting_and_consent_stays(launch: Starter) -> None:
    product = launch(senders=TWO.format(service="MG1"))
    product.fail("21610", service="MG1")
    product.wait(days=1)
    product.people({"Ana": {"phone": PHONE, "consent_at": "2026-11-30"}})
    assert product.sms(PHONE)["answer"] == "no"
    product.done("provider", "retire", "support")

    assert product.sms(PHONE)["answer"] == "yes"
    product.done("provider", "restore", "support")
    assert product.sms(PHONE)["answer"] == "no"


def twilio_stop(product: Product) -> None:
    product.text("STOP")


def telnyx_stop(product: Product) -> None:
    product.text("STOP", by="telnyx")


def telnyx_failure(product: Product) -> None:
    product.fail("40300", by="telnyx")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (telnyx_stop, twilio_stop),
        (twilio_stop, telnyx_stop),
        (twilio_stop, telnyx_failure),
        (telnyx_failure, twilio_stop),
    ],
)
def test_a_number_that_two_providers_carry_is_blocked_until_both_are_retired(
    product: Product, first: Callable[[Product], None], second: Callable[[Product], None]
) -> None:
    ana = product.add(phone=PHONE)
    first(product)
    product.wait(hours=1)
    second(product)
    product.approve_re_opt_in(ana, "sms")
    product.done("provider", "retire", "telnyx")
    with_one = product.sms(ana)
    product.done("provider", "retire", "twilio")

    assert with_one["answer"] == "no"
    assert ("carrier_block", "contact") in gates(with_one)
    assert product.sms(ana)["answer"] == "yes"
    product.check()


@pytest.mark.parametrize("service", ['service = "MG1"\n', ""], ids=["in the file", "unknown"])
def test_a_number_that_moved_to_another_groups_service_holds_its_own_group_back(
    launch: Starter, service: str
) -> None:
    product = launch(
        senders=f'[[sender]]\nid = "a"\n{service}numbers = ["{OURS}"]\n'
        f'[[sender]]\nid = "b"\nservice = "MG2"\nnumbers = ["{OURS_2}"]\n'
    )
    ana = product.add(phone=PHONE)
    product.fail("30004", service="MG2")

    assert product.sms(ana)["answer"] == "unverified"
    assert [code for code, _ in gates(product.sms(ana))] == ["block_unknown"]


def test_a_service_that_two_groups_share_holds_both_back(launch: Starter) -> None:
    numbers = {"a": OURS, "b": OURS_2, "c": "+14155550003"}
    groups = [
        f'[[sender]]\nid = "{id}"\nname = "{id}"\nnumbers = ["{n}"]\n' for id, n in numbers.items()
    ]
    product = launch(senders="".join(groups))
    ana = product.add(phone=PHONE)
    for number in (numbers["b"], numbers["c"]):
        product.fail("", sender=number, service="MG9")
    product.fail("30004", sender=numbers["c"], service="MG9")
    card = product.card(ana)

    assert product.sms(ana)["answer"] == "yes"
    assert "From b: 🟡" in card
    assert "From c: 🟡" in card


def test_retiring_what_nobody_knows_is_refused(product: Product) -> None:
    done = product.cli("provider", "retire", "sendgird")

    assert done.status == 1
    assert (
        done.err == "There is no sender or provider sendgird. `optin provider list` names them.\n"
    )
