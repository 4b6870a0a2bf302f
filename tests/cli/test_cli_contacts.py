"""`optin status`, `set`, `contact`, `activity`, `erase` and `verify`."""

from __future__ import annotations

from datetime import datetime

import pytest

from storage.tinydb.tinydb_store import TinyDBStore
from tests.support.cli_fixtures import Cli, refused


@pytest.fixture
def ana(cli: Cli) -> str:
    """The id of a contact."""
    added = cli(
        "contact",
        "add",
        *("--name", "Ana Gómez"),
        *("--phone", "(415) 555-0100"),
        *("--email", "Ana@Example.com"),
        *("--company", "Acme"),
        *("--external-id", "17"),
    )
    assert added.status == 0
    return str(cli("status", "17", "--json").json["contact"]["id"])


def test_status_is_the_json_that_others_build_on(cli: Cli, ana: str) -> None:
    cli("set", ana, "--email", "yes", "--reason", "Web form", "--evidence", "Form 3")
    found = cli("status", "+1 415 555 0100", "--json").json

    assert found == {
        "contact": {
            "id": ana,
            "name": "Ana Gómez",
            "phone": "+14155550100",
            "email": "Ana@Example.com",
        },
        "sms": {
            "answer": "no",
            "on": "UNSET",
            "bounce": "NO",
            "blocks": [],
            "gates": [
                {
                    "code": "never_asked",
                    "remedy": found["sms"]["gates"][0]["remedy"],
                    "owner": "agent",
                }
            ],
        },
        "email": {"answer": "yes", "on": "YES", "bounce": "NO", "gates": []},
        "version": 2,
    }
    assert found["sms"]["gates"][0]["remedy"].endswith(".")


@pytest.mark.parametrize(
    "text", ["4155550100", "+1 (415) 555-0100", "ANA@example.com", "17", "ana gomez", "góm"]
)
def test_a_contact_is_found_in_the_forms_that_people_type(cli: Cli, ana: str, text: str) -> None:
    assert cli("status", text, "--json").json["contact"]["id"] == ana


def test_the_card_says_who_what_and_why_not(cli: Cli, ana: str) -> None:
    cli("set", ana, "--sms", "no", "--reason", "Asked by phone")
    card = cli("status", ana).out

    for said in ("Ana Gómez · Acme", "+14155550100", "SMS 🔴 Opted out", "Email ⚪ Never asked"):
        assert said in card
    assert "☐ Manager:" in card
    assert "SMS On set to NO: asked by phone" in card


def test_a_number_that_nobody_has_is_null_and_not_found(cli: Cli, ana: str) -> None:
    done = cli("status", "+14155550142", "--json")

    assert done.status == 1
    assert done.json["contact"] is None
    assert done.json["sms"]["answer"] == "no"
    assert done.json.keys() == {"contact", "sms", "email", "version"}
    assert done.err.startswith("Nobody has this phone number.")


def test_the_facts_of_a_number_outlive_its_contact(cli: Cli, ana: str) -> None:
    cli("set", ana, "--sms", "no")
    cli("erase", ana, "--yes")
    done = cli("status", "+14155550100", "--json")
    said = cli("status", "+14155550100")

    assert (done.status, done.json["contact"]) == (1, None)
    assert done.json["sms"]["on"] == "NO"
    assert [gate["code"] for gate in done.json["sms"]["gates"]] == ["opted_out"]
    assert "SMS 🔴 Opted out" in said.out


def test_a_name_that_fits_several_contacts_lists_them(cli: Cli, ana: str) -> None:
    cli("contact", "add", "--name", "Ana Ruiz", "--email", "ruiz@example.com")
    sentence = refused(done := cli("set", "ana", "--sms", "no"))

    assert sentence == "2 contacts fit: name the one by its id."
    assert len(done.err.splitlines()) == 3
    assert ana in done.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Zoltan", "There is no such contact."),
        ("a@b@c", "That is no e-mail address."),
        ("12345", "short"),
    ],
)
def test_a_contact_that_cannot_be_found_is_one_sentence(
    cli: Cli, ana: str, text: str, said: str
) -> None:
    assert said in refused(cli("status", text))


