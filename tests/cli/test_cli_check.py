"""`optin check`."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from handlers.address_list import read_addresses
from tests.support.cli_fixtures import Cli, refused

LIST = """Phone numbers and mailboxes
+1 415 555 0100
Ana Gómez <ana@example.com>, (415) 555-0111

not an address
"""


@pytest.fixture
def asked(cli: Cli) -> None:
    """Ana agreed to e-mail, and refused texts."""
    cli("contact", "add", "--name", "Ana", "--phone", "+14155550100", "--email", "ana@example.com")
    cli("set", "ana@example.com", "--sms", "no", "--reason", "Asked by phone")
    cli("set", "ana@example.com", "--email", "yes", "--reason", "Web form", "--evidence", "Form 3")


def test_each_address_is_shown_with_its_reason_and_next_step(
    cli: Cli, asked: None, tmp_path: Path
) -> None:
    file = tmp_path / "list.txt"
    file.write_text(LIST)
    done = cli("check", str(file))

    assert done.status == 3
    assert "🔴 Opted out  +14155550100  Ana" in done.out
    assert "The contact does not want texts." in done.out
    assert "Manager: Get the contact's new permission, with evidence" in done.out
    assert "✅ Opted in  ana@example.com  Ana" in done.out
    assert "⚪ Never asked  +14155550111" in done.out
    assert "No contact has this number." in done.out
    assert "⚠️ Can't be read  not an address" in done.out
    assert done.out.endswith("1 may be sent to · 2 may not · 1 can't be read\n")


def test_the_same_goes_into_a_file_for_its_owner_alone(
    cli: Cli, asked: None, tmp_path: Path
) -> None:
    file, output = tmp_path / "list.txt", tmp_path / "answers.csv"
    file.write_text(LIST)
    cli("check", str(file), "--output", str(output))
    with output.open(newline="") as answers:
        rows = list(csv.DictReader(answers))

    assert output.stat().st_mode & 0o777 == 0o600
    assert [(row["address"], row["channel"], row["answer"]) for row in rows] == [
        ("+14155550100", "SMS", "no"),
        ("ana@example.com", "Email", "yes"),
        ("+14155550111", "SMS", "no"),
        ("", "", "unreadable"),
    ]
    assert rows[0]["next_step"].startswith("Manager: Get the contact's new permission")


def test_a_list_without_an_address_says_so(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("\n \n")

    assert refused(cli("check", str(file)), 2) == "The file is empty."


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("phone\n+1 415 555 0100\n", ["+1 415 555 0100"]),
        ("+1 415 555 0100;+1 415 555 0101\t+1 415 555 0102", 3),
        ("x\nGómez, Ana <ana@example.com>", ["ana@example.com"]),
        ('x\n"ana@example.com","Ana"', ["ana@example.com"]),
        ("x\nAna Gómez", ["Ana Gómez"]),
        ("x\n=1+1", ["=1+1"]),
    ],
)
def test_addresses_are_read_as_people_paste_them(text: str, addresses: list[str] | int) -> None:
    found = list(read_addresses(text.splitlines()))

    assert found == addresses or len(found) == addresses
