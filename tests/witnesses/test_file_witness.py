"""A file that remembers heads of the log."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.consent.log.heads import LogHead, head_text
from handlers.witnesses.file_witness import FileWitness
from handlers.witnesses.witness import WitnessFailed

HEAD = LogHead(
    log="0a" * 16,
    size=5,
    chain="1b" * 32,
    root="2c" * 32,
    at=datetime(2026, 11, 30, 4, 0, 5, tzinfo=UTC),
)
NEXT = replace(HEAD, size=1_204, chain="3d" * 32, at=HEAD.at + timedelta(days=1))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log-heads.txt"


@pytest.fixture
def file(path: Path) -> FileWitness:
    return FileWitness(path, path.as_uri())


def test_file_remembers_each_head_in_its_order(file: FileWitness, path: Path):
    assert (file.newest(), file.remembered()) == (None, [])
    file.publish(HEAD)
    assert file.newest() == HEAD
    file.publish(NEXT)

    assert file.remembered() == [HEAD, NEXT]
    assert path.read_text() == head_text(HEAD) + head_text(NEXT)


def test_only_the_owner_may_read_a_new_file(file: FileWitness, path: Path):
    file.publish(HEAD)

    assert path.stat().st_mode & 0o777 == 0o600


def test_file_that_is_there_is_only_appended_to(file: FileWitness, path: Path):
    path.write_text(head_text(HEAD))
    path.chmod(0o644)
    before = path.stat()
    file.publish(NEXT)

    after = path.stat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    assert file.remembered() == [HEAD, NEXT]


@pytest.mark.parametrize("cut", range(len(head_text(HEAD))))
def test_head_whose_writing_was_interrupted_is_skipped(file: FileWitness, path: Path, cut: int):
    path.write_text(head_text(HEAD) + head_text(NEXT)[:cut])
    assert file.remembered() == [HEAD]
    file.publish(NEXT)

    assert file.remembered()[0] == HEAD
    assert file.newest() == NEXT


def test_every_flipped_bit_is_found(file: FileWitness, path: Path):
    whole = (head_text(HEAD) + head_text(NEXT)).encode()
    for at in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[at] ^= 1 << bit
            path.write_bytes(changed)
            with suppress(WitnessFailed):
                assert file.remembered() != [HEAD, NEXT]


@pytest.mark.parametrize("content", [b"a list\n", "Wächter\n".encode(), b"\n\nOptin log head 2\n"])
def test_another_file_is_refused(file: FileWitness, path: Path, content: bytes):
    path.write_bytes(content)

    with pytest.raises(WitnessFailed, match="not a head"):
        file.remembered()


def test_folder_that_is_missing_is_said(tmp_path: Path):
    file = FileWitness(tmp_path / "none" / "log-heads.txt", "file:///none")

    with pytest.raises(WitnessFailed, match="can't be written: No such file"):
        file.publish(HEAD)
    assert file.remembered() == []


def test_file_that_can_not_be_read_is_said(file: FileWitness, path: Path):
    path.mkdir()

    with pytest.raises(WitnessFailed, match="can't be read: Is a directory"):
        file.remembered()
