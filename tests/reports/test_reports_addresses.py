"""Public reports of addresses that were not recognised: one address, several spellings (rules.md
§2a).

Each report is one example of a kind. The kind is tried with every provider, with the numbers of
every country, and by every way in which an address comes in.
"""

from __future__ import annotations

from collections.abc import Iterator

import phonenumbers
import pytest

from tests.support.reports_fixtures import (
    MAIL_EVENTS,
    MAILS,
    NO_SUCH_NUMBER,
    OPTED_OUT,
    OURS,
    PHONE,
    SERVICE,
    TEXTS,
    Product,
    Starter,
    gates,
    said_no,
)

# D01: a mailbox whose domain is written in Unicode here and in ASCII there

UNICODE, ASCII = "bücher.example", "xn--bcher-kva.example"
#: How the same domain is written by different people and programs.
DOMAINS = (
    UNICODE,
    ASCII,
    "BÜCHER.example",
    "XN--BCHER-KVA.EXAMPLE",
    "bu\u0308cher.example",  # two characters for one
)


def mailboxes() -> Iterator[tuple[str, str]]:
    """A mailbox of Ana's as it is kept, and as a provider writes it."""
    for kept in DOMAINS:
        for told in DOMAINS:
            yield kept, told


@pytest.mark.parametrize("by", MAILS)
def test_a_provider_may_write_a_mailbox_in_any_spelling(product: Product, by: str) -> None:
    spelled = {
        f"{event} {number}": (f"ana{number}{event}@{kept}", f"Ana{number}{event}@{told}")
        for event in MAIL_EVENTS
        for number, (kept, told) in enumerate(mailboxes())
    }
    product.people({name: {"email": kept} for name, (kept, _) in spelled.items()})
    product.people({"Bo": {"email": "bo@bucher.example"}})
    for name, (_, told) in spelled.items():
        product.mail(name.partition(" ")[0], told, by=by)

    answers = product.answers()
    assert (answers.pop("Bo")["email"]["answer"], len(answers)) == ("yes", len(spelled))
    for name, answer in answers.items():
        email = answer["email"]
        match name.partition(" ")[0]:
            case "unsubscribe":
                assert said_no(email), name
                assert ("suppressed", "operator") in gates(email), name
            case "complaint":
                assert said_no(email), name
                assert ("complaint", "manager") in gates(email), name
            case "bounce":
                assert (email["answer"], email["on"], email["bounce"]) == ("no", "YES", "YES"), name
                assert ("bounced", "agent") in gates(email), name
    product.check()


def test_a_file_and_the_command_line_may_write_a_mailbox_in_any_spelling(product: Product) -> None:
    product.people({f"Ana {n}": {"email": f"ana{n}@{kept}"} for n, (kept, _) in _numbered()})
    rows = [f"ana{n}@{told},no" for n, (_, told) in _numbered()]
    taken = product.import_("\n".join(["email,email_on", *rows]))

    assert taken.status == 0, taken.err
    answers = product.answers()
    assert len(answers) == len(rows)
    assert all(said_no(answer["email"]) for answer in answers.values())
    for number, (kept, told) in list(_numbered())[:6]:
        shown = product.status(f"ana{number}@{told}")["contact"]
        assert (shown["name"], shown["email"]) == (f"Ana {number}", f"ana{number}@{kept}")
    product.check()


def _numbered() -> Iterator[tuple[int, tuple[str, str]]]:
    return enumerate(mailboxes())


def test_an_opt_out_of_a_stranger_is_kept_in_any_spelling(product: Product) -> None:
    for number, (_, told) in _numbered():
        product.mail("unsubscribe", f"ana{number}@{told}")
    product.people({f"Ana {n}": {"email": f"ana{n}@{kept}"} for n, (kept, _) in _numbered()})

    assert all(said_no(answer["email"]) for answer in product.answers().values())


def test_an_erased_mailbox_stays_refused_in_any_spelling(product: Product) -> None:
    for number, (kept, _) in _numbered():
        product.add(email=f"ana{number}@{kept}", yes=False)
        product.done("set", f"ana{number}@{kept}", "--email=no")
        product.done("erase", f"ana{number}@{kept}", "--yes")
    product.people({f"Ana {n}": {"email": f"ana{n}@{told}"} for n, (_, told) in _numbered()})

    answers = product.answers()
    assert len(answers) == len(DOMAINS) ** 2
    assert all(said_no(answer["email"]) for answer in answers.values())


