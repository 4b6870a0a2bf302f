"""`/optin` in a workspace: everything that people type after it."""

from __future__ import annotations

import pytest

from handlers.slack.commands import SUBCOMMANDS
from sandbox.client import PersonClient
from tests.support.slack_fixtures import MANIFEST, Slack, opened, said

PHONES = [
    "+14155550106",
    "+1 415 555 0106",
    "(415) 555-0106",
    "415-555-0106",
    "415.555.0106",
    "4155550106",
    "1 415 555 0106",
    "+1 (415) 555‑0106",
    "\u202a+1 415 555 0106\u202c",
    "٤١٥٥٥٥٠١٠٦",
    "+１ ４１５ ５５５ ０１０６",
    "  +1   415 555 0106  ",
    "tel:+14155550106",
    "whatsapp:+14155550106",
]


@pytest.mark.parametrize("typed", PHONES)
def test_a_phone_number_is_found_in_the_forms_that_people_type(
    slack: Slack, ana: PersonClient, typed: str
) -> None:
    answer = ana.command(f"/optin {typed}")

    assert "Grace Lee" in said(answer)
    assert all(message.is_ephemeral for message in answer.messages)


@pytest.mark.parametrize(
    "typed",
    [
        "grace@example.com",
        "GRACE@Example.COM",
        "  grace@example.com ",
        "mailto:grace@example.com",
    ],
)
def test_an_address_is_found_whatever_its_case(slack: Slack, ana: PersonClient, typed: str) -> None:
    assert "Grace Lee" in said(ana.command(f"/optin {typed}"))


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Ana Gómez", "Ana Gómez"),
        ("ana gomez", "Ana Gómez"),
        ("GÓMEZ", "Ana Gómez"),
        ("jurgen", "Jürgen Müller"),
        ("Müll", "Jürgen Müller"),
        ("محمد", "محمد عبد الله"),
        ("小龍", "李小龍"),
    ],
)
def test_one_name_that_fits_is_the_card(
    slack: Slack, ana: PersonClient, typed: str, name: str
) -> None:
    answer = said(ana.command(f"/optin {typed}"))

    assert answer.startswith(name)
    assert "Activity Log" in answer


@pytest.mark.parametrize("typed", ["+1 415 555 0106 ext 5", "(415) 555-0106 x5"])
def test_a_number_with_an_extension_is_said_to_be_one(
    slack: Slack, ana: PersonClient, typed: str
) -> None:
    assert "Use the direct number." in said(ana.command(f"/optin {typed}"))


def test_the_card_says_both_answers_why_not_and_who_does_what(
    slack: Slack, ana: PersonClient
) -> None:
    answer = said(ana.command("/optin Grace Lee"))

    assert "SMS 🔴 Opted out" in answer
    assert "Email ✅ Opted in" in answer
    assert "Contact:" in answer
    assert "UNSTOP to +1 888-555-0199" in answer
    assert "Agent: get permission; ask a manager" in answer
    assert "+1 415-555-0106" in answer
    assert "grace@example.com" in answer


def test_several_hits_are_lines_with_masked_numbers_and_a_way_to_each(
    slack: Slack, ana: PersonClient
) -> None:
    answer = ana.command("/optin ana")
    text = said(answer)

    assert "3 contacts match" in text
    assert "ending 0100" in text
    assert "555-0100" not in text
    assert answer.messages[0].buttons.count("View") == 3

    profile = opened(ana, ana.press("View", in_=answer.messages[0]))
    assert "+1 415-555-0100" in profile.plain
    assert "Edit" in profile.buttons


def test_search_all_lists_everybody_whom_the_same_query_finds_page_by_page(
    slack: Slack, ana: PersonClient
) -> None:
    names = {f"Smith {number:02}" for number in range(23)}
    for number, name in enumerate(sorted(names)):
        slack.add(name, phone=f"+1212555{number + 100:04}")

    answer = ana.command("/optin smith")
    assert "23 contacts match" in said(answer)
    assert answer.messages[0].buttons[-1] == "Search all 23"

    first = opened(ana, ana.press("Search all"))
    second = opened(ana, ana.press("Next"))
    third = opened(ana, ana.press("Next"))

    assert "23 contacts match.\nContacts 1 to 10" in first.plain
    assert "Contacts 11 to 20" in second.plain
    assert "Contacts 21 to 23" in third.plain
    assert "Next" not in third.buttons
    pages = [first.plain, second.plain, third.plain]
    assert {name for page in pages for name in names if name in page} == names
    assert "Contacts 11 to 20" in opened(ana, ana.press("Previous")).plain