def test_a_yes_needs_evidence_and_after_an_opt_out_a_manager(cli: Cli, ana: str) -> None:
    bare = cli("set", ana, "--sms", "yes", "--reason", "Web form")
    done = cli("set", ana, "--sms", "yes", "--reason", "Web form", "--evidence", "Form 3")
    off = cli("set", ana, "--sms", "no")
    back = cli("set", ana, "--sms", "yes", "--reason", "Asked by phone", "--evidence", "Call")

    assert "what shows that the contact agreed" in refused(bare)
    assert (done.status, done.out) == (0, "SMS On: UNSET → YES\n")
    assert (off.status, off.out) == (0, "SMS On: YES → NO\n")
    assert "manager's approval" in refused(back)


def test_a_no_by_staff_needs_only_evidence_to_become_yes(cli: Cli, ana: str) -> None:
    cli("set", ana, "--sms", "no", "--by", "staff", "--reason", "Correction")
    done = cli("set", ana, "--sms", "yes", "--reason", "Correction", "--evidence", "Form 3")

    assert (done.status, done.out) == (0, "SMS On: NO → YES\n")


def test_both_channels_and_do_not_contact_in_one_command(cli: Cli, ana: str) -> None:
    done = cli("set", ana, "--sms", "no", "--email", "no", "--do-not-contact", "yes")
    again = cli("set", ana, "--sms", "no", "--email", "no", "--do-not-contact", "yes")

    assert done.out.splitlines() == [
        "SMS On: UNSET → NO",
        "Email On: UNSET → NO",
        "Do not contact: NO → YES",
    ]
    assert again.out == "Nothing to change: it is so already.\n"
    gates = cli("status", ana, "--json").json["email"]["gates"]
    assert [gate["code"] for gate in gates] == ["do_not_contact", "opted_out"]


def test_a_cleared_bounce_makes_the_next_message_the_test(cli: Cli) -> None:
    cli("import", cli.file("name,email,email_on,email_bounce\nAna,ana@example.com,yes,yes\n"))
    before = cli("status", "ana", "--json").json["email"]
    done = cli("set", "ana", "--clear-bounce", "email", "--reason", "Typo mended")
    after = cli("status", "ana", "--json").json["email"]

    assert (before["bounce"], before["answer"]) == ("YES", "no")
    assert done.out == "Email Bounce: YES → PROBATION\n"
    assert (after["bounce"], after["answer"]) == ("PROBATION", "unverified")


@pytest.mark.parametrize(
    "arguments",
    [
        ("set", "ana"),
        ("set", "ana", "--sms", "maybe"),
        ("set", "ana", "--sms", "yes", "--evidence", "Form"),
        ("set",),
        ("status",),
        ("status", "ana", "--yaml"),
        ("contact", "set", "ana"),
        ("nonsense",),
        ("erase", "ana"),
        ("activity", "--limit", "0"),
    ],
)
def test_wrong_usage_is_one_sentence_and_changes_nothing(
    cli: Cli, ana: str, arguments: tuple[str, ...]
) -> None:
    before = cli.exported()
    done = cli(*arguments)

    assert refused(done, 2)
    assert len(done.err.splitlines()) == 1
    assert cli.exported() == before