# D02, D05, D06: a number as people, carriers and providers write it


#: A subscriber as a contact of ours has them, and in other forms of the same number. `####` is
#: replaced, so that each has a number of its own.
NUMBERS = {
    "Mexico": ("+52 55 1234 ####", ["+52155 1234 ####", "52155 1234 ####", "5255 1234 ####"]),
    "Mexico as before 2019": ("+52 1 55 1235 ####", ["+5255 1235 ####", "5215512 35####"]),
    "Argentina": ("+54 9 11 2345 ####", ["+541123 45####", "541123 45####", "5491123 45####"]),
    "Argentina without the 9": ("+54 11 2346 ####", ["+5491123 46####", "5491123 46####"]),
    "Andorra": ("+376 31 ####", ["37631 ####", "0037631 ####"]),
    "Cook Islands": ("+682 7 ####", ["6827 ####", "sms:+6827 ####"]),
    "Faroe Islands": ("+298 21 ####", ["29821 ####"]),
    "Niue": ("+683 888 ####", ["683888 ####"]),
    "Norway": ("+47 4061 ####", ["474061 ####"]),
    "United States": (
        "+1 415 555 ####",
        ["rcs:+1415555 ####", "RCS:1415555 ####", "tel:+1415555 ####", "sms:+1-415-555-####"],
    ),
}


def forms(*, least: int = 1_000) -> Iterator[tuple[str, str, str]]:
    """A name, the number that the contact has, and another form of it; no number comes twice."""
    number = least
    for country, (kept, others) in NUMBERS.items():
        for other in others:
            for route in TEXTS:
                number += 1
                last = f"{number:04d}"
                name = f"{country} {last} {route}"
                yield name, kept.replace("####", last), other.replace(" ", "").replace("####", last)


def test_a_stop_counts_in_every_form_of_its_number(product: Product) -> None:
    people = {name: (kept, told) for name, kept, told in forms()}
    product.people({name: {"phone": kept} for name, (kept, _) in people.items()})
    product.people({"Bo": {"phone": "+1 415 556 9999"}})
    for name, (_, told) in people.items():
        product.text("STOP", sender=told, by=_route(name))

    answers = product.answers()
    assert (answers.pop("Bo")["sms"]["answer"], len(answers)) == ("yes", len(people))
    for name, answer in answers.items():
        assert said_no(answer["sms"]), name
        # Vonage publishes which words block; where a carrier's block is not sure, it is a doubt.
        codes = {code for code, _ in gates(answer["sms"])}
        assert codes & {"carrier_block", "block_unknown"}, name
    product.check()


def test_a_failure_counts_in_every_form_of_its_number(product: Product) -> None:
    people = {name: (kept, told) for name, kept, told in forms()}
    product.people({name: {"phone": kept} for name, (kept, _) in people.items()})
    for number, (name, (_, told)) in enumerate(people.items()):
        codes = OPTED_OUT if number % 2 else NO_SUCH_NUMBER
        product.fail(codes[_route(name)], to=told, by=_route(name))

    answers = product.answers()
    for number, name in enumerate(people):
        sms = answers[name]["sms"]
        if number % 2:
            assert (sms["answer"], sms["on"]) == ("no", "NO"), name
            assert ("carrier_block", "contact") in gates(sms), name
        else:
            assert (sms["answer"], sms["bounce"]) == ("no", "YES"), name
            assert ("bounced", "agent") in gates(sms), name
    product.check()


def _route(name: str) -> str:
    return max((route for route in TEXTS if name.endswith(f" {route}")), key=len)


def _as_americans_write() -> dict[str, tuple[str, str]]:
    """Ten digits are an American number to them, and 00 is no way out of the country."""
    return {
        name: (kept, told)
        for name, kept, told in forms()
        if name.endswith("telnyx")
        and not told.startswith("00")
        and not name.startswith(("Niue", "Norway"))
    }


