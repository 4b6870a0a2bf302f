"""What a kill or a power cut leaves of the embedded storage's files: old or new, and never between."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.tinydb_fixtures import (
    commit,
    contents,
    framed,
    journal,
    lines_of,
    log,
    newest,
    opened,
    restore,
)


def test_a_torn_line_is_cut_off_and_said_at_every_byte(
    filled: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = contents(filled)
    with opened(filled) as store:
        commit(store, 6)
    whole = journal(filled).read_bytes()
    for end in range(len(before[journal(filled).name]), len(whole)):
        caplog.clear()
        restore(filled, before | {journal(filled).name: whole[:end]})
        torn = end > len(before[journal(filled).name])

        assert newest(filled) == 5
        assert ("torn line" in caplog.text) == torn
        assert contents(filled) == before
        if torn and end % 50 == 0:
            with opened(filled) as store:
                commit(store, 6)
            assert newest(filled) == 6


def test_a_line_with_holes_where_blocks_never_reached_the_disk_is_torn(filled: Path) -> None:
    before = contents(filled)
    with opened(filled) as store:
        commit(store, 6, "x" * 3000)
    name = journal(filled).name
    start = len(before[name])
    whole = journal(filled).read_bytes()
    for hole in (start, start + 512, len(whole) - 600):
        damaged = whole[:hole] + bytes(512) + whole[hole + 512 :]
        restore(filled, before | {name: damaged})

        assert newest(filled) == 5
        assert contents(filled) == before


def test_a_torn_log_is_written_again_from_the_journal_at_every_byte(filled: Path) -> None:
    before = contents(filled)
    with opened(filled) as store:
        store.compact()
    kept = len(log(filled).read_bytes()) - sum(len(line) for line in lines_of(log(filled))[-2:])
    for end in range(kept, len(before["optin.json.log"])):
        restore(filled, before | {"optin.json.log": before["optin.json.log"][:end]})

        assert newest(filled) == 5
        assert contents(filled) == before


def test_a_log_that_the_disk_lost_after_a_power_cut_is_written_again(filled: Path) -> None:
    before = contents(filled)
    size = len(before["optin.json.log"])
    restore(filled, before | {"optin.json.log": before["optin.json.log"][:-700] + bytes(700)})

    assert newest(filled) == 5
    assert log(filled).stat().st_size == size
    assert contents(filled) == before


def test_what_a_kill_left_of_a_compaction_is_taken_away(filled: Path) -> None:
    before = contents(filled)
    with opened(filled) as store:
        store.compact()
    after = contents(filled)
    old, new = next(n for n in before if "journal" in n), next(n for n in after if "journal" in n)
    title = after[new]
    with opened(filled) as store:
        commit(store, 6)
    rotated = before[old] + framed({"next": 2})

    def left(*, snapshot: dict[str, bytes], **files: bytes) -> dict[str, bytes]:
        return {n: d for n, d in snapshot.items() if "journal" not in n} | {
            f"optin.json.{name.replace('_', '.')}": data for name, data in files.items()
        }

    # The next journal was prepared, and not gone on in.
    restore(filled, left(snapshot=before, journal_1=before[old], journal_2=title))
    assert newest(filled) == 5
    with opened(filled) as store:
        commit(store, 6)
        store.compact()
    assert newest(filled) == 6

    # It was gone on in, and half a snapshot written.
    restore(filled, left(snapshot=before, journal_1=rotated, journal_2=title, new=b'{"optin":'))
    with opened(filled) as store:
        commit(store, 6)
    assert newest(filled) == 6
    assert not filled.with_name("optin.json.new").exists()
    with opened(filled) as store:
        store.compact()
    assert newest(filled) == 6
    assert [p.name for p in filled.parent.glob("*.journal.*")] == ["optin.json.journal.3"]

    # The snapshot is in place, and the old journal not yet removed.
    restore(filled, left(snapshot=after, journal_1=rotated, journal_2=title))
    assert newest(filled) == 5
    assert [p.name for p in filled.parent.glob("*.journal.*")] == ["optin.json.journal.2"]


def test_a_kill_in_the_middle_of_the_first_start_leaves_an_empty_storage(tmp_path: Path) -> None:
    path = tmp_path / "optin.json"
    with opened(path):
        pass
    files = contents(path)
    path.unlink()
    assert newest(path) == 0

    path.unlink()
    log(path).write_bytes(files["optin.json.log"][:10])
    journal(path).write_bytes(b"")
    assert newest(path) == 0
