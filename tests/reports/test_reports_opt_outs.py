"""Public reports of opt-outs that died with a record: an address keeps what was refused there,
whoever has it now or later (rules.md §2, §8.16), and a file never moves one person's record onto
another.
"""

from __future__ import annotations

import pytest

from tests.support.reports_fixtures import (
    MAILBOX,
    MAILS,
    OURS,
    PHONE,
    TEXTS,
    YES,
    Product,
    Starter,
    gates,
    said_no,
)

#: A channel, the column of its address, the address, and how the contact refuses it.
CHANNELS = [("sms", "phone", PHONE), ("email", "email", MAILBOX)]
PERMISSION = "consent_source,consent_at"
OLD = "Old form,2020-01-01"


def refuse(product: Product, contact: str, way: str) -> None:
    """The contact refuses everything: on the phone, by a file, or at the provider."""
    match way:
        case "a person":
            product.done("set", contact, "--sms=no", "--email=no", "--by=contact")
        case "a file":
            row = f"{PHONE},{MAILBOX},no,no"
            assert product.import_(f"phone,email,sms_on,email_on\n{row}\n").status == 0
        case "a provider":
            product.text("STOP")
            product.mail("unsubscribe")


WAYS = ["a person", "a file", "a provider"]


def refused_everything(status: dict[str, dict[str, object]]) -> bool:
    return said_no(status["sms"]) and said_no(status["email"])


# F1: a contact who refused gets another address, and a file brings somebody with the old one


@pytest.mark.parametrize("way", WAYS)
def test_an_old_permission_does_not_revive_an_address_that_its_contact_gave_up(
    product: Product, way: str
) -> None:
    una = product.add("Una", phone=PHONE, email=MAILBOX)
    bo = product.add("Bo", phone="+14155550101", email="bo@example.com")
    refuse(product, una, way)
    before = product.status(bo)
    product.done("contact", "set", una, "--phone=+14155550155", "--email=una@example.com")
    taken = product.import_(
        f"name,phone,email,sms_on,email_on,{PERMISSION}\nUna Doe,{PHONE},{MAILBOX},yes,yes,{OLD}\n"
    )

    assert taken.status == 0
    (came,) = product.ids() - {una, bo}
    assert refused_everything(product.status(came))
    assert "SMS On kept at NO although the file says YES" in taken.out
    assert "Email On kept at NO although the file says YES" in taken.out
    # What was told to a person or given by a file goes along; what a carrier heard stays behind.
    assert refused_everything(product.status(una)) is (way != "a provider")
    assert product.status(bo) == before
    product.check()


@pytest.mark.parametrize("way", WAYS)
def test_two_files_with_one_external_id_do_not_revive_an_address(
    product: Product, way: str
) -> None:
    header = f"external_id,name,phone,email,sms_on,email_on,{PERMISSION}"
    product.import_(f"{header}\n17,Una Doe,{PHONE},{MAILBOX},yes,yes,{OLD}\n")
    una = product.status("17")["contact"]["id"]
    refuse(product, una, way)
    product.import_(f"{header}\n17,Una Doe,+14155550155,una@example.com,,,\n")
    product.import_(f"{header}\n18,Una Roe,{PHONE},{MAILBOX},yes,yes,{OLD}\n")
    product.import_(f"{header}\n17,Una Doe,{PHONE},{MAILBOX},yes,yes,{OLD}\n")

    assert refused_everything(product.status("18"))
    assert refused_everything(product.status("17"))
    product.check()


