"""Evidence packs of a log that lost its end: they are made again, and say what was lost."""

from __future__ import annotations

import json

import pytest

from bot.cli.command_session import open_service
from handlers.evidence_pack import pack_shapes, pack_verifier
from tests.support.evidence_fixtures import problem, sealed_anew
from tests.support.watched_storage import ANA, Watched, pack
from tests.support.watched_storage import rolled_back as rolled_back
from tests.support.watched_storage import watched as watched


def test_packs_are_made_again_and_say_what_was_lost(rolled_back: Watched) -> None:
    kept, first, last = (head.size for head in rolled_back.heads())
    assert rolled_back.cli("evidence", ANA).status == 1
    rolled_back.accept()
    files = pack(rolled_back)
    (said,) = [one for one in pack_verifier.check(files, []) if "LOST" in one]

    assert problem(files) is None
    assert f"what the log had as entries {kept + 1} to {last}." in said
    assert f"Entry {kept + 1} says that cli:" in said
    assert f"Up to entry {kept} the log agreed with what was remembered elsewhere." in said
    assert "2 published heads are not in the log because of this" in said
    report = files["report.html"].decode()
    assert "<h2>Records that were lost</h2>" in report
    assert f"What the log had as entries {kept + 1} to {last} is lost" in report
    assert "at the command line accepted the loss on" in report
    assert f"Up to entry {kept} the log agreed" in report
    heads = json.loads(files["heads.json"])
    assert [one["head"]["size"] for one in heads["lost"]] == [first, last]
    assert [one["head"]["size"] for one in heads["published"]] == [kept]


def test_pack_says_so_also_where_no_witness_is_asked(
    rolled_back: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    rolled_back.accept()
    monkeypatch.delenv("OPTIN_WITNESSES")
    files = pack(rolled_back)

    assert "Records that were lost" in files["report.html"].decode()
    assert any("RECORDS WERE LOST" in one for one in pack_verifier.check(files, []))
    assert json.loads(files["heads.json"])["lost"] == []


def test_pack_says_that_nothing_shows_what_was_kept(
    rolled_back: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPTIN_WITNESSES")
    rolled_back.accept()
    files = pack(rolled_back)
    (said,) = [one for one in pack_verifier.check(files, []) if "LOST" in one]

    assert "At no earlier entry the log agreed" in said
    assert "No earlier entry was remembered elsewhere" in files["report.html"].decode()


def test_pack_of_a_log_without_a_loss_says_nothing_of_one(watched: Watched) -> None:
    files = pack(watched)

    assert "Records that were lost" not in files["report.html"].decode()
    assert not any("LOST" in one for one in pack_verifier.check(files, []))


def test_pack_is_compared_with_a_witness_that_has_lost_heads(rolled_back: Watched) -> None:
    rolled_back.accept()
    lost = {head.size for head in rolled_back.heads()[1:]}
    changes = iter([rolled_back.no, rolled_back.yes] * 4)
    while size_now() not in lost:
        next(changes)()
    rolled_back.publish()  # of as many entries as one that was lost
    files = pack(rolled_back)
    kept = [pack_shapes.head_shape(head) for head in rolled_back.heads()]
    said = pack_verifier.check(files, [kept])

    assert said[-2] == "1 head of the witness is of records that were lost."
    assert "The witness has the same head of" in said[-1]
    assert "has another head of" in refusal(
        files, [{**one, "at": "2099-01-01T00:00:00Z"} for one in kept]
    )


def size_now() -> int:
    with open_service() as service, service.store.reading() as records:
        return records.log.head()[0]


def refusal(files: dict[str, bytes], heads: list[dict[str, object]]) -> str:
    with pytest.raises(pack_verifier.DoesNotHold) as found:
        pack_verifier.check(files, [heads])
    return str(found.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at", "2099-01-01T00:00:00Z"),
        ("size", 1),
        ("log", "0" * 32),
        ("accepted", 1),
        ("accepted", None),
        ("accepted", []),
        ("at", 7),
        ("size", "7"),
        ("head", None),
    ],
)
def test_head_that_nobody_accepted_as_lost_does_not_count_as_lost(
    rolled_back: Watched, field: str, value: object
) -> None:
    """Although every hash was made anew."""
    rolled_back.accept()
    files = pack(rolled_back)
    heads = json.loads(files["heads.json"])
    one = heads["lost"][0]
    (one["head"] if field in ("at", "size", "log") else one)[field] = value
    with open_service() as service, service.store.reading() as records:
        hashes = records.log.hashes(0, 100)
    assert problem(sealed_anew(files, hashes)) is None
    forged = sealed_anew({**files, "heads.json": pack_shapes.as_file(heads)}, hashes)

    assert problem(forged) in (
        f"Nobody accepted that the head of {one['head'] and one['head']['size']} entries is lost.",
        "Nobody accepted that the head of 1 entry is lost.",
        "heads.json does not have the form that Optin writes.",
        "A head does not have the fields of a head.",
    )
