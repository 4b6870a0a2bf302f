"""Files as other systems export them, through `optin import`: each contact ends as it should."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli_fixtures import Cli
from tests.support.storages import KINDS, forget, path_in, url_of

FILES = Path(__file__).parents[1] / "fixtures" / "contact_files"
EXPECTED: dict[str, Any] = json.loads((FILES / "expected" / "states.json").read_text("utf-8"))
#: Whoever has an address of a list agreed in 2020.
AGREED = "name,phone,email,sms_on,email_on,consent_source,consent_at\n"


@pytest.fixture(params=KINDS, autouse=True)
def storage(
    request: pytest.FixtureRequest, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    path = path_in(cli.folder, request.param)
    monkeypatch.setenv("OPTIN_STORAGE", url_of(path))
    yield
    forget(path)


def contacts_with(addresses: list[str]) -> str:
    rows = (
        f"Person {n},{'' if '@' in a else a},{a if '@' in a else ''},"
        f"{'' if '@' in a else 'yes'},{'yes' if '@' in a else ''},Form,2020-05-03"
        for n, a in enumerate(addresses)
    )
    return AGREED + "\n".join(rows) + "\n"


def state(cli: Cli, who: str) -> dict[str, str | None]:
    """The four states as the expectations write them."""
    found = cli("status", who, "--json").json
    on = {"YES": "YES", "NO": "NO", "UNSET": ""}
    bounce = {"YES": "YES", "NO": ""}
    return {
        "sms_on": on[found["sms"]["on"]],
        "email_on": on[found["email"]["on"]],
        "sms_bounce": bounce[found["sms"]["bounce"]],
        "email_bounce": bounce[found["email"]["bounce"]],
    }


def imported(cli: Cli, name: str, dry_run: bool = False) -> str:
    shutil.copy(FILES / name, cli.folder / name)
    done = cli("import", name, *EXPECTED[name]["args"], *(["--dry-run"] if dry_run else []))

    assert done.status in (0, 3), done.err
    return done.out.replace("Nothing was changed. The import would bring:\n", "")


def check(cli: Cli, name: str, states: dict[str, dict[str, str]]) -> None:
    for who, expected in states.items():
        found = state(cli, who)
        judged = {field for field, value in expected.items() if value is not None}
        assert {f: v for f, v in found.items() if f in judged} == {
            f: v for f, v in expected.items() if f in judged
        }, (name, who)


@pytest.mark.parametrize("name", [n for n, one in EXPECTED.items() if not one["list"]])
def test_contacts_of_another_system_end_as_they_should(cli: Cli, name: str) -> None:
    rehearsed = imported(cli, name, dry_run=True)
    nobody = cli.exported().splitlines()[1:]
    done = imported(cli, name)

    assert nobody == []
    assert done.startswith(rehearsed)
    check(cli, name, EXPECTED[name]["states"])


@pytest.mark.parametrize("name", [n for n, one in EXPECTED.items() if one["list"]])
@pytest.mark.parametrize("contacts_first", [True, False])
def test_a_suppression_list_marks_whoever_has_the_address_now_or_later(
    cli: Cli, name: str, contacts_first: bool
) -> None:
    states = EXPECTED[name]["states"]
    contacts = cli.file(contacts_with([*states]), "people.csv")
    if contacts_first:
        cli("import", contacts)
        rehearsed = imported(cli, name, dry_run=True)
        done = imported(cli, name)
        assert done.startswith(rehearsed)
    else:
        imported(cli, name)
        cli("import", contacts)
    unchanged = {
        who: {
            field: value or ("YES" if field == ("email_on" if "@" in who else "sms_on") else "")
            for field, value in expected.items()
        }
        for who, expected in states.items()
    }

    check(cli, name, unchanged)


@pytest.mark.parametrize("name", [*EXPECTED])
def test_the_same_file_twice_changes_nothing_and_says_so(cli: Cli, name: str) -> None:
    imported(cli, name)
    before = cli.exported()
    again = imported(cli, name)

    assert cli.exported() == before
    assert "The file changed nothing." in again or name == "square_customers.csv"