@pytest.mark.parametrize("gone", ["moved", "erased", "removed with its import"])
def test_a_refused_address_is_refused_to_whoever_gets_it_in_whatever_way(
    product: Product, gone: str
) -> None:
    if gone == "removed with its import":
        taken = product.import_(f"name,phone,email\nUna,{PHONE},{MAILBOX}\n")
        una = product.status(PHONE)["contact"]["id"]
    else:
        una = product.add("Una", phone=PHONE, email=MAILBOX)
    refuse(product, una, "a person")
    match gone:
        case "moved":
            product.done("contact", "set", una, "--phone=+14155550155", "--email=una@example.com")
        case "erased":
            product.done("erase", una, "--yes")
        case _:
            product.done("import", "--undo", product.import_id(taken))

    added = product.add("Added", phone=PHONE, email=MAILBOX, yes=False)
    edited = product.add("Edited", phone="+14155550177", email="edited@example.com")
    product.done("contact", "set", edited, f"--phone={PHONE}", f"--email={MAILBOX}")
    product.import_(
        f"name,phone,email,sms_on,email_on,{PERMISSION}\n"
        f"Imported,{PHONE},{MAILBOX},yes,yes,Form,2026-11-29\n"
    )
    imported = product.answers()["Imported"]["contact"]["id"]

    for contact in (added, edited, imported):
        assert refused_everything(product.status(contact)), contact
        for channel in ("sms", "email"):
            done = product.cli("set", contact, f"--{channel}=yes", "--reason=Web form", *YES)
            assert done.status == 1
            assert "optin case request" in done.err
    product.check()


# D22 and F2: a file of opt-outs has another name for a known address


@pytest.mark.parametrize(("channel", "column", "address"), CHANNELS)
def test_a_files_no_reaches_everybody_with_the_address(
    product: Product, channel: str, column: str, address: str
) -> None:
    una = product.add("Una Doe", **{column: address})
    twin = product.add("Una D.", **{column: address})
    bo = product.add("Bo", phone="+14155550101", email="bo@example.com")
    before = product.status(bo)
    rows = f"name,{column},{channel}_on\nUna Smith,{address.upper()},no\n"
    rehearsed = product.import_(rows, "--dry-run")
    assert not said_no(product.status(una)[channel])
    taken = product.import_(rows)

    for done in (rehearsed, taken):
        assert done.status == 0
        assert "2  opt-outs that reach another contact with the same address" in done.out
    (smith,) = product.ids() - {una, twin, bo}
    for contact in (una, twin, smith):
        assert said_no(product.status(contact)[channel])
    assert product.status(bo) == before
    product.check()


def test_a_bounce_and_an_opt_out_of_one_row_reach_the_same_contacts(product: Product) -> None:
    una = product.add("Una Doe", email="una@example.com")
    product.import_("name,email,email_on,email_bounce\nUna Smith,una@example.com,no,yes\n")

    assert gates(product.email(una)) == [("opted_out", "manager"), ("bounced", "agent")]


@pytest.mark.parametrize(("channel", "column", "address"), CHANNELS)
def test_a_person_who_records_the_contacts_wish_hears_whom_it_reached(
    product: Product, channel: str, column: str, address: str
) -> None:
    una = product.add("Una Doe", **{column: address})
    bob = product.add("Bob Hall", **{column: address})
    said = product.done("set", una, f"--{channel}=no", "--reason=Asked by phone").out

    assert "Bob Hall" in said
    assert said_no(product.status(bob)[channel])
    # What staff decides of one contact reaches nobody else.
    product.add("Cy", **{column: "+14155550166" if channel == "sms" else "cy@example.com"})
    other = product.add("Di", **{column: "+14155550166" if channel == "sms" else "cy@example.com"})
    said = product.done("set", other, f"--{channel}=no", "--reason=Wrong person").out
    assert "Cy" not in said
    assert product.answers()["Cy"][channel]["answer"] == "yes"


# D21: a list of opt-outs without names