def test_a_page_of_the_list_is_redrawn_after_a_change_in_it(
    slack: Slack, ana: PersonClient
) -> None:
    for number in range(12):
        slack.add(f"Smith {number:02}", phone=f"+1212555{number + 100:04}")
    ana.command("/optin smith")
    ana.press("Search all")
    page = opened(ana, ana.press("Next"))
    name = next(line for line in page.plain.splitlines() if line.startswith("Smith")).split(" · ")[
        0
    ]

    opened(ana, ana.press("View"))
    opened(ana, ana.press("Edit"))
    ana.choose("SMS On", "NO")
    assert opened(ana, ana.submit()).title == "Saved"
    ana.close()
    ana.close()

    again = ana.modal
    assert again is not None
    assert "Contacts 11 to 12" in again.plain
    assert name in again.plain
    assert "SMS 🔴" in again.plain


def test_more_than_a_hundred_matches_say_so_on_the_last_page(
    slack_http: Slack,
) -> None:
    ana = slack_http.person("Ana")
    for number in range(102):
        slack_http.add(f"Smith {number:03}", email=f"smith{number}@example.com")

    answer = ana.command("/optin smith")
    assert "More than 100 contacts match" in said(answer)
    ana.press("Search all")
    pages = [opened(ana, ana.press("Next")).plain for _ in range(9)]

    assert "Contacts 91 to 100" in pages[-1]
    assert "There are more. Type more of the name" in pages[-1]


@pytest.mark.parametrize(
    "typed",
    ["1-800-FLOWERS", "+1 (800) flowers", "800-FLOWERS", "1-800-Flowersss", "1 800 356-WERS"],
)
def test_letters_in_a_number_are_read_as_a_keypad_has_them(slack_http: Slack, typed: str) -> None:
    slack_http.add("Fay Bloom", phone="+18003569377")

    assert "Fay Bloom" in said(slack_http.person("Ana").command(f"/optin {typed}"))


@pytest.mark.parametrize("name", ["800 Degrees", "360 Designs", "360-Designs", "1-800-Flowers"])
def test_a_company_is_found_by_its_name_although_a_keypad_could_dial_it(
    slack_http: Slack, name: str
) -> None:
    slack_http.add(name, email="office@example.com")

    assert name in said(slack_http.person("Ana").command(f"/optin {name}"))


@pytest.mark.parametrize("typed", ["+0", "+", "+1", "0", "(4)"])
def test_a_digit_or_two_are_no_number_and_match_nobodys_last_digits(
    slack_http: Slack, typed: str
) -> None:
    answer = said(slack_http.person("Ana").command(f"/optin {typed}"))

    assert f"No contact fits “{typed}”" in answer
    assert "That is too short for a phone number." in answer
    assert "Did you mean" not in answer


def test_a_short_id_of_the_companys_own_still_finds_its_contact(slack_http: Slack) -> None:
    slack_http.add("Una Doe", email="una@example.com", external_id="7")

    assert "Una Doe" in said(slack_http.person("Ana").command("/optin 7"))


def test_a_name_that_is_nearly_right_is_met_with_near_misses(
    slack: Slack, ana: PersonClient
) -> None:
    answer = said(ana.command("/optin Ana Gomze"))

    assert "No contact fits “Ana Gomze”" in answer
    assert "Did you mean" in answer
    assert "Ana Gómez" in answer


def test_a_name_like_nobodys_gets_a_hint_and_no_dead_end(slack: Slack, ana: PersonClient) -> None:
    answer = said(ana.command("/optin Zzyzx Qqq"))

    assert "No contact fits “Zzyzx Qqq”" in answer
    assert "Did you mean" not in answer
    assert "phone number" in answer


@pytest.mark.parametrize(
    ("typed", "shown", "label", "filled"),
    [
        ("+1 212 555 0177", "+1 212-555-0177", "Phone", "+12125550177"),
        ("New.One@example.com", "New.One@example.com", "Email", "New.One@example.com"),
    ],
)
def test_an_unknown_address_is_added_from_the_answer(
    slack: Slack, ana: PersonClient, typed: str, shown: str, label: str, filled: str
) -> None:
    answer = ana.command(f"/optin {typed}")
    assert shown in said(answer)

    form = opened(ana, ana.press("Add contact"))
    assert form.fields[label] == filled

    ana.type("Name", "Nina New")
    profile = opened(ana, ana.submit())
    assert profile.plain.startswith("Contact\nNina New")
    assert "SMS ⚪" in profile.plain or "Email ⚪" in profile.plain

    ana.close(whole=True)
    assert ana.messages()[-1].plain.startswith("Nina New")
    assert slack.find(filled).name == "Nina New"


