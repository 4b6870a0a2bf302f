"""`optin evidence`."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from bot.cli.private_file import write_new_private
from bot.consent.log.heads import read_heads
from tests.support.cli_fixtures import Cli, refused
from tests.support.evidence_fixtures import problem, run_alone, unpacked

PHONE = "+14155550100"


@pytest.fixture
def ana(cli: Cli) -> str:
    cli("contact", "add", "--name", "Ana Gómez", "--phone", PHONE)
    return str(cli("status", PHONE, "--json").json["contact"]["id"])


def test_a_pack_is_written_for_its_owner_alone(cli: Cli, ana: str, tmp_path: Path) -> None:
    done = cli("evidence", PHONE, "--output", "ana.zip")

    assert (done.status, done.out, done.err) == (0, "Wrote ana.zip.\n", "")
    assert stat.S_IMODE((tmp_path / "ana.zip").stat().st_mode) == 0o600
    assert problem(unpacked((tmp_path / "ana.zip").read_bytes())) is None
    newest = cli("activity", PHONE).out.splitlines()[0]
    assert newest == "An evidence pack was made"
    assert cli("verify").status == 0


def test_each_pack_has_a_name_of_its_own_which_names_nobody(
    cli: Cli, ana: str, tmp_path: Path
) -> None:
    for _ in range(2):
        cli("evidence", "Ana Gómez")

    names = sorted(path.name for path in tmp_path.glob("*.zip"))
    assert len(names) == 2
    assert all(re.fullmatch(r"evidence-20[0-9-]{8}-entry-[0-9]+\.zip", name) for name in names)


def test_the_witnesses_get_the_head_of_a_pack(
    cli: Cli, ana: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = tmp_path / "log-heads.txt"
    monkeypatch.setenv("OPTIN_WITNESSES", heads.as_uri())
    done = cli("evidence", PHONE, "--output", "ana.zip")
    (tmp_path / "verify.py").write_bytes(unpacked((tmp_path / "ana.zip").read_bytes())["verify.py"])

    assert done.out == f"Wrote ana.zip.\n{heads.as_uri()} has the head of this pack.\n"
    (head,), _ = read_heads(heads.read_text("ascii"))
    status, said = run_alone(tmp_path / "verify.py", "ana.zip", "--head", heads)
    assert status == 0
    assert f"The witness has the same head of {head.size} entries" in said
    assert cli("verify", "--witness", "all").status == 0


def test_a_witness_that_fails_is_named(
    cli: Cli, ana: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = (tmp_path / "nowhere" / "log-heads.txt").as_uri()
    monkeypatch.setenv("OPTIN_WITNESSES", place)
    done = cli("evidence", PHONE, "--output", "ana.zip")

    assert done.status == 0
    assert f"{place} does not have the head of this pack" in done.err


def test_a_pack_of_an_erased_person_is_made_by_the_id(cli: Cli, ana: str, tmp_path: Path) -> None:
    cli("set", PHONE, "--sms", "no", "--reason", "Asked by phone")
    cli("erase", ana, "--yes")
    assert cli("evidence", ana, "--output", "erased.zip").status == 0
    files = unpacked((tmp_path / "erased.zip").read_bytes())

    assert problem(files) is None
    assert b"Ana G" not in b"".join(files.values())
    assert b"This person was erased on" in files["report.html"]


def test_nobody_has_no_pack(cli: Cli, ana: str, tmp_path: Path) -> None:
    said = refused(cli("evidence", "+12125550199"))

    assert said.startswith("Nobody has this phone number.")
    assert list(tmp_path.glob("*.zip")) == []


def test_no_pack_is_made_for_a_folder_that_is_not_there(cli: Cli, ana: str) -> None:
    done = cli("evidence", PHONE, "--output", "nowhere/ana.zip")

    assert refused(done, 2) == "There is no folder nowhere."
    assert "evidence pack" not in cli("activity", PHONE).out


def test_no_pack_is_made_in_place_of_a_folder(cli: Cli, ana: str, tmp_path: Path) -> None:
    (tmp_path / "packs").mkdir()

    done = cli("evidence", PHONE, "--output", "packs")

    assert refused(done, 2) == "packs is a folder. Name a file."
    assert "evidence pack" not in cli("activity", PHONE).out


def test_no_pack_replaces_a_file(cli: Cli, ana: str, tmp_path: Path) -> None:
    cli("evidence", PHONE, "--output", "ana.zip")
    before = (tmp_path / "ana.zip").read_bytes()
    log = cli("activity", PHONE).out

    done = cli("evidence", PHONE, "--output", "ana.zip")

    assert refused(done, 2) == "ana.zip is there already. Name a new file."
    assert (tmp_path / "ana.zip").read_bytes() == before
    assert cli("activity", PHONE).out == log


def test_no_pack_is_written_through_a_link(cli: Cli, ana: str, tmp_path: Path) -> None:
    (tmp_path / "ana.zip").symlink_to(tmp_path / "elsewhere.zip")

    done = cli("evidence", PHONE, "--output", "ana.zip")

    assert refused(done, 2) == "ana.zip is there already. Name a new file."
    assert not (tmp_path / "elsewhere.zip").exists()


def test_a_file_that_appears_while_a_pack_is_made_stays(tmp_path: Path) -> None:
    path = tmp_path / "ana.zip"
    path.write_bytes(b"another pack")

    with pytest.raises(FileExistsError):
        write_new_private(path, b"a pack")

    assert path.read_bytes() == b"another pack"
    assert [found.name for found in tmp_path.iterdir()] == ["ana.zip"]
