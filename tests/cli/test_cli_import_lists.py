"""`optin import` where a file is not plain: suppression lists, columns that nobody knows, repeats."""

from __future__ import annotations

import pytest

from tests.support.cli_fixtures import Cli, refused

ANA = "name,email,email_on,consent_source,consent_at\nAna Doe,ana@example.com,yes,Form,2020-05-03\n"


@pytest.fixture
def ana(cli: Cli) -> Cli:
    cli("import", cli.file(ANA, "ana.csv"))
    return cli


def test_a_providers_list_counts_as_suppressed_there(ana: Cli) -> None:
    done = ana(
        "import", ana.file("email,created\nana@example.com,1767225600\n"),
        "--as", "bounces", "--provider", "SendGrid",
    )  # fmt: skip
    email = ana("status", "Ana Doe", "--json").json["email"]

    assert done.status == 0
    assert "1  address marked as bounced" in done.out
    assert "1  address recorded as suppressed by the provider" in done.out
    assert (email["on"], email["bounce"]) == ("YES", "YES")
    assert {gate["code"] for gate in email["gates"]} == {"bounced", "suppressed"}


def test_json_as_a_providers_command_line_prints_it_is_a_list(ana: Cli) -> None:
    content = '{"SuppressedDestinationSummaries": [{"EmailAddress": "ana@example.com", "Reason": "COMPLAINT"}]}'
    done = ana(
        "import", ana.file(content, "list.json"), "--as", "suppressions", "--provider", "ses"
    )
    email = ana("status", "Ana Doe", "--json").json["email"]

    assert done.status == 0
    assert (email["on"], email["bounce"]) == ("NO", "YES")
    assert "complaint" in {gate["code"] for gate in email["gates"]}


def test_an_address_that_cannot_be_read_in_a_list_is_rejected(ana: Cli) -> None:
    done = ana(
        "import",
        ana.file("phone,email\n12,ana@example.com\n", "list.csv"),
        "--as",
        "opt-outs",
    )

    assert done.status == 3
    assert "Line 2: phone: That number is too short." in done.err
    assert "The rejected row is in " in done.out
    assert (ana.folder / "list.rejected.csv").stat().st_mode & 0o777 == 0o600
    assert ana("status", "Ana Doe", "--json").json["email"]["on"] == "NO"


def test_a_column_in_doubt_stops_the_import_and_is_mapped_or_left_out(cli: Cli) -> None:
    file = cli.file("name,phone,Consent level\nAna,+14155550100,gold\nBen,+14155550101,no\n")
    said = refused(cli("import", file), 2)
    rehearsed = cli("import", file, "--dry-run")
    nobody = cli.exported().splitlines()[1:]
    mapped = cli("import", file, "--column", "Consent level=sms_on")
    left = cli("import", file, "--ignore", "Consent level")

    assert "“Consent level” holds a word that Optin does not understand: “gold”" in said
    assert '--ignore "Consent level"' in said
    assert (rehearsed.status, nobody) == (2, [])
    assert "“gold”" in mapped.err
    assert "Left out as you asked: Consent level." in left.out
    assert "2  contacts added" in left.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("--provider", "sendgrid"),
        ("--as", "bounces", "--provider", "nobody"),
        ("--as", "everything"),
        ("--column", "phone"),
        ("--column", "phone=nonsense"),
        ("--ignore", "missing"),
        ("--encoding", "klingon"),
    ],
)
def test_what_makes_no_sense_is_said_before_anything_is_read(
    cli: Cli, arguments: tuple[str, ...]
) -> None:
    done = cli("import", cli.file("name,phone\nAna,+14155550100\n"), *arguments)

    assert (done.status, done.out) == (2, "")
    assert len(cli.exported().splitlines()) == 1


def test_the_dry_run_shows_what_each_column_means_and_says(cli: Cli) -> None:
    file = cli.file(
        "name,phone,email,Accepts SMS Marketing,Email Opt Out,HasOptedOutOfFax,Birthday,Phone 2\n"
        "Ana,+14155550100,ana@example.com,yes,1,0,x,+14155550109\n"
        "Ben,+14155550101,ben@example.com,no,0,1,,\n"
    )
    lines = cli("import", file, "--dry-run").out.splitlines()

    assert lines[:5] == [
        "  Column                 means              yes  no  bounced  unset",
        "  Accepts SMS Marketing  SMS On               1   1        0      0",
        "  Email Opt Out          opt-out of e-mail    0   1        0      1",
        "The phone number is that of “phone”, else “Phone 2”.",
        "Not about texts or e-mail: HasOptedOutOfFax.",
    ]
    assert lines[5] == "Not used: Birthday."
    assert "Line 2: ending 0109 is a further address of its row." in lines


def test_an_older_encoding_is_said(cli: Cli) -> None:
    done = cli("import", cli.file("name,phone\nJosé,+14155550100\n".encode("cp1252")))

    assert "The file is read as Windows-1252." in done.out
    assert "José" in cli.exported()


def test_a_list_whose_columns_do_not_say_what_it_is_asks(cli: Cli) -> None:
    assert "--as opt-outs" in refused(cli("import", cli.file("email\nana@example.com\n")), 2)
    assert "--as opt-outs" in refused(cli("import", cli.file("+14155550100\n")), 2)
