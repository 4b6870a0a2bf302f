"""`optin import` and `optin export`, on real files and a real storage."""

from __future__ import annotations

import logging
import re

import pytest

from tests.support.cli_fixtures import Cli

CONTACTS = """\
name,phone,email,sms_on,email_on,company,external_id,consent_source,consent_at
Ana Gómez,+1 415 555 0100,ana@example.com,yes,no,Acme,17,Web form,2026-05-03
Ben Weber,(415) 555-0101,,yes,,,,,
Cy Novák,,cy@example.com,,yes,,,Receipt,2026-05-04T10:00:00+02:00
"""


def lines(text: str) -> dict[str, int]:
    """What a report counts."""
    found = re.findall(r"^ +([\d,]+)  (.+)$", text, re.MULTILINE)
    return {what: int(count.replace(",", "")) for count, what in found}


def test_a_file_is_taken_in_and_its_consequences_are_counted(cli: Cli) -> None:
    done = cli("import", cli.file(CONTACTS))

    assert (done.status, done.err) == (0, "")
    assert lines(done.out) == {
        "contacts added": 3,
        "SMS On set to YES": 2,
        "Email On set to YES": 1,
        "of these YES without evidence": 1,
        "Email On set to NO": 1,
    }


def test_a_dry_run_says_the_same_and_changes_nothing(cli: Cli) -> None:
    file = cli.file(CONTACTS + "Bad,123,,,,,,,\n")
    rehearsed = cli("import", file, "--dry-run")
    nothing = cli.exported().splitlines()
    done = cli("import", file)

    assert rehearsed.status == done.status == 3
    assert lines(rehearsed.out) == lines(done.out)
    assert len(nothing) == 1
    assert "Nothing was changed" in rehearsed.out
    assert cli.folder.joinpath("contacts.rejected.csv").exists()


def test_the_same_file_again_changes_nothing(cli: Cli) -> None:
    file = cli.file(CONTACTS)
    cli("import", file)
    before = cli.exported()
    done = cli("import", file)

    assert lines(done.out) == {"rows that change nothing": 3}
    assert cli.exported() == before


def test_an_import_is_taken_back_as_one(cli: Cli) -> None:
    cli("contact", "add", "--name", "Ana Gómez", "--phone", "+14155550100")
    before = cli.exported()
    done = cli("import", cli.file(CONTACTS))
    (id,) = re.findall(r"--undo (\S+)", done.out)
    undone = cli("import", "--undo", id)
    again = cli("import", "--undo", id)

    assert undone.status == 0
    assert lines(undone.out) == {
        "contacts removed": 2,
        "contacts put back": 1,
        "opt-outs kept": 1,
    }
    assert cli.exported() == before
    assert (again.status, again.err) == (1, "This import was undone already.\n")
    # The mailbox keeps its opt-out, whoever comes with it.
    cli("contact", "add", "--name", "Ben", "--email", "ANA@example.com")
    assert cli("status", "ANA@example.com", "--json").json["email"]["on"] == "NO"


def test_a_file_never_lifts_an_opt_out(cli: Cli) -> None:
    cli("import", cli.file(CONTACTS))
    cli("set", "+14155550100", "--sms", "no")
    done = cli("import", cli.file(CONTACTS))

    assert lines(done.out)["SMS On kept at NO although the file says YES"] == 1
    assert cli("status", "+14155550100", "--json").json["sms"]["on"] == "NO"


BAD = {
    "123": "too short",
    "12345": "too short",
    "1.41556E+10": "A spreadsheet has rounded this number",
    "+1 415 555 0100 x12": "extension",
    "+1 555 555 5555": "No such number can exist",
    "call me": "no phone number",
}


