"""`optin verify --witness`, and what `optin doctor` says of witnesses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.cli.command_session import open_service
from bot.consent.log.heads import LogHead, head_text
from bot.consent.use_cases.witnessed_heads import head_now
from tests.support.cli_fixtures import Cli, refused


@pytest.fixture
def ana(cli: Cli) -> Cli:
    cli("contact", "add", "--name", "Ana", "--phone", "+14155550100")
    return cli


def head() -> LogHead:
    with open_service() as service:
        found = head_now(service)
        assert found is not None
        return found


def line(cli: Cli) -> str:
    """What doctor says of the witness, with its cure."""
    said = cli("doctor").out.splitlines()
    at = next(
        number for number, line in enumerate(said) if "itness" in line and "went back" not in line
    )
    return "\n".join(said[at : at + 2] if said[at].startswith(("🟡", "🔴")) else said[at : at + 1])


def test_verify_compares_with_a_file(ana: Cli) -> None:
    path = ana.file(head_text(head()), "log-heads.txt")
    ana("set", "+14155550100", "--sms", "no", "--reason", "Asked by phone")
    first, second = ana("verify", "--witness", "log-heads.txt").out.splitlines()

    assert first.startswith("2 entries hold.")
    assert second.startswith(f"{path.as_uri()}: 1 head holds. The newest is of entry 1, ")


def test_verify_names_the_first_head_that_does_not_hold(ana: Cli) -> None:
    now = head()
    later, other = replace(now, size=7), replace(now, chain="ff" * 32)
    path = ana.file("".join(map(head_text, (now, later, other))), "log-heads.txt")
    done = ana("verify", "--witness", path)

    assert done.status == 1
    assert f"{path.as_uri()}: The head of entry 7, published on " in done.err
    assert "does not hold: the log ends at entry 1." in done.err


def test_verify_asks_all_witnesses_of_the_settings(
    ana: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (tmp_path / f"{name}.heads" for name in ("one", "two"))
    one.write_text(head_text(head()))
    monkeypatch.setenv("OPTIN_WITNESSES", f"{one.as_uri()},{two.as_uri()}")
    done = ana("verify", "--witness", "all")

    assert done.status == 1
    assert f"{one.as_uri()}: 1 head holds." in done.out
    assert f"{two.as_uri()} remembers no head of the log." in done.err


def test_verify_refuses_a_witness_that_is_none(ana: Cli) -> None:
    assert "names no witness" in refused(ana("verify", "--witness", "all"), 2)
    assert "is neither a file nor a witness" in refused(ana("verify", "--witness", "none"), 2)


def test_verify_stores_the_tree_anew(ana: Cli) -> None:
    with open_service() as service, service.store.transaction() as records:
        records.key_value.put("log-tree", "3")
    assert "more roots" in refused(ana("verify"))

    done = ana("verify", "--rebuild-tree")
    assert done.out.splitlines()[1] == "The roots of 0 groups of entries are stored anew."
    assert ana("verify").status == 0


def test_doctor_says_how_each_witness_stands(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert line(cli).startswith("🟡 No witness remembers the head of the Activity Log")
    path = tmp_path / "log-heads.txt"
    monkeypatch.setenv("OPTIN_WITNESSES", path.as_uri())
    name = f"witness {path.as_uri()}"
    assert line(cli) == f"✅ The {name} remembers no head yet: the log has no entries."
    cli("contact", "add", "--name", "Ana", "--phone", "+14155550100")
    assert line(cli).startswith(f"🟡 The {name} remembers no head of the log yet.")
    now = head()
    path.write_text(head_text(now))
    assert line(cli).startswith(f"✅ The {name} remembers entry 1 of ")
    path.write_text(head_text(replace(now, size=2)))
    assert line(cli).startswith(f"🔴 The log contradicts the {name}. The head of entry 2,")
    path.write_text("nothing")
    assert line(cli).startswith(f"🔴 The {name} can't be read.")


@pytest.mark.parametrize(
    "text", ["file://log-heads.txt", "file:///", "https://example.com", "rfc3161:ftp://a", "a,b"]
)
def test_setting_that_is_no_witness_is_refused(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("OPTIN_WITNESSES", text)

    assert "OPTIN_WITNESSES must be slack, file:///PATH or rfc3161:https://…" in refused(
        cli("verify"), 2
    )