def test_a_list_of_addresses_without_names_is_taken(product: Product) -> None:
    una = product.add("Una", phone=PHONE, email=MAILBOX)
    bo = product.add("Bo", phone="+14155550101", email="bo@example.com")
    before = product.status(bo)
    taken = product.import_(f"email,email_on\n{MAILBOX},no\nstranger@example.com,no\n")

    assert taken.status == 0, taken.err
    assert said_no(product.email(una))
    assert product.sms(una)["answer"] == "yes"
    assert product.status(bo) == before
    assert "1  opt-out of an address that nobody has, kept" in taken.out
    stranger = product.add("Stranger", email="stranger@example.com", yes=False)
    assert said_no(product.email(stranger))
    product.check()


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("phone,sms_on", f"{PHONE},no"),
        ("Mobile;SMS Opt Out", "(415) 555-0100;yes"),
        ("Phone Number\tUnsubscribed", f"{PHONE}\ttrue"),
        ("phone,email,opt_in", f"{PHONE},{MAILBOX},no"),
        ("external_id,phone,sms_on", f"99,{PHONE},unsubscribed"),
        ("name,phone,sms_on", f",{PHONE},no"),
    ],
)
def test_lists_of_opt_outs_in_other_forms(launch: Starter, header: str, row: str) -> None:
    product = launch()
    product.add("Una", phone=PHONE, email=MAILBOX)
    taken = product.import_(f"{header}\n{row}\n")

    assert taken.status == 0, taken.err
    assert said_no(product.answers()["Una"]["sms"])
    assert len(product.ids()) == 1
    product.check()


def test_a_list_of_bounces_without_names_is_taken(product: Product) -> None:
    una = product.add("Una", email=MAILBOX)
    taken = product.import_(f"email,email_bounce\n{MAILBOX},yes\ngone@example.com,hard\n")
    gone = product.add("Gone", email="gone@example.com")

    assert taken.status == 0, taken.err
    for contact in (una, gone):
        assert gates(product.email(contact)) == [("bounced", "agent")]
    product.check()


def test_an_opt_out_out_of_a_file_is_undone_with_its_reason_alone(product: Product) -> None:
    una = product.add("Una", email=MAILBOX)
    taken = product.import_(f"email,email_on\n{MAILBOX},no\nstranger@example.com,no\n")
    id_ = product.import_id(taken)
    kept = product.done("import", "--undo", id_)

    assert "2  opt-outs kept" in kept.out
    assert "--opt-outs" in kept.out
    assert said_no(product.email(una))
    assert product.cli("import", "--undo", id_, "--opt-outs").status == 2
    back = product.done("import", "--undo", id_, "--opt-outs", "--reason=The wrong file")
    assert "2  opt-outs taken back" in back.out
    assert product.email(una)["answer"] == "yes"
    stranger = product.add("Stranger", email="stranger@example.com", yes=False)
    assert product.email(stranger)["on"] == "UNSET"
    product.check()


def test_a_list_without_names_moves_no_address_from_one_person_to_another(
    product: Product,
) -> None:
    una = product.add("Una", phone=PHONE, email=MAILBOX)
    bo = product.add("Bo", phone="+14155550101", email="bo@example.com")
    taken = product.import_(f"phone,email,email_on\n{PHONE},bo@example.com,no\n")

    assert taken.status == 0
    assert product.status(una)["contact"]["email"] == MAILBOX
    assert product.email(una)["answer"] == "yes"
    assert said_no(product.email(bo))
    assert product.sms(bo)["answer"] == "yes"


def test_addresses_alone_are_refused_as_a_file(product: Product) -> None:
    product.add("Una", email=MAILBOX)
    taken = product.import_(f"email\n{MAILBOX}\n")

    assert taken.status == 2
    assert "yes or no" in taken.err
    assert product.answers()["Una"]["email"]["answer"] == "yes"


REJECTED = {
    "an unreadable phone": ("name,phone,email,email_on", f"Una,12,{MAILBOX},no"),
    "no name": ("name,email,email_on", ",stranger@example.com,no"),
    "a rounded id": ("external_id,name,email,email_on", f"7.00123E+12,Una,{MAILBOX},no"),
    "somebody else's id": ("external_id,name,email,email_on", "2,Cy,stranger@example.com,no"),
    "a date that is none": ("name,email,email_on,consent_at", f"Una,{MAILBOX},no,soon"),
    "a date to come": ("name,email,email_on,consent_at", f"Una,{MAILBOX},no,2036-01-01"),
    "a NUL": ("name,email,email_on", f"Una\0,{MAILBOX},no"),
    "a formula": ("name,phone,email,email_on", f'Una,"=A1",{MAILBOX},no'),
}