def test_a_file_and_a_look_up_take_every_form_of_a_number(product: Product) -> None:
    people = _as_americans_write()
    product.people({name: {"phone": kept} for name, (kept, _) in people.items()})
    rows = [f"{told},no" for _, told in people.values()]
    taken = product.import_("\n".join(["phone,sms_on", *rows]))

    assert taken.status == 0, taken.err
    answers = product.answers()
    assert len(answers) == len(people)
    for name, (kept, told) in people.items():
        assert said_no(answers[name]["sms"]), name
        for typed in (kept, told, kept.replace(" ", ""), kept.replace(" ", "-")):
            assert product.status(typed)["contact"]["name"] == name, typed
    product.check()


MEXICAN = {
    "MX": ["55 1234 5678", "01 55 1234 5678", "044 55 1234 5678", "045 55 1234 5678"],
    "US": [
        "+52 1 55 1234 5678",
        "5215512345678",
        "52 55 1234 5678",
        "011 52 1 55 1234 5678",
        "tel:+52-55-1234-5678",
    ],
    "ES": ["00 52 1 55 1234 5678", "+52 044 55 1234 5678"],
}
ARGENTINE = {
    "AR": ["011 15-2345-6789", "11 2345-6789"],
    "US": [
        "+54 9 11 2345 6789",
        "+54 11 2345 6789",
        "+54 11 15 2345 6789",
        "5491123456789",
        "whatsapp:+5491123456789",
    ],
}


@pytest.mark.parametrize("region", ["MX", "AR", "US", "ES"])
def test_a_number_is_found_as_people_of_its_country_and_others_write_it(
    launch: Starter, region: str
) -> None:
    product = launch(OPTIN_REGION=region)
    product.add("Mario", phone="+52 55 1234 5678")
    product.add("Ada", phone="+54 9 11 2345 6789")

    for name, typed in (("Mario", MEXICAN), ("Ada", ARGENTINE)):
        for text in typed.get(region, []):
            assert product.status(text)["contact"]["name"] == name, text


def test_a_mobile_of_every_country_is_recognised_without_its_plus(product: Product) -> None:
    numbers = dict(_examples())
    assert len(numbers) > 200
    product.people({name: {"phone": number} for name, number in numbers.items()})
    routes = list(TEXTS)
    for place, number in enumerate(numbers.values()):
        product.text("STOP", sender=number.removeprefix("+"), by=routes[place % len(routes)])

    answers = product.answers()
    assert [name for name in numbers if not said_no(answers[name]["sms"])] == []


def _examples() -> Iterator[tuple[str, str]]:
    """The example that each country gives of a mobile number, each number once."""
    seen = set()
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        mobile = phonenumbers.PhoneNumberType.MOBILE
        if found := phonenumbers.example_number_for_type(region, mobile):
            number = phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
            if number not in seen:
                seen.add(number)
                yield region, number


def test_rcs_shares_opt_outs_with_sms_in_the_same_service(launch: Starter) -> None:
    product = launch(
        senders=f'[[sender]]\nid = "support"\nservice = "{SERVICE}"\nnumbers = ["{OURS}"]'
    )
    product.people({"Ana": {"phone": PHONE}, "Bo": {"phone": "+14155550101"}})
    product.text("STOP", sender=f"rcs:{PHONE}", to="rcs:our_agent", service=SERVICE)
    product.fail("21610", to="rcs:+14155550101", sender="rcs:our_agent", service=SERVICE)

    for name in ("Ana", "Bo"):
        sms = product.answers()[name]["sms"]
        assert sms["on"] == "NO"
        assert [block["sender_id"] for block in sms["blocks"]] == ["support"]
        (gate,) = (gate for gate in sms["gates"] if gate["code"] == "carrier_block")
        assert (gate["sender"], gate["owner"]) == (OURS, "contact")
        assert OURS in gate["remedy"]
        assert SERVICE not in gate["remedy"]
    product.check()


WHATSAPP = {
    "twilio": {"sender": f"whatsapp:{PHONE}", "to": f"whatsapp:{OURS}"},
    "twilio streams": {"sender": f"whatsapp:{PHONE}", "to": f"whatsapp:{OURS}"},
    "telnyx": {"sender": PHONE, "to": OURS, "type": "WHATSAPP"},
    "vonage": {"sender": PHONE, "to": OURS, "channel": "whatsapp"},
}


