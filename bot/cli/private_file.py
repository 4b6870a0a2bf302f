"""Write a file that only its owner can read, complete or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def write_private(path: Path, lines: Iterable[str]) -> None:
    """Write to a temporary file and rename it, so that nobody reads half a file."""
    with _draft(path) as (draft, file):
        file.writelines(line.encode() for line in lines)
        file.close()
        draft.replace(path)


def write_new_private(path: Path, content: bytes) -> None:
    """The same in a file that must be new. Raises `FileExistsError`."""
    with _draft(path) as (draft, file):
        file.write(content)
        file.close()
        os.link(draft, path)


@contextmanager
def _draft(path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    try:
        with draft.open("wb") as file:
            yield draft, file
    finally:
        draft.unlink(missing_ok=True)