@pytest.mark.parametrize("why", REJECTED)
def test_a_rejected_row_gives_its_opt_outs_all_the_same(launch: Starter, why: str) -> None:
    product = launch()
    una = product.add("Una", phone=PHONE, email=MAILBOX)
    bo = product.add("Bo", phone="+14155550101", email="bo@example.com", external_id="2")
    header, row = REJECTED[why]
    taken = product.import_(f"{header}\n{row}\n")

    assert taken.status == 3
    assert "1  opt-outs and bounces out of rejected rows" in taken.out
    assert product.ids() == {una, bo}
    if "stranger@" in row:
        late = product.add("Late", email="stranger@example.com", yes=False)
        assert said_no(product.email(late))
    else:
        assert said_no(product.email(una))
    assert product.email(bo)["answer"] == product.sms(bo)["answer"] == "yes"
    product.check()


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("name,email,email_on", f"Una,{MAILBOX}; bo@example.com,no"),
        ("name,phone,sms_on", f'Una,"{PHONE}, +14155550101",no'),
    ],
)
def test_every_address_of_a_cell_is_opted_out(launch: Starter, header: str, row: str) -> None:
    product = launch()
    una = product.add("Una", phone=PHONE, email=MAILBOX)
    bo = product.add("Bo", phone="+14155550101", email="bo@example.com")
    channel = "email" if "email_on" in header else "sms"
    taken = product.import_(f"{header}\n{row}\n")

    assert taken.status == 0, taken.err
    assert product.ids() == {una, bo}
    assert said_no(product.status(una)[channel])
    assert said_no(product.status(bo)[channel])
    product.check()


def test_a_word_that_may_be_an_opt_out_stops_the_file(launch: Starter) -> None:
    product = launch()
    una = product.add("Una", phone=PHONE, email=MAILBOX)
    before = product.status(una)
    taken = product.import_(f"name,email,sms_on,email_on\nUna,{MAILBOX},perhaps,no\n")

    assert taken.status == 2
    assert "“perhaps”" in taken.err
    assert "Nothing was imported." in taken.err
    assert product.status(una) == before


# D23: a second record of an address that its contact refused


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("second", ["before", "after"])
def test_a_second_record_of_a_refused_address_takes_a_case(
    product: Product, way: str, second: str
) -> None:
    una = product.add("Una", phone=PHONE, email=MAILBOX)
    if second == "before":
        other = product.add("Una Doe", phone=PHONE, email=MAILBOX)
    refuse(product, una, way)
    if second == "after":
        other = product.add("Una Doe", phone=PHONE, email=MAILBOX, yes=False)
    assert refused_everything(product.status(other))
    for channel in ("sms", "email"):
        done = product.cli("set", other, f"--{channel}=yes", "--reason=Web form", *YES)
        assert done.status == 1
        assert "manager" in done.err
        product.approve_re_opt_in(other, channel)

    # What one of them has got back by a case says nothing of the other.
    assert refused_everything(product.status(una))
    assert {product.sms(other)["on"], product.email(other)["on"]} == (
        {"YES", "NO"} if way == "a provider" else {"YES"}
    )
    product.check()


@pytest.mark.parametrize("by", TEXTS)
def test_a_stop_counts_for_every_later_record_whoever_told_it(product: Product, by: str) -> None:
    product.text("STOP", by=by)
    late = product.add("Late", phone=PHONE, yes=False)

    assert said_no(product.sms(late))
    assert product.cli("set", late, "--sms=yes", "--reason=Web form", *YES).status == 1


@pytest.mark.parametrize("by", MAILS)
def test_an_unsubscribe_counts_for_every_later_record(product: Product, by: str) -> None:
    product.mail("unsubscribe", by=by)
    late = product.add("Late", email=MAILBOX, yes=False)

    assert said_no(product.email(late))
    assert ("suppressed", "operator") in gates(product.email(late))
    assert product.cli("set", late, "--email=yes", "--reason=Web form", *YES).status == 1