@pytest.mark.parametrize("by", WHATSAPP)
def test_a_stop_by_whatsapp_holds_texts_until_a_person_has_read_it(
    product: Product, by: str
) -> None:
    product.add(phone=PHONE)
    product.text("STOP", by=by, **WHATSAPP[by])
    sms = product.sms(PHONE)

    assert (sms["answer"], sms["on"], sms["blocks"]) == ("no", "YES", [])
    assert gates(sms) == [("review_hold", "agent")]


def test_a_stop_of_a_stranger_meets_whoever_has_the_number_in_another_form(
    product: Product,
) -> None:
    people = _as_americans_write()
    for _, told in people.values():
        product.text("STOP", sender=told)
    product.people({name: {"phone": kept} for name, (kept, _) in people.items()})

    assert [name for name, one in product.answers().items() if not said_no(one["sms"])] == []
    for kept, told in people.values():
        product.done("erase", kept, "--yes")
        known = product.status(told)
        assert (known["contact"], known["sms"]["on"]) == (None, "NO")


def test_a_correction_to_another_spelling_is_no_new_number(product: Product) -> None:
    una = product.add("Una", phone="+52 55 1234 5678", email=f"una@{UNICODE}")
    product.done("set", una, "--sms=no", "--email=no", "--by=contact")
    product.done("contact", "set", una, "--phone=+52 1 55 1234 5678", f"--email=una@{ASCII}")

    assert said_no(product.sms(una))
    assert said_no(product.email(una))
    refused = product.cli("set", una, "--sms=yes", "--email=yes", "--reason=x", "--evidence=y")
    assert refused.status == 1
    # A second record in the first spelling starts at NO, too.
    other = product.add("Una Doe", phone="+52 55 1234 5678", email=f"una@{UNICODE}", yes=False)
    assert said_no(product.sms(other))
    assert said_no(product.email(other))
    product.check()


# D20: a number to which a spreadsheet has added decimals


@pytest.mark.parametrize("decimals", [".0", ",0", ".00"])
def test_decimals_that_a_spreadsheet_added_are_no_digits(product: Product, decimals: str) -> None:
    numbers = {
        "Germany": "+49 30 1234567",
        "Austria": "+43 1 588000",
        "Finland": "+358 9 1234567",
        "Italy": "+39 06 12345678",
        "United States": "4155550100",
        "Mexico": "5215512345678",
    }
    rows = [f'{name},"{number}{decimals}",yes,Form' for name, number in numbers.items()]
    taken = product.import_("\n".join(["name,phone,sms_on,consent_source", *rows]))

    assert taken.status == 0, taken.err
    shown = {name: one["contact"]["phone"] for name, one in product.answers().items()}
    assert shown == {
        "Germany": "+49301234567",
        "Austria": "+431588000",
        "Finland": "+35891234567",
        "Italy": "+390612345678",
        "United States": "+14155550100",
        "Mexico": "+525512345678",
    }


def test_dots_between_the_digits_of_a_number_are_no_decimals(launch: Starter) -> None:
    product = launch(OPTIN_REGION="FR")
    taken = product.import_("name,phone\nZoé,06.12.34.56.00\nLéo,+1 415.555.0000\n")

    assert taken.status == 0, taken.err
    shown = {name: one["contact"]["phone"] for name, one in product.answers().items()}
    assert shown == {"Zoé": "+33612345600", "Léo": "+14155550000"}


def test_a_number_that_is_only_one_with_its_decimals_is_rejected(product: Product) -> None:
    taken = product.import_("name,phone,sms_on\nUli,+49 30 12.0,yes\nAna,4.1555501E+10,yes\n")

    assert taken.status == 3
    assert product.ids() == set()
    assert "spreadsheet" in taken.err


def test_an_opt_out_counts_with_decimals_behind_its_number(product: Product) -> None:
    product.people({"Uli": {"phone": "+49 151 23456789"}})
    taken = product.import_("phone,sms_on\n+49 151 23456789.0,no\n")

    assert taken.status == 0
    assert said_no(product.answers()["Uli"]["sms"])


def test_the_dot_of_the_root_makes_no_other_mailbox(product: Product) -> None:
    ana = product.add(email="ana@example.com")
    product.mail("unsubscribe", "ana@example.com.")

    assert product.email(ana)["on"] == "NO"
