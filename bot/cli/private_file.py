"""Write a file that only its owner can read, complete or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def write_private(path: Path, lines: Iterable[str]) -> None:
    """Write to a temporary file and rename it, so that nobody reads half a file."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
