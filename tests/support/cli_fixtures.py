"""The command line in this process, in a folder of its own with a storage of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a command did."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cli:
    folder: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str | Path) -> Done:
        self.capture.readouterr()
        status = main([str(argument) for argument in arguments])
        out, err = self.capture.readouterr()
        return Done(status=status, out=out, err=err)

    def file(self, text: str | bytes, name: str = "contacts.csv") -> Path:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def exported(self) -> str:
        return self("export").out


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    monkeypatch.chdir(tmp_path)
    for name in ("OPTIN_STORAGE", "OPTIN_REGION", "OPTIN_SENDERS", "OPTIN_HASH_KEY"):
        monkeypatch.delenv(name, raising=False)
    return Cli(folder=tmp_path, capture=capsys)


def refused(done: Done, status: int = 1) -> str:
    """The one sentence of a command that did nothing."""
    assert (done.status, done.out) == (status, "")
    assert "Traceback" not in done.err
    return done.err.splitlines()[0]
