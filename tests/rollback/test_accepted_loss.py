"""A loss that a person accepted: what witnesses remember of it is lost, and everything else must
hold."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.cli.command_session import open_service
from bot.consent.use_cases.witnessed_heads import check_heads
from tests.support.watched_storage import Watched
from tests.support.watched_storage import rolled_back as rolled_back
from tests.support.watched_storage import watched as watched


def test_lost_heads_are_no_contradiction_and_have_a_line_of_their_own(
    rolled_back: Watched,
) -> None:
    kept, first, last = (head.size for head in rolled_back.heads())
    assert rolled_back.compared().status == 1
    accepted = rolled_back.accept()
    assert f"as entries {kept + 1} to {last} counts as lost." in accepted.out
    assert f"Up to entry {kept} the log agrees with what is remembered" in accepted.out
    assert "more than a lost end" not in accepted.out
    done = rolled_back.compared()

    assert (done.status, done.err) == (0, "")
    _, lost, held = done.out.splitlines()
    name = re.escape(rolled_back.witness.as_uri())
    assert re.fullmatch(
        rf"{name}: 2 heads, of entries {first} to {last}, are lost\. \S+ at the command line "
        rf"accepted that on .* UTC \(entry {kept + 1}\)\.",
        lost,
    )
    assert f": 1 other head holds. The newest is of entry {kept}, " in held


def test_entry_says_what_was_lost_and_what_was_kept(rolled_back: Watched) -> None:
    kept, _, last = rolled_back.heads()
    rolled_back.accept()
    (loss,) = rolled_back.losses()

    assert (loss.size, loss.chain, loss.kept, loss.first) == (
        last.size,
        last.chain,
        kept.size,
        kept.size + 1,
    )
    assert (loss.by.partition(":")[0], loss.late) == ("cli", frozenset())
    assert "accepted" in rolled_back.cli("activity", "--limit", "5").out.lower()


def test_head_that_is_published_after_the_acceptance_must_hold(rolled_back: Watched) -> None:
    rolled_back.accept()
    put_back = rolled_back.copied()
    rolled_back.no()
    later = rolled_back.publish()
    assert rolled_back.compared().status == 0
    put_back()
    (rolled_back.cli.folder / "optin.heads").unlink()
    done = rolled_back.compared()

    assert done.status == 1
    assert f"The head of entry {later.size}, published on" in done.err
    assert f"remembers entry {later.size} of" in done.err  # and it is behind again


def test_head_of_what_was_kept_must_hold(rolled_back: Watched) -> None:
    kept, _, last = rolled_back.heads()
    rolled_back.accept()
    with open_service() as service:
        changed = replace(kept, chain="f" * 64)
        assert "or one before it was changed" in str(check_heads(service, [changed]))
        wrong_root = replace(kept, root="f" * 64)
        assert "its root is not that of" in str(check_heads(service, [wrong_root]))
        late = replace(last, at=last.at + timedelta(days=1))
        assert "does not hold" in str(check_heads(service, [late]))
        assert check_heads(service, [kept, last]) is None


def test_without_a_witness_nothing_shows_what_was_kept(
    rolled_back: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head file remembers the newest entry alone, and the storage can't vouch for itself."""
    monkeypatch.delenv("OPTIN_WITNESSES")
    done = rolled_back.accept()
    (loss,) = rolled_back.losses()

    assert (loss.kept, loss.first) == (0, loss.entry.seq)
    assert "No earlier entry is remembered elsewhere, so more may be lost." in done.out


def test_each_loss_is_accepted_for_itself(rolled_back: Watched) -> None:
    first = rolled_back.heads()
    rolled_back.accept()
    put_back = rolled_back.copied()
    rolled_back.no()
    rolled_back.yes()
    second = rolled_back.publish()
    put_back()
    assert rolled_back.compared().status == 1
    rolled_back.accept()
    done = rolled_back.compared()
    one, other = rolled_back.losses()

    assert (done.status, done.err) == (0, "")
    assert "2 heads, of entries" in done.out
    assert f"1 head, of entry {second.size}, is lost." in done.out
    assert (one.size, other.size) == (first[-1].size, second.size)


def test_heads_of_a_log_that_vanished_are_lost_once_that_is_accepted(
    rolled_back: Watched,
) -> None:
    for file in rolled_back.data.iterdir():
        if file.suffix != ".hash-key":
            file.unlink()
    assert rolled_back.compared().status == 1
    rolled_back.accept()
    done = rolled_back.compared()

    assert (done.status, done.err) == (0, "")
    assert "3 heads, of entries" in done.out
    assert "there is no other head yet" in done.out
    rolled_back.publish()
    assert "1 other head holds." in rolled_back.compared().out


def test_loss_can_be_accepted_once_the_log_has_outgrown_it(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest head holds then, and only an older one does not."""
    (kept,) = watched.heads()
    put_back = watched.copied()
    watched.no()
    lost = watched.publish()
    put_back()
    (watched.cli.folder / "optin.heads").unlink()
    monkeypatch.delenv("OPTIN_WITNESSES")
    watched.no()
    watched.yes()
    grown = watched.publish()
    monkeypatch.setenv("OPTIN_WITNESSES", watched.witness.as_uri())
    assert grown.size > lost.size
    done = watched.compared()
    assert (done.status, "went back" in done.err) == (1, False)
    accepted = watched.accept()
    (loss,) = watched.losses()

    assert (loss.kept, loss.first, loss.size) == (kept.size, lost.size, lost.size)
    assert f"more than a lost end: entry {lost.size} or one before it" in accepted.out
    assert watched.compared().status == 0


def test_the_acceptance_goes_with_a_copy_of_the_storage(
    rolled_back: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    rolled_back.accept()
    url = f"sqlite:///{rolled_back.cli.folder}/new/optin.db"
    assert rolled_back.cli("copy", "--to", url).status == 0
    monkeypatch.setenv("OPTIN_STORAGE", url)

    assert rolled_back.compared().status == 0


def test_verify_says_once_that_the_storage_is_behind(
    rolled_back: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    done = rolled_back.cli("verify")

    assert (done.status, done.err.count("went back")) == (1, 1)
    assert "went back" not in caplog.text


def test_doctor_says_that_the_newest_head_of_a_witness_is_lost(rolled_back: Watched) -> None:
    assert "The log contradicts the witness" in rolled_back.cli("doctor").out
    rolled_back.accept()
    said = rolled_back.cli("doctor").out

    assert "The log contradicts" not in said
    assert f"1 head, of entry {rolled_back.heads()[-1].size}, is lost." in said