def test_rows_that_cannot_be_taken_are_named_by_line_and_reason_and_can_be_mended(cli: Cli) -> None:
    file = cli.file(
        "name,phone,email\n"
        + "".join(f"Bad {number},{phone},\n" for number, phone in enumerate(BAD))
        + "Good,\u202a+1 415 555 0100\u202c,\n"
        + "No address,,\n,+14155550101,\nNo mail,,ana@\n"
    )
    done = cli("import", file)
    rejected = cli.folder / "contacts.rejected.csv"
    said = done.err.splitlines()

    assert done.status == 3
    assert lines(done.out) == {"contact added": 1, "rows rejected": 9}
    for number, reason in enumerate(BAD.values()):
        assert said[number].startswith(f"Line {number + 2}: ")
        assert reason in said[number]
    assert rejected.read_text("utf-8").splitlines()[0] == "name,phone,email,line,reason"
    assert not any(phone in done.out + done.err for phone in BAD)

    text = rejected.read_text("utf-8")
    mended = text.replace("Bad 0,123", "Bad 0,+14155550142")
    rejected.write_text(mended, "utf-8")
    again = cli("import", rejected)

    assert lines(again.out) == {"contact added": 1, "rows rejected": 8}
    assert len(cli.exported().splitlines()) == 3


def test_two_people_with_one_number_stay_two_and_the_same_person_twice_is_one(cli: Cli) -> None:
    done = cli(
        "import",
        cli.file("name,phone\nAna,+14155550100\nBen,+1 (415) 555-0100\nANA,4155550100\n"),
    )

    assert lines(done.out)["contacts added"] == 2


def test_a_time_in_the_future_is_no_evidence(cli: Cli) -> None:
    done = cli(
        "import",
        cli.file(
            "name,phone,sms_on,consent_source,consent_at\nAna,+14155550100,yes,Form,2999-01-01\n"
        ),
    )

    assert (done.status, done.err) == (3, "Line 2: consent_at is in the future.\n")


def test_a_landline_is_stored_and_a_vanity_number_is_read(cli: Cli) -> None:
    done = cli(
        "import", cli.file("name,phone,sms_on\nLeo,+44 20 7946 0000,yes\nVan,1-800-FLOWERS,\n")
    )
    landline = cli("status", "Leo", "--json").json

    assert done.status == 0
    assert [gate["code"] for gate in landline["sms"]["gates"]] == ["invalid_address"]
    assert cli("status", "Van", "--json").json["contact"]["phone"] == "+18003569377"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"name,phone\nG\x81,1\n",
        b"PK\x03\x04zip",
        "name,phone\n".encode("utf-16"),
        b"a,b\n1,2\n",
    ],
)
def test_a_file_that_makes_no_sense_changes_nothing_and_says_one_sentence(
    cli: Cli, content: bytes
) -> None:
    done = cli("import", cli.file(content))

    assert (done.status, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert list(cli.folder.iterdir()) == [cli.folder / "contacts.csv"]


def test_a_column_that_names_no_channel_is_said(cli: Cli) -> None:
    done = cli(
        "import", cli.file("name,phone,email,Opt-In,Notes\nAna,+14155550100,a@example.com,yes,x\n")
    )

    assert "Column Opt-In is read as SMS On and Email On." in done.out
    assert "Not used: Notes." in done.out


@pytest.mark.parametrize(
    "arguments",
    [(), ("contacts.csv", "--undo", "x"), ("--undo", "x", "--dry-run"), ("missing.csv",)],
)
def test_an_import_of_nothing_is_wrong_usage(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli("import", *arguments)

    assert (done.status, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1


def test_an_export_goes_to_a_file_for_its_owner_alone(cli: Cli) -> None:
    cli("import", cli.file(CONTACTS))
    done = cli("export", "--output", "out.csv")
    out = cli.folder / "out.csv"

    assert (done.status, done.out) == (0, "")
    assert out.stat().st_mode & 0o777 == 0o600
    assert out.read_text("utf-8") == cli.exported()


def test_an_export_in_json_has_every_contact_as_status_shows_it(cli: Cli) -> None:
    cli("import", cli.file(CONTACTS))
    found = cli("export", "--format", "json").json

    assert [contact["contact"]["name"] for contact in found] == [
        "Ana Gómez",
        "Ben Weber",
        "Cy Novák",
    ]
    assert found[0] == cli("status", "ana@example.com", "--json").json


def test_no_number_and_no_address_gets_into_a_log(
    cli: Cli, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    cli("import", cli.file(CONTACTS + "Bad,415555014299,canary@example.com,,,,,,\n"))
    cli("set", "+14155550100", "--sms", "no")
    cli("status", "+14155550100")
    cli("erase", "ana@example.com", "--yes")
    cli("verify")

    assert not re.search(r"415 ?555|example\.com|Gómez", caplog.text)