def test_a_one_click_opt_out_counts_for_a_second_record(product: Product) -> None:
    una = product.add("Una", email=MAILBOX)
    other = product.add("Una Doe", email=MAILBOX)
    assert product.click(una, MAILBOX).status == 200
    late = product.add("Una D.", email=MAILBOX, yes=False)

    for contact in (una, other, late):
        assert said_no(product.email(contact))


BOTH = (("Ray", "sms"), ("Mel", "email"))


@pytest.mark.parametrize("erased", [False, True])
def test_no_file_says_yes_for_an_address_that_is_not_to_be_contacted(
    product: Product, erased: bool
) -> None:
    una = product.add("Una", phone="+52 55 1234 5678", email="una@bücher.example")
    product.done("set", una, "--do-not-contact=yes", "--reason=A lawyer's letter")
    if erased:
        product.done("erase", una, "--yes")
    taken = product.import_(
        f"name,phone,email,sms_on,email_on,{PERMISSION}\n"
        "Ray,+5215512345678,,yes,,Form,2026-11-29\n"
        "Mel,,una@xn--bcher-kva.example,,yes,Form,2026-11-29\n"
    )
    sms, email = (product.answers()[name][channel] for name, channel in BOTH)

    assert taken.status == 0
    on = "NO" if erased else "UNSET"
    assert [(one["answer"], one["on"]) for one in (sms, email)] == [("no", on)] * 2
    assert said_no(sms) is said_no(email) is erased
    product.check()


# F3: external ids that are none, that a spreadsheet rounded, or that another system gave


@pytest.mark.parametrize("id_", ["0", "N/A", "n/a", "-", "null", "NULL", "None", "#N/A", "nan"])
def test_a_placeholder_is_no_external_id(launch: Starter, id_: str) -> None:
    product = launch()
    rows = [f"{id_},Person {n},+1415555{n:04d},yes,Form" for n in range(100, 103)]
    taken = product.import_("\n".join(["external_id,name,phone,sms_on,consent_source", *rows]))

    assert taken.status == 0
    shown = {name: one["contact"]["phone"] for name, one in product.answers().items()}
    assert shown == {f"Person {n}": f"+1415555{n:04d}" for n in range(100, 103)}


def test_a_rounded_external_id_rejects_its_rows(product: Product) -> None:
    rows = [f"7.00123E+12,Person {n},+1415555{n:04d},yes" for n in range(100, 103)]
    taken = product.import_("\n".join(["external_id,name,phone,sms_on", *rows]))

    assert taken.status == 3
    assert product.ids() == set()
    assert "rounded this external id" in taken.err


@pytest.mark.parametrize("row", ["2,Bob Hall,{b},bob@example.com", "2,,{b},bob@example.com"])
def test_an_id_of_another_system_does_not_overwrite_somebody(product: Product, row: str) -> None:
    product.import_(f"external_id,name,phone,email\n2,Una Doe,{PHONE},{MAILBOX}\n")
    una = product.status("2")
    rows = f"external_id,name,phone,email\n{row.format(b='+14155550101')}\n"
    rehearsed = product.import_(rows, "--dry-run")
    taken = product.import_(rows)

    for done in (rehearsed, taken):
        assert done.status == 3
        assert "contacts updated" not in done.out
    assert product.status("2") == una
    assert len(product.ids()) == 1


def test_an_id_holds_where_a_word_of_the_name_or_an_address_is_the_same(product: Product) -> None:
    header = "external_id,name,phone,email"
    product.import_(f"{header}\n2,Una Doe,{PHONE},{MAILBOX}\n")
    married = product.import_(f"{header}\n2,Una Hall,+14155550155,una@example.com\n")
    renamed = product.import_(f"{header}\n2,Somebody Else,+14155550155,else@example.com\n")

    assert (married.status, renamed.status) == (0, 0)
    contact = product.status("2")["contact"]
    assert (contact["name"], contact["email"]) == ("Somebody Else", "else@example.com")
    assert len(product.ids()) == 1


def test_our_own_number_is_no_contacts(product: Product) -> None:
    """A failure names our number, too: it says nothing of a contact who happens to have it."""
    ours = product.add("Ours", phone=OURS)
    product.fail("21610")

    assert product.sms(ours)["answer"] == "yes"