def test_a_malformed_setting_is_one_sentence(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPTIN_REGION", "Atlantis")

    assert refused(cli("status", "ana"), 2).startswith("OPTIN_REGION ")

    monkeypatch.setenv("OPTIN_REGION", "US")
    monkeypatch.setenv("OPTIN_STORAGE", "paper:///drawer")

    assert "OPTIN_STORAGE" in refused(cli("status", "ana"), 2)


def test_a_damaged_storage_is_one_sentence_and_stays_as_it_is(cli: Cli, ana: str) -> None:
    storage = cli.folder / "data" / "optin.json"
    storage.write_bytes(b"not ours at all")

    assert refused(cli("status", "ana"))
    assert storage.read_bytes() == b"not ours at all"


@pytest.mark.parametrize(
    ("wish", "on"),
    [
        (("--sms", "yes", "--evidence", "Form 3"), "UNSET"),
        (("--sms", "no", "--by", "staff", "--reason", "Wrong person"), "UNSET"),
        (("--sms", "no"), "NO"),
    ],
)
def test_a_new_number_inherits_the_opt_out_and_empty_text_removes_an_address(
    cli: Cli, ana: str, wish: tuple[str, ...], on: str
) -> None:
    assert cli("set", ana, "--reason", "Web form", *wish).status == 0
    done = cli(
        "contact", "set", ana, "--phone", "+14155550142", "--company", "", "--name", "Ana G."
    )
    found = cli("status", ana, "--json").json
    shown = cli("contact", "show", ana, "--json").json

    assert done.status == 0
    assert (found["contact"]["phone"], found["sms"]["on"]) == ("+14155550142", on)
    assert (shown["name"], shown["company"], shown["external_id"]) == ("Ana G.", "", "17")


def test_a_contact_needs_a_name_an_address_and_to_be_new(cli: Cli, ana: str) -> None:
    assert "name" in refused(cli("contact", "add", "--phone", "+14155550142"))
    assert "phone number or an e-mail" in refused(cli("contact", "add", "--name", "Ben"))
    assert "too short" in refused(cli("contact", "add", "--name", "Ben", "--phone", "123"))
    assert "there already" in refused(
        cli("contact", "add", "--name", "ana gomez", "--phone", "4155550100")
    )


def test_activity_lists_the_log_newest_first_in_the_words_of_the_contract(
    cli: Cli, ana: str
) -> None:
    cli("set", ana, "--sms", "yes", "--reason", "Web form", "--evidence", "Form 3")
    cli("set", ana, "--sms", "no", "--reason", "Asked by phone")
    newest, middle, oldest = cli("activity", ana, "--json").json

    assert newest.keys() == {
        *("id", "occurred_at", "recorded_at", "contact", "address", "channel", "kind", "actor"),
        *("source", "before", "after", "reason", "evidence", "expected", "provider_id", "hash"),
    }
    assert [entry["after"] for entry in (newest, middle, oldest)] == ["NO", "YES", "added"]
    assert (newest["kind"], newest["channel"], newest["source"]) == ("consent", "sms", "cli")
    assert (newest["contact"], newest["address"]) == (ana, "+14155550100")
    assert newest["actor"].startswith("cli:")
    assert (newest["reason"], middle["evidence"]) == ("Asked by phone", "Form 3")
    assert newest["recorded_at"].endswith("Z")
    assert datetime.fromisoformat(newest["recorded_at"]).tzinfo is not None
    assert len(newest["hash"]) == 64


def test_the_log_of_everybody_is_limited_and_may_be_empty(cli: Cli) -> None:
    empty = cli("activity")
    for number in range(3):
        cli("contact", "add", "--name", f"A{number}", "--phone", f"+1415555010{number}")
    told = cli("activity", "--limit", "2").out.splitlines()

    assert empty.out == "Nothing has happened yet.\n"
    assert told[::2] == ["A2 · Contact added", "A1 · Contact added"]


def test_erasure_removes_the_person_from_everything(cli: Cli, ana: str) -> None:
    cli("set", ana, "--sms", "no", "--reason", "Asked by phone")
    done = cli("erase", ana, "--yes")
    kept = b"".join(path.read_bytes() for path in (cli.folder / "data").iterdir())

    assert (done.status, done.out) == (0, f"Erased {ana}.\n")
    assert not any(text in kept for text in (b"4155550100", b"ana@example.com", "Gómez".encode()))
    assert cli("export").out.count("\n") == 1
    assert cli("verify").status == 0
    assert refused(cli("erase", "ana@example.com", "--yes"))


def test_verify_names_the_first_entry_with_a_wrong_hash(cli: Cli, ana: str) -> None:
    cli("set", ana, "--sms", "no", "--reason", "Asked by phone")
    whole = cli("verify")
    storage = cli.folder / "data" / "optin.json"
    store = TinyDBStore(storage)
    store.compact()  # or the journal would put right what is changed in the log
    store.close()
    log = storage.with_name("optin.json.log")
    log.write_bytes(log.read_bytes().replace(b"Asked by phone", b"Asked by email"))
    broken = cli("verify")

    assert whole.status == 0
    assert whole.out.startswith("2 entries hold.")
    assert refused(broken) == "Entry 2 does not hold: it, or one before it, was changed."


def test_text_from_outside_cannot_steer_the_terminal(cli: Cli) -> None:
    cli("contact", "add", "--name", "A\x1b[31mna\u202e", "--phone", "+14155550100")
    shown = cli("status", "4155550100").out

    assert "\x1b" not in shown
    assert "\u202e" not in shown