def test_a_form_without_a_name_or_with_a_wrong_number_says_so_at_the_field(
    slack: Slack, ana: PersonClient
) -> None:
    ana.command("/optin +12125550177")
    ana.press("Add contact")

    assert "Name" in ana.submit().errors

    ana.type("Name", "Nina New")
    ana.type("Phone", "12345")
    assert list(ana.submit().errors) == ["Phone"]

    ana.type("Phone", "")
    assert list(ana.submit().errors) == ["Phone"]


def test_the_same_person_is_not_added_twice(slack: Slack, ana: PersonClient) -> None:
    ana.command("/optin +12125550177")
    ana.press("Add contact")
    ana.type("Name", "Grace Lee")
    ana.type("Phone", "+14155550106")

    outcome = ana.submit()

    assert "Grace Lee is there already" in outcome.errors["Phone"]


def test_the_command_alone_opens_the_search_which_turns_into_the_profile(
    slack: Slack, ana: PersonClient
) -> None:
    search = opened(ana, ana.command("/optin"))
    assert search.title == "Find a contact"

    offers = [offer["text"]["text"] for offer in ana.suggest("Find", "an")]
    assert any("Ana Gómez" in offer for offer in offers)
    assert not any("5550100" in offer for offer in offers)
    assert ana.suggest("Find", "a") == []

    profile = opened(ana, ana.pick("Find", "Ana Gómez", typed="ana"))
    assert profile.id == search.id
    assert profile.plain.startswith("Contact\nAna Gómez")

    opened(ana, ana.press("Edit"))
    assert [modal.title for modal in ana.modals] == ["Contact", "Edit"]


def test_typeahead_without_hits_is_an_empty_list(slack: Slack, ana: PersonClient) -> None:
    ana.command("/optin")

    assert ana.suggest("Find", "zzyzx qqq") == []


def test_typeahead_reads_numbers_and_addresses_too(slack: Slack, ana: PersonClient) -> None:
    ana.command("/optin")

    for typed in ("415 555 0106", "grace@example.com", "0106"):
        offers = [offer["text"]["text"] for offer in ana.suggest("Find", typed)]
        assert any(offer.startswith("Grace Lee") for offer in offers), typed


def test_help_lists_what_the_registry_holds(slack: Slack, ana: PersonClient) -> None:
    answer = said(ana.command("/optin help"))

    for sub in SUBCOMMANDS:
        assert f"/optin {sub.name}" in answer
        assert sub.does in answer
    for icon in "✅🔴⚪🟡🚫":
        assert icon in answer


def test_help_names_the_home_the_shortcuts_and_the_steps_of_workflows(
    slack_http: Slack, ana: PersonClient
) -> None:
    answer = said(slack_http.person("Ana").command("/optin help"))

    shortcuts = {one.name for one in MANIFEST.shortcuts}
    steps = {one.title for one in MANIFEST.steps}
    assert shortcuts
    assert steps
    assert [name for name in {"Home", *shortcuts, *steps} if name not in answer] == []


@pytest.mark.parametrize("typed", ["help?", "Help!", "?", "help ?"])
def test_help_is_shown_however_people_ask_for_it(slack_http: Slack, typed: str) -> None:
    answer = said(slack_http.person("Ana").command(f"/optin {typed}"))

    assert "/optin recent" in answer


@pytest.mark.parametrize("sub", [sub.name for sub in SUBCOMMANDS])
def test_every_subcommand_is_understood_in_any_case(
    slack: Slack, ana: PersonClient, sub: str
) -> None:
    answered = ana.command(f"/optin  {sub.upper()} ")

    answer = opened(ana, answered).plain if ana.modal else said(answered)
    assert "No contact fits" not in answer


def test_two_people_with_one_number_are_both_offered(slack: Slack, ana: PersonClient) -> None:
    answer = said(ana.command("/optin (415) 555-0123"))

    assert "Zoe Adams" in answer
    assert "Adam Adams" in answer


def test_a_shared_number_is_said_on_the_card(slack: Slack, ana: PersonClient) -> None:
    assert "(shared with 1 other)" in said(ana.command("/optin Zoe Adams"))
