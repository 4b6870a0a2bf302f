"""Public reports of e-mail that a provider dropped although the card was green: an address on a
provider's suppression list is not reached before it is gone there (rules.md §4)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.reports_fixtures import MAILBOX, MAILS, Product, gates, said_no

BY = list(MAILS)


def listed(product: Product, contact: str) -> list[str]:
    """The providers on whose lists the address stands, one for each entry. Each gate names the
    list, and says that an operator acts there."""
    found = []
    for gate in product.email(contact)["gates"]:
        if gate["code"] == "suppressed":
            assert gate["owner"] == "operator"
            assert "suppression list" in gate["remedy"]
            found.append(gate["sender"])
    return found


# D17: an unsubscribe, and later a re-opt-in


@pytest.mark.parametrize("by", BY)
def test_a_re_opt_in_is_not_green_while_the_provider_suppresses_the_address(
    product: Product, by: str
) -> None:
    ana = product.add(email=MAILBOX)
    bo = product.add("Bo", email="bo@example.com")
    product.mail("unsubscribe", by=by)
    assert said_no(product.email(ana))
    said = product.approve_re_opt_in(ana, "email")

    email = product.email(ana)
    assert (email["answer"], email["on"]) == ("no", "YES")
    assert gates(email) == [("suppressed", "operator")]
    assert listed(product, ana) == [by]
    # The approval says so.
    assert "☑ Email On is YES" in said
    assert email["gates"][0]["remedy"] in said
    assert "Email 🔴" in product.card(ana)
    assert product.email(bo)["answer"] == "yes"
    # Somebody takes it off there, and a manager records it.
    product.done("set", ana, f"--removed-at={by}")
    assert product.email(ana)["answer"] == "yes"
    # An unsubscribe that is told later blocks again, whatever its time.
    product.mail("unsubscribe", by=by)
    assert listed(product, ana) == [by]
    assert said_no(product.email(ana))
    product.check()


@pytest.mark.parametrize("by", ["sendgrid", "postmark", "resend", "ses"])
def test_a_resubscribe_at_the_provider_lifts_its_entry_and_is_no_consent(
    product: Product, by: str
) -> None:
    ana = product.add(email=MAILBOX)
    scope: dict[str, Any] = {"asm_group_id": 12} if by == "sendgrid" else {}
    unsubscribe = {"event": "group_unsubscribe"} if by == "sendgrid" else {}
    product.mail("unsubscribe", by=by, **unsubscribe, **scope)
    assert listed(product, ana) == [by]
    product.mail("resubscribe", by=by, **scope)

    assert gates(product.email(ana)) == [("opted_out", "manager")]
    product.approve_re_opt_in(ana, "email")
    assert product.email(ana)["answer"] == "yes"
    product.check()


def test_each_list_is_lifted_by_itself(product: Product) -> None:
    ana = product.add(email=MAILBOX)
    product.mail("unsubscribe")
    product.mail("unsubscribe", by="postmark")
    product.mail("unsubscribe", event="group_unsubscribe", asm_group_id=12)
    product.mail("resubscribe", asm_group_id=12)
    assert listed(product, ana) == ["postmark", "sendgrid"]
    product.approve_re_opt_in(ana, "email")
    product.done("set", ana, "--removed-at=postmark")
    assert listed(product, ana) == ["sendgrid"]
    product.done("set", ana, "--removed-at=SendGrid")

    assert product.email(ana)["answer"] == "yes"
    assert product.cli("set", ana, "--removed-at=sendgrid").status == 1


@pytest.mark.parametrize("by", BY)
def test_a_delivery_proves_nothing_of_a_providers_list(product: Product, by: str) -> None:
    ana = product.add(email=MAILBOX)
    product.mail("unsubscribe", by=by)
    product.approve_re_opt_in(ana, "email")
    product.wait(hours=1)
    product.mail("delivered", by=by)

    assert listed(product, ana) == [by]
    assert product.email(ana)["answer"] == "no"


@pytest.mark.parametrize("by", BY)
def test_a_complaint_stands_on_the_providers_list_as_well(product: Product, by: str) -> None:
    ana = product.add(email=MAILBOX)
    product.mail("complaint", by=by)
    assert said_no(product.email(ana))
    assert {"suppressed", "opted_out", "complaint"} == {
        code for code, _ in gates(product.email(ana))
    }
    product.approve_re_opt_in(ana, "email")
    product.done(
        "set", ana, "--clear-bounce=email", "--reason=They asked for it", "--evidence=Call"
    )

    assert listed(product, ana) == [by]
    assert product.email(ana)["answer"] == "no"


@pytest.mark.parametrize("by", BY)
def test_a_list_counts_for_every_contact_with_the_address_and_for_later_ones(
    product: Product, by: str
) -> None:
    ana = product.add(email=MAILBOX)
    other = product.add("Other", email=MAILBOX)
    product.mail("unsubscribe", by=by)
    late = product.add("Late", email=MAILBOX, yes=False)
    for contact in (ana, other, late):
        assert listed(product, contact) == [by]
    product.done("set", late, f"--removed-at={by}")
    for contact in (ana, other, late):
        assert listed(product, contact) == []
        assert said_no(product.email(contact))
    product.check()


def test_a_retired_provider_stops_counting(product: Product) -> None:
    ana = product.add(email=MAILBOX)
    product.mail("unsubscribe", by="mailgun")
    product.approve_re_opt_in(ana, "email")
    product.done("provider", "retire", "Mailgun")

    assert product.email(ana)["answer"] == "yes"


def test_our_own_unsubscribe_link_is_no_providers_list(product: Product) -> None:
    ana = product.add(email=MAILBOX)
    assert product.click(ana, MAILBOX).status == 200
    product.approve_re_opt_in(ana, "email")

    assert product.email(ana)["answer"] == "yes"


# D18: a bounce that was cleared, and a message that the provider drops without trying


@pytest.mark.parametrize("by", BY)
def test_a_cleared_bounce_is_not_green_while_the_provider_suppresses_the_address(
    product: Product, by: str
) -> None:
    ana = product.add(email=MAILBOX)
    bo = product.add("Bo", email="bo@example.com")
    product.mail("bounce", by=by)
    product.done("set", ana, "--clear-bounce=email", "--reason=Typo mended", "--evidence=Call")
    product.wait(hours=1)
    product.mail("dropped", by=by)

    assert listed(product, ana) == [by]
    email = product.email(ana)
    assert (email["answer"], email["on"]) == ("no", "YES")
    # To clear it once more leads to the same: the list is what has to change.
    product.cli("set", ana, "--clear-bounce=email", "--reason=Again", "--evidence=Call")
    assert listed(product, ana) == [by]
    assert product.email(ana)["answer"] == "no"
    product.done("set", ana, f"--removed-at={by}")
    assert product.email(ana)["answer"] in ("unverified", "yes")
    assert product.email(bo)["answer"] == "yes"
    product.check()


@pytest.mark.parametrize("by", BY)
def test_a_drop_of_what_we_had_not_known_to_bounce_names_the_list(
    product: Product, by: str
) -> None:
    ana = product.add(email=MAILBOX)
    product.mail("dropped", by=by)
    email = product.email(ana)

    assert (email["answer"], email["on"]) == ("no", "YES")
    assert listed(product, ana) == [by]
    # Amazon and Resend, which sends by it, say that the address is suppressed, and not why.
    assert email["bounce"] == ("NO" if by in ("ses", "resend") else "YES")


@pytest.mark.parametrize(
    ("by", "more"),
    [
        ("sendgrid", {"reason": "Unsubscribed Address"}),
        ("mailgun", {"reason": "suppress-unsubscribe"}),
    ],
)
def test_a_drop_of_an_unsubscribed_address_is_an_opt_out_on_the_providers_list(
    product: Product, by: str, more: dict[str, str]
) -> None:
    ana = product.add(email=MAILBOX)
    product.wait(days=1)
    if by == "mailgun":
        more = {**more, "delivery-status": {"code": 606}}  # type: ignore[dict-item]
    product.mail("dropped", by=by, **more)
    email = product.email(ana)

    assert (email["answer"], email["on"], email["bounce"]) == ("no", "NO", "NO")
    assert listed(product, ana) == [by]
